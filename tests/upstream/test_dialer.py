"""Connections are opened by name, shared look-ups and all."""

from __future__ import annotations

import asyncio
import socket
import ssl

import pytest

from dragoman.errors import UpstreamTimeout, UpstreamUnreachable
from dragoman.upstream.dialer import Dialer, open_socket
from dragoman.upstream.origin import Origin


@pytest.fixture
def dialer():
    return Dialer(ssl.create_default_context())


@pytest.fixture
def lookups(monkeypatch):
    """Counts look-ups; `answer` decides what they find, `gate` holds them up."""

    class Lookups:
        count = 0
        gate: asyncio.Event | None = None
        answer: list | OSError = socket.gaierror(-2, "unknown")

        async def find(self, host, port, *, type):
            self.count += 1
            if self.gate is not None:
                await self.gate.wait()
            if isinstance(self.answer, OSError):
                raise self.answer
            return [(*entry[:4], (entry[4], port)) for entry in self.answer]

    return Lookups()


def use(monkeypatch, lookups):
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.BaseEventLoop):
        monkeypatch.setattr(loop, "getaddrinfo", lookups.find)
    else:
        pytest.skip("uvloop's methods cannot be replaced")


def ipv4(address):
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)


async def hang_up(protocol):
    protocol.transport.abort()
    await asyncio.sleep(0)


class Plain(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport


async def test_one_look_up_serves_all_who_ask(dialer, lookups, upstream, monkeypatch):
    use(monkeypatch, lookups)
    lookups.gate = asyncio.Event()
    lookups.answer = [ipv4("127.0.0.1")]
    origin = Origin(False, "provider.example", upstream.port)
    dialling = [asyncio.ensure_future(dialer.connect(origin, Plain, 5)) for _ in range(20)]
    impatient = asyncio.ensure_future(dialer.connect(origin, Plain, 5))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    impatient.cancel()
    lookups.gate.set()
    for protocol in await asyncio.gather(*dialling):
        await hang_up(protocol)
    await hang_up(await dialer.connect(origin, Plain, 5))
    assert lookups.count == 1
    assert impatient.cancelled()


async def test_a_failed_look_up_is_not_remembered(dialer, lookups, upstream, monkeypatch):
    use(monkeypatch, lookups)
    origin = Origin(False, "provider.example", upstream.port)
    with pytest.raises(UpstreamUnreachable, match=r"provider\.example:\d+ cannot be resolved"):
        await dialer.connect(origin, Plain, 5)
    lookups.answer = [ipv4("127.0.0.1")]
    await hang_up(await dialer.connect(origin, Plain, 5))
    assert lookups.count == 2


async def test_the_connect_timeout_covers_the_look_up(dialer, lookups, monkeypatch):
    use(monkeypatch, lookups)
    lookups.gate = asyncio.Event()
    with pytest.raises(UpstreamTimeout, match=r"timeout\.connect_s"):
        await dialer.connect(Origin(False, "provider.example", 80), Plain, 0.01)
    dialer.close()


async def test_an_address_that_refuses_gives_way_to_the_next(
    dialer, lookups, upstream, monkeypatch
):
    use(monkeypatch, lookups)
    lookups.answer = [ipv4("127.0.0.9"), ipv4("127.0.0.1")]
    await hang_up(await dialer.connect(Origin(False, "p.example", upstream.port), Plain, 5))


async def test_all_addresses_refuse(dialer, lookups, monkeypatch):
    use(monkeypatch, lookups)
    lookups.answer = [ipv4("127.0.0.1"), ipv4("127.0.0.2")]
    with pytest.raises(UpstreamUnreachable, match=r"p\.example:1 refuses connections"):
        await dialer.connect(Origin(False, "p.example", 1), Plain, 5)


def test_sockets_keep_long_silences_alive():
    with open_socket((*ipv4("127.0.0.1")[:4], ("127.0.0.1", 1))) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
