"""`seam.Transport` over aiohttp: slower than `http1`, but it speaks to proxies.

aiohttp is held to what the seam promises: it adds no headers, follows no redirects, keeps no
cookies and leaves bodies compressed. It repeats a request that met a stale pooled connection only
for idempotent methods, and ours are mostly POST, so that is done here.
"""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from dragoman.errors import UpstreamError, UpstreamUnreachable
from dragoman.upstream.dialer import trust_system
from dragoman.upstream.failures import died, not_http, timed_out, unreachable, unsendable
from dragoman.upstream.origin import Target, locate
from dragoman.upstream.seam import Headers, Request

IDLE_CONNECTION_S = 30.0
MAX_HEADER_BYTES = 64 * 1024
PIECE = 256 * 1024  # a longer body is not handed to the socket at once
_FORBIDDEN = frozenset(b"\r\n\0")


class AiohttpTransport:
    """Sends requests over aiohttp; made within a running event loop.

    `tls` replaces the default trust (the system's, or `SSL_CERT_FILE`).
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        tls = tls or trust_system()
        self._pooled = _open_session(
            aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=IDLE_CONNECTION_S)
        )
        # A repeated request must not meet a second stale connection, so it gets one of its own.
        self._fresh = _open_session(aiohttp.TCPConnector(limit=0, ssl=tls, force_close=True))

    async def send(self, request: Request) -> AiohttpResponse:
        """One attempt, repeated once where a pooled connection turned out to be closed."""
        target = locate(request.url)
        attempt = _Attempt(request, target, asyncio.get_running_loop().time())
        try:
            return await attempt.send(self._pooled)
        except UpstreamUnreachable:
            if not attempt.met_stale_connection:
                raise
        return await attempt.send(self._fresh)

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._pooled.close()
        await self._fresh.close()


def _open_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(_note_reuse)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("accept", "accept-encoding", "content-type", "user-agent"),
        trace_configs=[tracing],
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
    )


async def _note_reuse(
    session: aiohttp.ClientSession,
    context: SimpleNamespace,
    params: aiohttp.TraceConnectionReuseconnParams,
) -> None:
    context.trace_request_ctx.reused = True


@dataclass(slots=True)
class _Attempt:
    """A request under way; `started` is a time of the event loop, for `total_s`."""

    request: Request
    target: Target
    started: float
    reused: bool = False
    met_stale_connection: bool = False

    async def send(self, session: aiohttp.ClientSession) -> AiohttpResponse:
        limits = self.request.timeouts
        peer = str(self.target.origin)
        limit, seconds = "first_byte_s", limits.first_byte_s
        if limits.total_s is not None and limits.total_s < seconds:
            limit, seconds = "total_s", limits.total_s
        try:
            async with asyncio.timeout(seconds):
                response = await self._start(session, limits.connect_s)
        except aiohttp.ConnectionTimeoutError as error:
            raise timed_out("connect_s", limits.connect_s, peer) from error
        except TimeoutError as error:
            raise timed_out(limit, seconds, peer) from error
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            self.met_stale_connection = self.reused and _is_disconnect(error)
            raise explain(error, peer, self.request.proxy) from error
        if why := _distrust(response):
            _abort(response)
            raise not_http(peer, why)
        return AiohttpResponse(response, self.request, peer, self.started)

    async def _start(
        self, session: aiohttp.ClientSession, connect_s: float
    ) -> aiohttp.ClientResponse:
        request = self.request
        for name, value in request.headers:
            if not _FORBIDDEN.isdisjoint(name) or not _FORBIDDEN.isdisjoint(value):
                raise unsendable(str(self.target.origin))
        body: bytes | io.BytesIO | None = request.body
        if len(request.body) > PIECE:
            body = io.BytesIO(request.body)  # is sent in pieces, as fast as the provider reads
        elif not request.body and request.method not in {"POST", "PUT", "PATCH"}:
            body = None
        return await session.request(
            request.method,
            URL(self.target.url, encoded=True),
            headers=[
                (name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
                for name, value in request.headers
            ],
            data=body,
            proxy=request.proxy,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, connect=connect_s),
            trace_request_ctx=self,
        )


class AiohttpResponse:
    """`seam.Response` over aiohttp's; header names are in lower case."""

    def __init__(
        self, response: aiohttp.ClientResponse, request: Request, peer: str, started: float
    ) -> None:
        self.status: int = response.status
        self.headers: Headers = [(name.lower(), value) for name, value in response.raw_headers]
        self._response = response
        self._limits = request.timeouts
        self._proxy = request.proxy
        self._peer = peer
        self._started = started
        # After a malformed chunk aiohttp (3.14) closes the connection but tells no reader.
        protocol = response.connection.protocol if response.connection is not None else None
        closed = protocol.closed if protocol is not None else None
        if closed is not None:
            closed.add_done_callback(self._see_closed)

    def _see_closed(self, closed: asyncio.Future[None]) -> None:
        closed.exception()
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was closed"))

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._next_chunk()
        if not chunk:
            self._response.release()
            raise StopAsyncIteration
        return chunk

    async def _next_chunk(self) -> bytes:
        """The next bytes, or none at the end of the body."""
        limit, seconds = "idle_s", self._limits.idle_s
        total = self._limits.total_s
        if total is not None:
            left = self._started + total - asyncio.get_running_loop().time()
            if left < seconds:
                limit, seconds = "total_s", left
        try:
            async with asyncio.timeout(seconds):
                return await self._response.content.readany()
        except TimeoutError as error:
            _abort(self._response)
            raise timed_out(limit, total if limit == "total_s" else seconds, self._peer) from error
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            _abort(self._response)
            raise died(self._peer) from error

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body, or its first `limit` bytes; then the connection is closed."""
        body = bytearray()
        try:
            async for chunk in self:
                body += chunk
                if limit is not None and len(body) > limit:
                    return bytes(body[:limit])
        finally:
            await self.aclose()
        return bytes(body)

    async def aclose(self) -> None:
        """Closes the connection, unless the body was read to its end."""
        _abort(self._response)


def _distrust(response: aiohttp.ClientResponse) -> str:
    """Why this answer must not be used, if so. (llhttp itself refuses two lengths.)"""
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return "it switched protocols"
    codings = response.headers.getall("transfer-encoding", [])
    if codings and [coding.lower() for coding in codings] != ["chunked"]:
        return "a transfer-encoding that was not asked for"
    return ""


def _abort(response: aiohttp.ClientResponse) -> None:
    """Closes the socket at once: `close` alone would first send what is still to be sent."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _is_disconnect(error: BaseException) -> bool:
    """Whether the peer closed the connection before it had sent anything."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(cast("Any", error).message, str)  # else: the head that had begun
    return isinstance(error, ConnectionError) or (
        isinstance(error, aiohttp.ClientOSError)
        and not isinstance(error, aiohttp.ClientConnectorError)
    )


def explain(error: Exception, peer: str, proxy: str | None) -> UpstreamError:
    """What aiohttp raised before the answer began, in the words of the error tree."""
    match error:
        case aiohttp.ClientProxyConnectionError():
            return unreachable(error.os_error, f"The proxy {error.host}:{error.port}")
        case aiohttp.ClientConnectorCertificateError():
            return unreachable(error.certificate_error, peer)
        case aiohttp.ClientConnectorError():
            return unreachable(error.os_error, peer)
        case aiohttp.ClientHttpProxyError():
            return UpstreamUnreachable(
                f"The proxy refused a tunnel to {peer} with status {error.status}; "
                "check the provider's proxy."
            )
        case aiohttp.InvalidURL() | ValueError():
            return UpstreamUnreachable(
                f"The proxy for {peer} is not a URL; write http://host:port."
                if proxy
                else f"The URL for {peer} is not one; check the provider's base_url."
            )
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientConnectionResetError():
            return unreachable(None, peer)
        case aiohttp.ClientResponseError() | HttpProcessingError() | aiohttp.ClientPayloadError():
            return not_http(peer, "its head is malformed")
        case aiohttp.ClientOSError():
            return unreachable(error.__cause__ or error, peer)
        case _:
            return unreachable(error, peer)
