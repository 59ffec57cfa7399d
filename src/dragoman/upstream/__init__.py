"""Requests to providers: `seam` says what a transport is; one module for each of them."""

from __future__ import annotations

import ssl

from dragoman.upstream.dialer import trust_system
from dragoman.upstream.http1 import Http1Transport
from dragoman.upstream.seam import Request, Response, Transport


def open_transport(tls: ssl.SSLContext | None = None) -> Transport:
    """The transport for every provider; called within the event loop that will use it.

    `tls` replaces the default trust (the system's, or the file that `SSL_CERT_FILE` names).
    """
    return _ByProxy(tls or trust_system())


class _ByProxy:
    """Sends requests directly over `http1`, those that name a proxy over aiohttp."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._direct = Http1Transport(tls)
        self._proxied: Transport | None = None

    async def send(self, request: Request) -> Response:
        if request.proxy is None:
            return await self._direct.send(request)
        if self._proxied is None:
            # Few need a proxy, and to import aiohttp costs start-up time and memory.
            from dragoman.upstream.aiohttp_transport import AiohttpTransport

            self._proxied = AiohttpTransport(self._tls)
        return await self._proxied.send(request)

    async def aclose(self) -> None:
        await self._direct.aclose()
        if self._proxied is not None:
            await self._proxied.aclose()
