"""Every error that Dragoman raises on purpose, in one tree.

    DragomanError
    ├── CallerError                    the request is at fault
    │   ├── InvalidJson                400  invalid_json
    │   ├── InvalidRequest             400  invalid_request
    │   ├── InvalidModelFormat         400  invalid_model_format
    │   ├── UnsupportedProviderType    400  unsupported_provider_type
    │   ├── Untranslatable             400  untranslatable
    │   ├── PreviousResponseNotFound   400  previous_response_not_found
    │   ├── InvalidApiKey              401  invalid_api_key
    │   ├── ModelNotAllowed            403  model_not_allowed
    │   ├── Forbidden                  403  forbidden
    │   ├── ProviderNotFound           404  provider_not_found
    │   ├── ModelNotFound              404  model_not_found
    │   ├── NotFound                   404  not_found
    │   ├── MethodNotAllowed           405  method_not_allowed
    │   ├── Conflict                   409  conflict
    │   ├── RequestTimeout             408  request_timeout
    │   ├── RequestTooLarge            413  request_too_large
    │   ├── UnsupportedEncoding        415  unsupported_encoding
    │   ├── UpgradeRequired            426  upgrade_required
    │   ├── RateLimitExceeded          429  rate_limit_exceeded
    │   └── BudgetExceeded             429  budget_exceeded
    ├── UpstreamError                  the provider is at fault
    │   ├── UpstreamRefused            its own status  upstream_error
    │   ├── UpstreamDied               502  upstream_error        (after the answer had begun)
    │   ├── UpstreamUnreachable        502  upstream_unreachable
    │   ├── UpstreamUnavailable        503  upstream_unavailable  (not asked: it failed before)
    │   └── UpstreamTimeout            504  upstream_timeout
    └── GatewayError                   Dragoman, its owner or its machine is at fault
        ├── ConfigError                500  config_error
        ├── StoreError                 500  store_error
        └── Overloaded                 503  overloaded

An error says what is wrong and what to do, in one or two sentences, without secrets. `wire`
turns it into the body that the caller's protocol expects; the command line prints `message`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class DragomanError(Exception):
    """Base of the tree.

    `status` is the HTTP status for the caller, `code` the stable name of the error, `param` the
    request field at fault, `retry_after` seconds after which a retry may succeed, `details`
    extra members of the error object, `retryable` whether another attempt at the same or another
    provider may succeed.
    """

    status = 500
    code = "internal_error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        retry_after: float | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after = retry_after
        self.details = details


class CallerError(DragomanError):
    """The request cannot be served as it was sent; sending it again will not help."""

    status = 400
    code = "invalid_request"


class InvalidJson(CallerError):
    """The body is not one JSON document."""

    code = "invalid_json"


class InvalidRequest(CallerError):
    """The body is JSON, but not a request of this operation."""


class InvalidModelFormat(CallerError):
    """The model name is neither `provider:model`, nor an alias, nor an unambiguous model id."""

    code = "invalid_model_format"


class UnsupportedProviderType(CallerError):
    """The provider cannot perform this operation."""

    code = "unsupported_provider_type"


class Untranslatable(CallerError):
    """The target protocol cannot express a part of the request that must not be dropped."""

    code = "untranslatable"

    def __init__(
        self, message: str, *, paths: Sequence[str] = (), param: str | None = None
    ) -> None:
        super().__init__(message, param=param or (paths[0] if paths else None))
        self.paths = tuple(paths)


class PreviousResponseNotFound(CallerError):
    """The request continues a response that nobody here remembers."""

    code = "previous_response_not_found"


class InvalidApiKey(CallerError):
    """No gateway key, or one that does not open this door."""

    status = 401
    code = "invalid_api_key"


class ModelNotAllowed(CallerError):
    """The gateway key may not use this model."""

    status = 403
    code = "model_not_allowed"


class Forbidden(CallerError):
    """The caller is known but may not do this (a scope, an origin, a host name)."""

    status = 403
    code = "forbidden"


class ProviderNotFound(CallerError):
    """No enabled provider has this id."""

    status = 404
    code = "provider_not_found"


class ModelNotFound(CallerError):
    """The provider exists, but the model does not."""

    status = 404
    code = "model_not_found"


class NotFound(CallerError):
    """No such path or object."""

    status = 404
    code = "not_found"


class MethodNotAllowed(CallerError):
    """The path exists, but not with this method; `allowed` goes into the `Allow` header."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, message: str, *, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(allowed)


class RequestTimeout(CallerError):
    """The client was too slow to send its request."""

    status = 408
    code = "request_timeout"


class Conflict(CallerError):
    """The object exists already, or is managed elsewhere."""

    status = 409
    code = "conflict"


class RequestTooLarge(CallerError):
    """The body is over `max_body_mb`."""

    status = 413
    code = "request_too_large"


class UnsupportedEncoding(CallerError):
    """A `content-encoding` that the gateway does not read."""

    status = 415
    code = "unsupported_encoding"


class UpgradeRequired(CallerError):
    """A WebSocket upgrade; Codex falls back to plain HTTP at once on this status."""

    status = 426
    code = "upgrade_required"


class RateLimitExceeded(CallerError):
    """A limit of the gateway key is reached; `retry_after` says until when."""

    status = 429
    code = "rate_limit_exceeded"


class BudgetExceeded(CallerError):
    """The budget of the gateway key is spent, or held by requests under way: then it `may_pass`
    soon."""

    status = 429
    code = "budget_exceeded"

    def __init__(
        self, message: str, *, retry_after: float | None = None, may_pass: bool = False
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.may_pass = may_pass


class UpstreamError(DragomanError):
    """The provider failed; another attempt may succeed. One that `lasts` is the same for every
    attempt with the same key at the same provider."""

    lasts = False
    status = 502
    code = "upstream_error"
    retryable = True


class UpstreamRefused(UpstreamError):
    """The provider answered with an error status, which the caller gets to see.

    `body` is the provider's own answer where the caller can read it as it is, else empty;
    `headers` are the provider's that go back to the caller (`retry-after` among them).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: bytes = b"",
        code: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message, param=param, retry_after=retry_after)
        self.status = status
        self.body = body
        self.headers = headers
        self.retryable = status in {401, 403, 408, 409, 429} or status >= 500
        if code is not None:
            self.code = code


class UpstreamDied(UpstreamError):
    """The provider's answer broke off, or ended without its protocol's terminal event."""


class UpstreamUnreachable(UpstreamError):
    """No connection to the provider: name, route, refusal or TLS."""

    code = "upstream_unreachable"


class UpstreamUnavailable(UpstreamError):
    """Nobody was asked: every key that could be used has to rest after failures or limits.

    Its status is 429 where the provider's limits are the only reason.
    """

    status = 503
    code = "upstream_unavailable"

    def __init__(self, message: str, *, retry_after: float, limited: bool = False) -> None:
        super().__init__(message, retry_after=retry_after)
        if limited:
            self.status = 429


class UpstreamTimeout(UpstreamError):
    """The provider was silent for too long; the message names the limit and its setting."""

    status = 504
    code = "upstream_timeout"


class GatewayError(DragomanError):
    """Dragoman itself cannot do its work."""


class ConfigError(GatewayError):
    """The configuration is wrong; the message names the key, its place and the remedy."""

    code = "config_error"


class StoreError(GatewayError):
    """The database cannot be read or written."""

    code = "store_error"


class Overloaded(GatewayError):
    """More requests are under way than the gateway takes."""

    status = 503
    code = "overloaded"
    retryable = True
