"""`seam.Transport` over plain HTTP/1.1, made for many small streams at little cost.

Connections are pooled for each origin; the one that was used last is used first, so that the
others can expire. No proxies: those are `aiohttp_transport`'s.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import lru_cache

from dragoman.errors import UpstreamUnreachable
from dragoman.upstream.connection import Connection, Http1Response
from dragoman.upstream.dialer import Dialer, trust_system
from dragoman.upstream.failures import unsendable
from dragoman.upstream.origin import Origin, locate
from dragoman.upstream.seam import Request

IDLE_CONNECTION_S = 30.0
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Http1Transport:
    """Sends requests over its own connections; made within a running event loop.

    `tls` replaces the default trust (the system's, or the file that `SSL_CERT_FILE` names).
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._dialer = Dialer(tls or trust_system())
        self._idle: dict[Origin, list[Connection]] = {}
        self._open: set[Connection] = set()

    async def send(self, request: Request) -> Http1Response:
        """One attempt, repeated once where a pooled connection turned out to be closed."""
        target = locate(request.url)
        head = _write_head(request)
        started = self._loop.time()
        idle = self._idle.get(target.origin)
        if idle:
            connection = idle.pop()
            try:
                return await self._exchange(connection, head, request, started)
            except UpstreamUnreachable:
                if connection.heard:
                    raise
        connection = await self._connect(target.origin, request.timeouts.connect_s)
        return await self._exchange(connection, head, request, started)

    async def aclose(self) -> None:
        """Closes every connection."""
        self._dialer.close()
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)  # the loop closes aborted sockets in its next turn

    async def _exchange(
        self, connection: Connection, head: bytes, request: Request, started: float
    ) -> Http1Response:
        return await connection.exchange(
            head, request.body, request.timeouts, started, is_head=request.method == "HEAD"
        )

    async def _connect(self, origin: Origin, connect_s: float) -> Connection:
        idle = self._idle.setdefault(origin, [])

        def forget(connection: Connection) -> None:
            self._open.discard(connection)
            if connection in idle:
                idle.remove(connection)

        def make() -> Connection:
            return Connection(str(origin), IDLE_CONNECTION_S, idle.append, forget)

        connection = await self._dialer.connect(origin, make, connect_s)
        if not connection.is_closed:
            self._open.add(connection)
        return connection


@lru_cache(maxsize=2048)
def _write_opening(method: str, url: str) -> bytes:
    target = locate(url)
    return f"{method} {target.path} HTTP/1.1\r\nhost: {target.authority}\r\n".encode("ascii")


def _write_head(request: Request) -> bytes:
    """The request up to its body. Raises `UpstreamUnreachable` if a header would break out."""
    parts = [_write_opening(request.method, request.url)]
    for name, value in request.headers:
        parts += name, b": ", value, b"\r\n"
    lines = len(request.headers) + 3
    if request.body or request.method in _WITH_BODY:
        parts.append(b"content-length: %d\r\n" % len(request.body))
        lines += 1
    parts.append(b"\r\n")
    head = b"".join(parts)
    if head.count(b"\n") != lines or head.count(b"\r") != lines or b"\0" in head:
        raise unsendable(str(locate(request.url).origin))
    return head
