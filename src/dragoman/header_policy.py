"""Which headers cross the gateway, in each direction.

Everything crosses that is not listed here, so that beta flags, trace ids and rate-limit figures
of any provider survive. What stays behind: hop-by-hop headers (RFC 9110, 7.6.1), what belongs to
one of the two connections, credentials and account selectors of the client (they mean the
client's own account, not the gateway's), cookies, and what identifies servers or networks.
"""

from __future__ import annotations

from collections.abc import Iterable

Header = tuple[bytes, bytes]

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade".split()
)
_NOT_UPSTREAM = _HOP_BY_HOP | frozenset(
    b"accept-encoding api-key authorization content-encoding content-length content-type cookie"
    b" cookie2 expect forwarded host http2-settings openai-organization openai-project origin"
    b" referer via x-api-key x-goog-api-key x-goog-user-project x-real-ip x-request-id"
    b" chatgpt-account-id".split()
)
_NOT_UPSTREAM_PREFIXES = (b"x-forwarded-", b"x-dragoman-", b"sec-", b"cf-", b"x-amzn-")
_NOT_DOWNSTREAM = _HOP_BY_HOP | frozenset(
    b"alt-svc anthropic-organization-id content-encoding content-length date nel"
    b" openai-organization openai-project report-to reporting-endpoints server server-timing"
    b" set-cookie set-cookie2 strict-transport-security via x-powered-by x-request-id"
    b" content-security-policy x-frame-options expect-ct".split()
)
_NOT_DOWNSTREAM_PREFIXES = (b"access-control-", b"cf-", b"x-amz-", b"x-served-by", b"x-dragoman-")


def upstream_headers(headers: Iterable[Header]) -> list[Header]:
    """The client's headers (lower-case names) that go to the provider."""
    return [
        header
        for header in headers
        if header[0] not in _NOT_UPSTREAM and not header[0].startswith(_NOT_UPSTREAM_PREFIXES)
    ]


def client_headers(headers: Iterable[Header]) -> list[Header]:
    """The provider's headers (lower-case names) that go back to the client."""
    return [
        header
        for header in headers
        if header[0] not in _NOT_DOWNSTREAM and not header[0].startswith(_NOT_DOWNSTREAM_PREFIXES)
    ]
