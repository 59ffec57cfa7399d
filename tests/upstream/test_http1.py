"""The pool of the HTTP/1.1 transport."""

from __future__ import annotations

import asyncio

import pytest
from scripted_upstream import Close, Gate, Pause, ReadBody, ScriptedUpstream, answer, head, script

from dragoman.errors import UpstreamDied, UpstreamUnreachable
from dragoman.upstream import http1
from dragoman.upstream.http1 import Http1Transport
from dragoman.upstream.seam import Request


@pytest.fixture
async def transport():
    made = Http1Transport()
    yield made
    await made.aclose()


def get(upstream, path="/"):
    return Request("GET", upstream.url + path, ())


async def test_the_connection_that_was_used_last_is_used_first(transport, upstream):
    first, second = Gate(), Gate()
    upstream.on("/1", script(first, *answer(b"1").steps))
    upstream.on("/2", script(second, *answer(b"2").steps))
    upstream.on("/3", answer(b"3"))
    sending = [asyncio.ensure_future(transport.send(get(upstream, path))) for path in ("/1", "/2")]
    await asyncio.gather(first.reached(), second.reached())
    for gate, task in ((first, sending[0]), (second, sending[1])):
        gate.open()
        await (await task).read()
    await (await transport.send(get(upstream, "/3"))).read()
    by_path = {request.path: request.connection for request in upstream.requests}
    assert by_path["/3"] == by_path["/2"] != by_path["/1"]


async def test_origins_do_not_share_connections(transport, upstream):
    async with ScriptedUpstream() as other:
        for one in (upstream, other, upstream, other):
            one.on("*", answer(b"ok"))
            await (await transport.send(get(one))).read()
        assert (upstream.connections, other.connections) == (1, 1)


async def test_an_idle_connection_expires(upstream, monkeypatch):
    monkeypatch.setattr(http1, "IDLE_CONNECTION_S", 0.01)
    transport = Http1Transport()
    upstream.on("*", answer(b"ok"))
    assert await (await transport.send(get(upstream))).read() == b"ok"
    await upstream.requests[0].closed()
    assert await (await transport.send(get(upstream))).read() == b"ok"
    assert upstream.connections == 2
    await transport.aclose()


async def test_a_connection_that_was_idle_waits_as_long_as_any(upstream, monkeypatch):
    """The timer that was set while it was idle must not end the next request."""
    monkeypatch.setattr(http1, "IDLE_CONNECTION_S", 0.02)
    transport = Http1Transport()
    upstream.on("*", answer(b"ok"), script(Pause(0.1), *answer(b"late").steps))
    assert await (await transport.send(get(upstream))).read() == b"ok"
    assert await (await transport.send(get(upstream))).read() == b"late"
    assert upstream.connections == 1
    await transport.aclose()


async def test_a_head_that_had_begun_is_not_asked_for_again(transport, upstream):
    upstream.on("*", answer(b"one"), script(b"HTTP/1.1 2", Pause(0.01), Close()), answer(b"never"))
    assert await (await transport.send(get(upstream))).read() == b"one"
    with pytest.raises(UpstreamUnreachable, match="without an answer"):
        await transport.send(get(upstream))
    assert len(upstream.requests) == 2


async def test_an_early_answer_is_not_asked_for_again(transport, upstream):
    refusal = script(*answer(b"no", 413).steps, ReadBody(), early=True)
    upstream.on("*", answer(b"one"), refusal, answer(b"two"))
    assert await (await transport.send(get(upstream))).read() == b"one"
    response = await transport.send(Request("POST", upstream.url + "/", (), b"x" * 32_000_000))
    assert (response.status, await response.read()) == (413, b"no")
    assert await (await transport.send(get(upstream))).read() == b"two"
    assert upstream.connections == 2


async def test_closing_ends_what_is_under_way(upstream):
    transport = Http1Transport()
    upstream.on("*", script(head(200), Gate()))
    response = await transport.send(get(upstream))
    await transport.aclose()
    with pytest.raises(UpstreamDied, match="hung up"):
        await response.read()
    await upstream.requests[0].closed()
