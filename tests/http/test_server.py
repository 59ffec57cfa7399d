"""http.server: connections that lie, leave or speak no HTTP; a server that stops."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import (
    Gate,
    Pause,
    ScriptedUpstream,
    Stall,
    head,
    json_answer,
    script,
    sse_answer,
)

BODY = b'{"model":"up:m","messages":[]}'


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("*", json_answer({"ok": 1}))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = "[server]\ngrace_s = 1\nheader_s = 0.3\nbody_s = 0.3\n" + provider(upstream.url)
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


def post(running: Running, body: bytes, *lines: str) -> bytes:
    head = [
        "POST /v1/chat/completions HTTP/1.1",
        "host: 127.0.0.1",
        f"authorization: Bearer {running.key}",
        *lines,
    ]
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


async def talk(running: Running, data: bytes) -> bytes:
    """Everything the server says to `data` until it closes the connection."""
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()


async def test_content_length_beside_transfer_encoding_is_refused(
    running: Running, upstream: ScriptedUpstream
) -> None:
    hidden = post(running, BODY, f"content-length: {len(BODY)}")
    for lines in (
        ("content-length: 5", "transfer-encoding: chunked"),
        ("transfer-encoding: chunked", "content-length: 5"),
    ):
        said = await talk(running, post(running, b"0\r\n\r\n" + hidden, *lines))
        assert said.startswith(b"HTTP/1.1 400 ")
        assert said.count(b"HTTP/1.1") == 1
        assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["code"] == "invalid_request"
    assert upstream.requests == []


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: " + b"x" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\na: " + b"x" * 70_000,
        b"GET /" + b"x" * 70_000,
    ],
    ids=[
        "words",
        "version",
        "two lengths",
        "no colon",
        "a long header",
        "many headers",
        "a header without an end",
        "a URL without an end",
    ],
)
async def test_what_is_no_http_is_told_so_in_json(data: bytes, running: Running) -> None:
    said = await talk(running, data)
    assert said.startswith(b"HTTP/1.1 400 ")
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["message"]


async def drip(running: Running, first: bytes, drops: bytes) -> bytes:
    """What the server says to a client that sends `first` and then one byte after the other."""
    host, port = running.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    said = asyncio.create_task(reader.read())
    try:
        writer.write(first)
        for drop in drops:
            await asyncio.sleep(0.05)
            if said.done():
                break
            writer.write(bytes([drop]))
        return await asyncio.wait_for(said, 10)
    finally:
        writer.close()


async def test_a_client_that_never_says_a_word_is_let_go(running: Running) -> None:
    assert await talk(running, b"") == b""


@pytest.mark.parametrize(
    ("first", "drops"),
    [
        (b"POST /v1/chat/completions HTTP/1.1\r\n", b"x-slow: " + b"a" * 400),
        (b"", b"POST /" + b"a" * 400),
        (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\n"
            b"content-length: 2000\r\n\r\n",
            b" " * 400,
        ),
    ],
    ids=["headers", "the first line", "the body"],
)
async def test_a_client_that_dawdles_is_told_so_while_others_are_served(
    first: bytes, drops: bytes, running: Running, upstream: ScriptedUpstream
) -> None:
    first = first.replace(b"%b", running.key.encode())
    slow = [asyncio.create_task(drip(running, first, drops)) for _ in range(30)]
    async with running.client() as client:
        for _ in range(3):
            assert (await client.post("/v1/chat/completions", content=BODY)).status_code == 200
    for said in await asyncio.gather(*slow):
        assert said.startswith(b"HTTP/1.1 408 ")
        error = json.loads(said.partition(b"\r\n\r\n")[2])["error"]
        assert error["code"] == "request_timeout"
        assert "header_s" in error["message"] or "body_s" in error["message"]
    assert len(upstream.requests) == 3


async def test_an_answer_may_take_longer_than_its_request(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Pause(0.8), head(200, {"content-length": "2"}) + b"{}"))
    request = post(running, BODY, f"content-length: {len(BODY)}", "connection: close")
    assert (await talk(running, request)).endswith(b"\r\n\r\n{}")


async def test_a_connection_serves_many_requests(
    running: Running, upstream: ScriptedUpstream
) -> None:
    request = post(running, BODY, f"content-length: {len(BODY)}")
    last = post(running, BODY, f"content-length: {len(BODY)}", "connection: close")
    said = await talk(running, request * 2 + last)
    assert said.count(b"HTTP/1.1 200 OK") == 3
    assert len(upstream.requests) == 3


async def test_a_half_closed_or_lost_client_stops_the_provider(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Stall()))
    host, port = running.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(post(running, BODY, f"content-length: {len(BODY)}"))
    request = await upstream.request()
    writer.transport.abort()
    await asyncio.wait_for(request.closed(), 5)


async def test_a_stop_lets_requests_finish(running: Running, upstream: ScriptedUpstream) -> None:
    gate = Gate()
    upstream.on("*", sse_answer({"choices": []}, gate, done=True))
    async with running.client() as client:
        asking = asyncio.create_task(
            client.post("/v1/chat/completions", content=BODY[:-1] + b',"stream":true}')
        )
        await gate.reached()
        running.gateway.stop()
        gate.open()
        assert (await asking).text.endswith("data: [DONE]\n\n")


async def test_a_stop_ends_what_does_not_finish_with_an_error_event(
    running: Running, upstream: ScriptedUpstream
) -> None:
    gate = Gate()
    upstream.on("*", sse_answer({"choices": []}, gate, done=True))
    async with running.client() as client:
        asking = asyncio.create_task(
            client.post("/v1/chat/completions", content=BODY[:-1] + b',"stream":true}')
        )
        await gate.reached()
        running.gateway.stop()
        text = (await asking).text
    assert "The gateway is stopping." in text
    assert "[DONE]" not in text
