"""A client that leaves stops the provider in whatever phase the request is, and is recorded."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import Gate, ScriptedUpstream, Stall, head, script, sse_answer

PIECE = {"choices": [{"index": 0, "delta": {"content": "x" * 2000}}]}
ROLE = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
STARTED = {"type": "message_start", "message": {"usage": {"input_tokens": 7}}}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = "[server]\nmax_requests = 1\nkeepalive_s = 0.3\n" + provider(
        upstream.url, protocols=["chat", "messages"]
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - what other tasks do sets no event
            await asyncio.sleep(0.01)


class Client:
    """A client on a socket of its own, which leaves without a word."""

    def __init__(self, running: Running, path: str, stream: bool = True) -> None:
        self._host, port = running.url.removeprefix("http://").split(":")
        self._port = int(port)
        body = json.dumps({"model": "up:m", "messages": [], "stream": stream}).encode()
        lines = (
            f"POST {path} HTTP/1.1",
            "host: x",
            f"authorization: Bearer {running.key}",
            f"content-length: {len(body)}",
        )
        self._request = "\r\n".join((*lines, "", "")).encode() + body

    async def send(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(self._request)

    async def hear(self, words: bytes) -> None:
        await asyncio.wait_for(self._reader.readuntil(words), 10)

    def leave(self) -> None:
        self._writer.transport.abort()


CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
PHASES = {
    "before the head": script(Stall()),
    "in a whole body": script(head(200, {"content-length": "9"}) + b"{", Stall()),
    "at the greeting": sse_answer(ROLE, Stall()),
    "in mid-stream": sse_answer(PIECE, Stall()),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_the_provider_is_hung_up_on(
    phase: str, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", PHASES[phase])
    client = Client(running, CHAT, stream=phase != "in a whole body")
    await client.send()
    request = await upstream.request()
    if phase == "in mid-stream":
        await client.hear(b"xxx")
    client.leave()
    await asyncio.wait_for(request.closed(), 5)
    await until(lambda: running.gateway.totals.requests == 1)
    assert running.gateway.admission.served == 0


async def test_a_reader_that_stalls_and_leaves(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(*[PIECE] * 20_000, done=True))
    client = Client(running, CHAT)
    await client.send()
    request = await upstream.request()
    await client.hear(b"xxx")
    await asyncio.sleep(0.2)  # every buffer on the way is full now
    client.leave()
    await asyncio.wait_for(request.closed(), 5)
    await until(lambda: running.gateway.admission.served == 0)


async def test_one_that_waits_in_line(running: Running, upstream: ScriptedUpstream) -> None:
    gate = Gate()
    upstream.on("*", sse_answer(PIECE, gate, done=True))
    first, second = Client(running, CHAT), Client(running, CHAT)
    await first.send()
    await gate.reached()
    await second.send()
    await until(lambda: running.gateway.admission.waiting == 1)
    second.leave()
    await until(lambda: running.gateway.admission.waiting == 0)
    gate.open()
    await first.hear(b"[DONE]")
    first.leave()
    assert len(upstream.requests) == 1


async def test_one_that_waits_for_another_attempt(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(head(429, {"retry-after": "2", "content-length": "0"})))
    client = Client(running, CHAT)
    await client.send()
    await upstream.request()
    client.leave()
    await until(lambda: running.gateway.totals.requests == 1)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("path", "events", "tokens"),
    [(CHAT, (PIECE, USAGE), 5), (MESSAGES, (STARTED, {"type": "content_block_start"}), 7)],
)
async def test_what_was_used_is_recorded(
    path: str,
    events: tuple[dict[str, object], ...],
    tokens: int,
    running: Running,
    upstream: ScriptedUpstream,
) -> None:
    upstream.on("*", sse_answer(*events, Stall()))
    client = Client(running, path)
    await client.send()
    request = await upstream.request()
    await client.hear(b"data: ")
    await client.hear(b"ping")
    client.leave()
    await asyncio.wait_for(request.closed(), 5)
    await until(lambda: running.gateway.totals.requests == 1)
    assert running.gateway.totals.input_tokens == tokens
