"""The URL and the headers of a request that goes upstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from dragoman.header_policy import Header
from dragoman.protocols import Operation, Protocol
from dragoman.providers.auth import ANTHROPIC_VERSION, auth_headers
from dragoman.providers.urls import endpoint_url, with_query
from dragoman.routing import Target
from dragoman.upstream.seam import Request

_ALWAYS = [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]


def make_request(
    target: Target,
    operation: Operation,
    body: bytes,
    key: str | None,
    *,
    headers: Iterable[Header] = (),
    query: bytes = b"",
) -> Request:
    """A POST of `body` to the provider's place for `operation`.

    `headers` and `query` are the client's that are to go along. The provider's own headers
    replace any of the same name, and its query wins over the client's.
    """
    provider = target.provider
    complete = [*headers, *auth_headers(provider, key, operation.protocol), *_ALWAYS]
    if operation.protocol is Protocol.MESSAGES and not _has(complete, b"anthropic-version"):
        complete.append((b"anthropic-version", ANTHROPIC_VERSION.encode()))
    if provider.headers:
        complete = _replaced(complete, provider.headers)
    url = endpoint_url(provider, operation, target.model)
    if query:
        url = _with_client_query(url, query)
    elif operation.streams == "always":
        url = with_query(url, {"alt": "sse"})
    return Request("POST", url, complete, body, provider.timeouts, provider.proxy)


def _has(headers: Iterable[Header], wanted: bytes) -> bool:
    return any(name == wanted for name, _ in headers)


def _replaced(headers: list[Header], own: Mapping[str, str]) -> list[Header]:
    added = [(name.lower().encode(), value.encode()) for name, value in own.items()]
    names = {name for name, _ in added}
    return [header for header in headers if header[0] not in names] + added


def _with_client_query(url: str, query: bytes) -> str:
    """`url` with the client's query, minus a key and what `url` already says."""
    taken = {pair.partition("=")[0] for pair in urlsplit(url).query.split("&")} | {"key", ""}
    pairs = [
        pair for pair in query.decode("latin-1").split("&") if pair.partition("=")[0] not in taken
    ]
    if not pairs:
        return url
    return f"{url}{'&' if '?' in url else '?'}{'&'.join(pairs)}"
