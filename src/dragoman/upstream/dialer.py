"""Opens connections: resolves names, races IPv6 against IPv4, shakes hands.

uvloop's `create_connection` tries one address after another, so that a broken IPv6 route would
cost a whole connect timeout; the race (RFC 8305) is aiohappyeyeballs', as in aiohttp.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

from dragoman.upstream.failures import timed_out, unreachable
from dragoman.upstream.origin import Origin

RACE_DELAY_S = 0.25
NAME_TTL_S = 10.0
# A model may think for minutes without a byte, which routers forget sooner than that.
_KEEPALIVE_OPTIONS = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))

Address = tuple[int, int, int, str, tuple[Any, ...]]  # as `getaddrinfo` gives it
P = TypeVar("P", bound=asyncio.Protocol)


def trust_system() -> ssl.SSLContext:
    """Verifies providers as the system does, or by the file that `SSL_CERT_FILE` names."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Dialer:
    """Opens connections within one event loop; `tls` is used for every `https` origin."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._names: dict[Origin, tuple[float, asyncio.Task[Sequence[Address]]]] = {}

    async def connect(self, origin: Origin, protocol: Callable[[], P], connect_s: float) -> P:
        """A protocol whose connection is made and, for `https`, verified.

        Raises `UpstreamTimeout` after `connect_s` seconds, else `UpstreamUnreachable`.
        """
        clock = asyncio.timeout(connect_s)
        try:
            async with clock:
                return await self._connect(origin, protocol, connect_s)
        except (OSError, RuntimeError) as error:  # the latter from uvloop's sockets
            if clock.expired():
                raise timed_out("connect_s", connect_s, str(origin)) from error
            raise unreachable(error, str(origin)) from error

    def close(self) -> None:
        """Gives up the look-ups under way."""
        for _, lookup in self._names.values():
            lookup.cancel()

    async def _connect(self, origin: Origin, protocol: Callable[[], P], connect_s: float) -> P:
        addresses = await self._resolve(origin)
        sock = await start_connection(
            addresses, happy_eyeballs_delay=RACE_DELAY_S, socket_factory=open_socket
        )
        loop = asyncio.get_running_loop()
        try:
            if not origin.secure:
                return (await loop.create_connection(protocol, sock=sock))[1]
            _, made = await loop.create_connection(
                protocol,
                sock=sock,
                ssl=self._tls,
                server_hostname=origin.host,
                ssl_handshake_timeout=connect_s + 60,  # so that `connect_s` is the one that ends it
            )
        except BaseException:
            sock.close()
            raise
        return made

    async def _resolve(self, origin: Origin) -> Sequence[Address]:
        """The addresses of a host: one look-up serves everybody who asks while it runs, and for
        `NAME_TTL_S` seconds those who come later."""
        loop = asyncio.get_running_loop()
        expires, lookup = self._names.get(origin, (0.0, None))
        if lookup is None or expires < loop.time():
            lookup = loop.create_task(_look_up(origin))
            lookup.add_done_callback(_see_outcome)
            self._names[origin] = (loop.time() + NAME_TTL_S, lookup)
        try:
            # A caller that leaves must not take the look-up away from the others.
            return await asyncio.shield(lookup)
        except OSError:
            self._names.pop(origin, None)
            raise


async def _look_up(origin: Origin) -> Sequence[Address]:
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)


def _see_outcome(lookup: asyncio.Task[Sequence[Address]]) -> None:
    """Looks at a failure that every caller was too impatient to wait for."""
    if not lookup.cancelled():
        lookup.exception()


def open_socket(address: Address) -> socket.socket:
    """A socket for one address, with TCP keep-alive probes where the platform can set them."""
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE_OPTIONS:
        if (option := getattr(socket, name, None)) is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
    return sock
