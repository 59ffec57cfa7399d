"""Many streams at once, and one that nobody reads: every byte arrives, and memory stays bounded."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import psutil
import pytest
from reliability.served import serve
from reliability.streaming_provider import StreamingProvider, write_stream
from running_gateway import KEY
from scripted_upstream import ScriptedUpstream, chunk, head, script

MB = 1024 * 1024
STREAMS = int(os.environ.get("DRAGOMAN_TEST_STREAMS", "1000"))
EVENTS = 100
EVENT_STREAM = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}


def memory(pid: int) -> int:
    return psutil.Process(pid).memory_info().rss


def request(name: str, port: int) -> bytes:
    body = json.dumps({"model": "up:m", "messages": [], "stream": True, "user": name}).encode()
    lines = (
        "POST /v1/chat/completions HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        f"authorization: Bearer {KEY}",
        f"content-length: {len(body)}",
        "connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode() + body


def unchunk(data: bytes) -> bytes:
    """The body of a chunked answer."""
    rest, body = data, bytearray()
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body += rest[:length]
        rest = rest[length + 2 :]
    return bytes(body)


async def read_stream(name: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request(name, port))
        told, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 200 "), told
        return unchunk(body)
    finally:
        writer.close()


@pytest.mark.slow
async def test_a_thousand_streams_lose_no_byte(tmp_path: Path) -> None:
    async with (
        StreamingProvider(EVENTS, pause_s=0.02) as upstream,
        serve(tmp_path, upstream.url) as (process, client),
    ):
        port = client.base_url.port
        assert port is not None
        await read_stream("warm", port)
        idle = memory(process.pid)
        peak = idle

        async def watch() -> None:
            nonlocal peak
            while True:
                peak = max(peak, memory(process.pid))
                await asyncio.sleep(0.2)

        watching = asyncio.create_task(watch())
        names = [f"stream-{number}" for number in range(STREAMS)]
        told = await asyncio.gather(*(read_stream(name, port) for name in names))
        watching.cancel()
        wrong = [
            name
            for name, body in zip(names, told, strict=True)
            if body != write_stream(name, EVENTS)
        ]
        assert wrong == []
        assert peak - idle < 150 * MB


@pytest.mark.slow
async def test_a_reader_that_stalls_fills_no_memory(tmp_path: Path) -> None:
    piece = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 65_000)
    whole = 200 * MB // len(piece)
    async with ScriptedUpstream() as upstream:
        upstream.on("*", script(head(200, EVENT_STREAM), *[chunk(piece)] * whole, chunk(b"")))
        async with serve(tmp_path, upstream.url) as (process, client):
            idle = memory(process.pid)
            async with client.stream(
                "POST",
                "/v1/chat/completions",
                json={"model": "up:m", "messages": [], "stream": True},
            ) as response:
                await anext(response.aiter_raw())
                sent = -1
                while sent != upstream.requests[0].sent:  # until every buffer is full
                    sent = upstream.requests[0].sent
                    await asyncio.sleep(0.5)
                assert sent < 64 * MB
                assert memory(process.pid) - idle < 64 * MB
