"""The seam between the gateway and whatever carries its requests: one attempt.

A transport takes a `Request` and gives a `Response` as soon as the provider's status line and
headers are there; the body follows as raw chunks, exactly as they came (no decompression, no
re-framing, chunked framing removed). Every failure is an `UpstreamError` of `errors`.
"""

from __future__ import annotations

import typing
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from dragoman.providers.provider import Timeouts

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Request:
    """One attempt. `url` is absolute; `headers` are complete but for `host` and
    `content-length`, which the transport adds; names are lower case."""

    method: str
    url: str
    headers: Headers
    body: bytes = b""
    timeouts: Timeouts = field(default_factory=Timeouts)
    proxy: str | None = None


class Response(typing.Protocol):
    """An answer whose body may still be arriving.

    `headers` have lower-case names. Iterating yields non-empty chunks as they arrive and raises
    `UpstreamTimeout` when the provider is silent for `idle_s` and `UpstreamDied` when the body
    breaks off. A cancelled iteration loses nothing and closes nothing: whoever waits for a chunk
    under a time limit may go on afterwards, and whoever leaves must call `aclose`. It may be
    called at any time, more than once: when the body was not read to its end the connection is
    closed at once, so that the provider stops generating; else it returns to the pool.
    """

    status: int
    headers: Headers

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body (at most `limit` bytes; more is cut off and the connection closed)."""
        ...

    async def aclose(self) -> None: ...


class Transport(typing.Protocol):
    """Sends requests over pooled connections; safe for concurrent use within one event loop."""

    async def send(self, request: Request) -> Response:
        """Returns when status and headers are there, whatever the status is.

        Raises `UpstreamTimeout`, or `UpstreamUnreachable` (also for an answer that is not HTTP);
        both may be tried again elsewhere. A cancelled call closes its socket. A request that met
        a pooled connection which the provider had just closed is sent once more, on a new one.
        """
        ...

    async def aclose(self) -> None:
        """Closes every connection."""
        ...
