"""Every way in which a provider can fail, seen by the client: never a broken answer that looks
finished, and always a word on why."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import (
    Close,
    Pause,
    Reset,
    Script,
    ScriptedUpstream,
    Stall,
    Step,
    answer,
    chunk,
    head,
    json_answer,
    script,
    sse_answer,
)

CHAT = "/v1/chat/completions"
PIECE = {"choices": [{"index": 0, "delta": {"content": "half"}}]}
LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
EVENT_STREAM = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
FIRST = chunk(b"data: " + json.dumps(PIECE).encode() + b"\n\n")
TIMEOUTS = {"connect_s": 0.5, "first_byte_s": 0.4, "idle_s": 0.4, "total_s": 30}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = (
        "[server]\nbreaker_failures = 0\n"
        + provider(upstream.url, retries=0, timeout=TIMEOUTS)
        + provider(upstream.url, "drip", retries=0, timeout={**TIMEOUTS, "total_s": 0.5})
        + provider(upstream.url, "spare")
        + '[aliases]\nsafe = ["up:m", "spare:m"]\n'
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def ask(running: Running, model: str = "up:m", stream: bool = False) -> tuple[int, str, str]:
    """Status, body and number of attempts."""
    async with running.client() as client:
        body = {"model": model, "messages": [], "stream": stream}
        response = await client.post(CHAT, json=body)
        return response.status_code, response.text, response.headers["x-dragoman-attempts"]


WHOLE: dict[str, tuple[Script, int, str]] = {
    "drop": (script(Close()), 502, "without an answer"),
    "reset": (script(Reset()), 502, "without an answer"),
    "stall": (script(Stall()), 504, "timeout.first_byte_s"),
    "not HTTP": (script(b"hello\r\n\r\n", Close()), 502, "did not answer in HTTP"),
    "cut body": (script(head(200, {"content-length": "9"}) + b"{", Close()), 502, "broke off"),
    "stalled body": (script(head(200, {"content-length": "9"}), Stall()), 504, "timeout.idle_s"),
    "bad chunk": (script(head(200, {"transfer-encoding": "chunked"}), b"zz\r\n"), 502, "garbled"),
    "packed badly": (answer(b"xx", headers={"content-encoding": "gzip"}), 502, "damaged"),
    "early refusal": (
        Script((head(413, {"content-length": "2"}) + b"no", Close()), early=True),
        413,
        "no",
    ),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_a_fault_of_a_whole_answer_is_named(
    name: str, running: Running, upstream: ScriptedUpstream
) -> None:
    fault, status, words = WHOLE[name]
    upstream.on("*", fault)
    told = await ask(running)
    assert told[0] == status
    assert words in json.loads(told[1])["error"]["message"]


@pytest.mark.parametrize("name", [name for name, (_, status, _) in WHOLE.items() if status > 500])
async def test_a_fault_of_a_whole_answer_is_made_good_elsewhere(
    name: str, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", WHOLE[name][0], json_answer({"ok": 1}))
    assert await ask(running, "safe") == (200, '{"ok": 1}', "2")


async def test_a_refused_fallback_leaves_the_first_failure(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Close()), json_answer({"ok": 1}))
    async with running.client() as client:
        response = await client.post(
            CHAT,
            json={"model": "safe", "messages": []},
            headers={"x-dragoman-fallback": "off"},
        )
    assert (response.status_code, response.headers["x-dragoman-attempts"]) == (502, "1")


MID_STREAM: dict[str, tuple[tuple[Step, ...], str]] = {
    "drop": ((Close(),), "broke off"),
    "reset": ((Reset(),), "broke off"),
    "clean end": ((chunk(b""),), "before the answer was complete"),
    "half a chunk": ((b"40\r\ndata: {", Close()), "broke off"),
    "half an event": ((chunk(b'data: {"choices":[{"finish_reason":"stop"'), Close()), "broke off"),
    "bad chunk": ((b"zz\r\n",), "garbled"),
    "stall": ((Stall(),), "timeout.idle_s"),
}


@pytest.mark.parametrize("name", MID_STREAM)
async def test_a_fault_in_mid_stream_is_an_error_event_and_never_an_end(
    name: str, running: Running, upstream: ScriptedUpstream
) -> None:
    steps, words = MID_STREAM[name]
    upstream.on("*", script(head(200, EVENT_STREAM), FIRST, *steps))
    status, text, attempts = await ask(running, "safe", stream=True)
    assert (status, attempts) == (200, "1")
    *_, last = [line for line in text.splitlines() if line]
    assert words in json.loads(last.removeprefix("data: "))["error"]["message"]
    assert "[DONE]" not in text
    assert "finish_reason" not in text


async def test_a_slow_drip_is_a_whole_stream(running: Running, upstream: ScriptedUpstream) -> None:
    data = b"data: " + json.dumps(LAST).encode() + b"\n\ndata: [DONE]\n\n"
    drips = [step for byte in data for step in (chunk(bytes([byte])), Pause())]
    upstream.on("*", script(head(200, EVENT_STREAM), *drips, chunk(b"")))
    assert await ask(running, stream=True) == (200, data.decode(), "1")


async def test_a_drip_without_an_end_meets_the_total(
    running: Running, upstream: ScriptedUpstream
) -> None:
    drip = [PIECE, Pause(0.1)] * 30
    upstream.on("*", sse_answer(*drip))
    status, text, _ = await ask(running, "drip:m", stream=True)
    assert status == 200
    assert "timeout.total_s" in text.splitlines()[-2]


async def test_a_host_that_does_not_answer_meets_the_connect_limit(tmp_path: Path) -> None:
    # 192.0.2.0/24 is nobody's (RFC 5737): packets to it vanish, or are refused at once.
    up = provider("http://192.0.2.1:9", retries=0, timeout=TIMEOUTS)
    async with run_gateway(tmp_path, up) as running:
        status, text, _ = await ask(running)
    assert status in {502, 504}
    assert status == 502 or "timeout.connect_s" in text


async def test_an_idle_connection_that_was_closed_costs_nobody_anything(
    running: Running, upstream: ScriptedUpstream
) -> None:
    closing = script(*json_answer({"ok": 1}).steps, Close())
    upstream.on("*", closing, json_answer({"ok": 2}))
    assert await ask(running) == (200, '{"ok": 1}', "1")
    assert await ask(running) == (200, '{"ok": 2}', "1")


async def test_the_breaker_spares_a_provider_that_is_down(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    toml = "[server]\nbreaker_failures = 3\nbreaker_s = 60\n" + provider(upstream.url, retries=0)
    upstream.on("*", json_answer({"error": {"message": "down"}}, 500))
    async with run_gateway(tmp_path, toml) as running:
        assert [(await ask(running))[0] for _ in range(5)] == [500, 500, 500, 503, 503]
        assert len(upstream.requests) == 3
        async with running.client() as client:
            response = await client.post(CHAT, json={"model": "up:m", "messages": []})
    assert 0 < int(response.headers["retry-after"]) <= 60
    assert response.json()["error"]["code"] == "upstream_unavailable"


async def test_a_limit_is_respected_and_told(running: Running, upstream: ScriptedUpstream) -> None:
    slow_down = json_answer({"error": {"message": "slow down"}}, 429, {"retry-after": "30"})
    upstream.on("*", slow_down)
    assert [(await ask(running))[0] for _ in range(3)] == [429, 429, 429]
    assert len(upstream.requests) == 1
