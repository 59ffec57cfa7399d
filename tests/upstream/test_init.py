"""`open_transport` sends by the way that the request needs."""

from __future__ import annotations

from scripted_upstream import answer

from dragoman.upstream import open_transport
from dragoman.upstream.seam import Request


async def test_goes_directly_or_through_the_proxy(upstream):
    upstream.on("*", answer(b"ok"))
    transport = open_transport()
    direct = await transport.send(Request("GET", f"{upstream.url}/direct", ()))
    assert await direct.read() == b"ok"
    proxied = await transport.send(
        Request("GET", "http://provider.example/v1/x?q=1", (), proxy=upstream.url)
    )
    assert await proxied.read() == b"ok"
    await transport.aclose()
    assert [request.target for request in upstream.requests] == [
        "/direct",
        "http://provider.example/v1/x?q=1",
    ]


async def test_closes_what_was_never_used():
    await open_transport().aclose()
