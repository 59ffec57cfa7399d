"""The scripted upstream records what it got and does what it was told; nothing else."""

from __future__ import annotations

import asyncio

import pytest
from scripted_upstream import (
    Close,
    Gate,
    Pause,
    ReadBody,
    Reset,
    ScriptedUpstream,
    answer,
    chunk,
    json_answer,
    script,
    sse_answer,
)

REQUEST = b"POST /v1/x?q=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"


async def connect(upstream: ScriptedUpstream):
    return await asyncio.open_connection("127.0.0.1", upstream.port)


async def test_records_the_request_and_answers_it():
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/x", json_answer({"a": 1}))
        reader, writer = await connect(upstream)
        writer.write(REQUEST)
        assert await reader.readuntil(b"}") == (
            b'HTTP/1.1 200 \r\ncontent-length: 8\r\ncontent-type: application/json\r\n\r\n{"a": 1}'
        )
        request = upstream.requests[0]
        assert (request.method, request.path, request.query) == ("POST", "/v1/x", "q=1")
        assert request.headers == [("Host", "h"), ("Content-Length", "4")]
        assert request.body == b"body"
        assert not request.is_closed
        writer.close()
        await request.closed()


async def test_answers_in_order_on_one_connection_and_repeats_the_last():
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/x", answer(b"one"), lambda request: answer(request.body))
        reader, writer = await connect(upstream)
        bodies = []
        for _ in range(3):
            writer.write(REQUEST)
            await reader.readuntil(b"\r\n\r\n")
            bodies.append(await reader.readexactly(4 if bodies else 3))
        assert bodies == [b"one", b"body", b"body"]
        assert [request.connection for request in upstream.requests] == [0, 0, 0]
        writer.close()


async def test_an_early_script_answers_before_it_reads():
    async with ScriptedUpstream() as upstream:
        gate = Gate()
        upstream.on("/v1/x", script(b"early", gate, ReadBody(), b"late", Close(), early=True))
        reader, writer = await connect(upstream)
        writer.write(REQUEST)
        assert await reader.readexactly(5) == b"early"
        await gate.reached()
        assert (await upstream.request()).body == b""
        gate.open()
        assert await reader.read() == b"late"
        assert upstream.requests[0].body == b"body"
        writer.close()


async def test_reset_is_a_reset():
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/x", script(b"some", Pause(), Reset()))
        reader, writer = await connect(upstream)
        writer.write(REQUEST)
        assert await reader.readexactly(4) == b"some"
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


def test_sse_answer_frames_events():
    stream = sse_answer({"type": "ping"}, "text", b": raw\n\n", done=True).steps
    assert stream[1:] == (
        chunk(b'event: ping\ndata: {"type": "ping"}\n\n'),
        chunk(b"data: text\n\n"),
        chunk(b": raw\n\n"),
        chunk(b"data: [DONE]\n\n"),
        chunk(b""),
    )


async def test_a_path_without_a_script_is_a_404():
    async with ScriptedUpstream() as upstream:
        reader, writer = await connect(upstream)
        writer.write(REQUEST)
        assert (await reader.readline()).startswith(b"HTTP/1.1 404")
        writer.close()
