"""Requests to providers: `seam` says what a transport is; one module for each of them."""

from __future__ import annotations

import ssl

from dragoman.upstream.aiohttp_transport import AiohttpTransport
from dragoman.upstream.seam import Transport


def open_transport(tls: ssl.SSLContext | None = None) -> Transport:
    """The transport for every provider; called within the event loop that will use it.

    `tls` replaces the default trust (the system's, or the file that `SSL_CERT_FILE` names).
    """
    return AiohttpTransport(tls)
