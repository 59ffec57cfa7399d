"""exchange.barrier: a stream is shown when its answer has begun, and not sooner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from relaying import CHAT, post
from running_gateway import Running
from scripted_upstream import (
    Close,
    Gate,
    Reset,
    ScriptedUpstream,
    Stall,
    Step,
    chunk,
    head,
    json_answer,
    script,
    sse_answer,
)

from dragoman import sse
from dragoman.exchange import barrier
from dragoman.exchange.barrier import hold_back
from dragoman.protocols import CHAT as CHAT_OPERATION
from dragoman.usage import Entry

ROLE = {"choices": [{"delta": {"role": "assistant", "content": ""}}]}
TEXT = {"choices": [{"delta": {"content": "x"}, "finish_reason": "stop"}]}
STARTED = {"type": "message_start", "message": {"usage": {"input_tokens": 3}}}
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
ASK = b'{"model":"two:m","messages":[],"stream":true}'
ASK_UP = ASK.replace(b"two:m", b"up:m")


def make_entry() -> Entry:
    return Entry("id", CHAT_OPERATION)


class Pieces:
    """A stream of `pieces` that ends in `error`, if any."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.closed = False

    async def stream(self) -> AsyncGenerator[bytes, None]:
        try:
            for piece in self.pieces:
                yield piece
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


async def test_the_stream_goes_on_behind_what_was_held() -> None:
    stream = Pieces(b"a", b"b", b"c", b"d").stream()
    assert await hold_back(stream, lambda piece: piece == b"b", make_entry()) == b"ab"
    assert [piece async for piece in stream] == [b"c", b"d"]


async def test_a_stream_that_never_begins_is_held_to_its_end() -> None:
    stream = Pieces(b"a", b"b").stream()
    assert await hold_back(stream, lambda _: False, make_entry()) == b"ab"
    assert [piece async for piece in stream] == []


async def test_a_failure_closes_the_stream() -> None:
    pieces = Pieces(b"a", error=ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await hold_back(pieces.stream(), lambda _: False, make_entry())
    assert pieces.closed


async def test_nothing_is_held_once_the_client_was_told() -> None:
    entry = make_entry()
    entry.status = 200
    assert await hold_back(Pieces(b"a", b"b").stream(), lambda _: False, entry) == b"a"


async def test_what_is_held_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(barrier, "_MOST_HELD", 3)
    stream = Pieces(b"aa", b"bb", b"cc").stream()
    assert await hold_back(stream, lambda _: False, make_entry()) == b"aabb"


async def test_what_a_keep_alive_has_shown_is_not_shown_again() -> None:
    entry = make_entry()

    def has_begun(piece: bytes) -> bool:
        if piece == b"b":
            assert entry.held == b"ab"
            entry.held.clear()
        return piece == b"c"

    assert await hold_back(Pieces(b"a", b"b", b"c").stream(), has_begun, entry) == b"c"
    assert not entry.held


@pytest.mark.parametrize("ending", [(chunk(b""),), (Close(),), (Reset(),)])
async def test_a_stream_that_ends_at_its_greeting_is_tried_elsewhere(
    ending: tuple[Step, ...], running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(ROLE, *ending), sse_answer(ROLE, TEXT, done=True))
    response = await post(running, CHAT, ASK)
    assert response.status_code == 200
    assert response.headers["x-dragoman-attempts"] == "2"
    assert response.text.count('"role"') == 1
    assert response.text.endswith("data: [DONE]\n\n")


async def test_an_early_error_event_is_tried_elsewhere(
    running: Running, upstream: ScriptedUpstream
) -> None:
    failed = sse_answer(ROLE, {"error": {"message": "busy", "code": 503}})
    upstream.on("*", failed, sse_answer(ROLE, TEXT, done=True))
    response = await post(running, CHAT, ASK)
    assert (response.status_code, response.headers["x-dragoman-attempts"]) == (200, "2")
    assert "busy" not in response.text


async def test_an_early_error_event_keeps_its_true_status(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(STARTED, OVERLOADED))
    response = await post(running, "/v1/messages", ASK_UP)
    assert response.status_code == 529
    assert response.headers["content-type"] == "application/json"
    assert response.json() == OVERLOADED


async def test_a_translated_early_error_is_in_the_callers_shape(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(ROLE, {"error": {"message": "busy", "code": 503}}))
    response = await post(running, "/v1/messages", ASK)
    assert response.status_code == 503
    assert response.json()["type"] == "error"
    assert response.json()["error"] == {"type": "overloaded_error", "message": "busy"}


async def test_usage_of_a_failed_attempt_is_not_the_answers(
    running: Running, upstream: ScriptedUpstream
) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 2}
    failed = sse_answer({"choices": [], "usage": {"prompt_tokens": 90}}, Close())
    upstream.on("*", failed, sse_answer(TEXT, {"choices": [], "usage": usage}, done=True))
    await post(running, CHAT, ASK)
    assert running.gateway.totals.input_tokens == 5


async def test_the_greeting_is_held_until_the_answer_begins(
    running: Running, upstream: ScriptedUpstream
) -> None:
    gate = Gate()
    upstream.on("*", sse_answer(ROLE, gate, TEXT, done=True))
    async with running.client() as client:
        request = client.build_request("POST", CHAT, content=ASK)
        asking = asyncio.create_task(client.send(request, stream=True))
        await gate.reached()
        await asyncio.sleep(0.05)
        assert not asking.done()
        gate.open()
        response = await asking
        told = [json.loads(line[6:]) async for line in response.aiter_lines() if "{" in line]
        await response.aclose()
    assert told == [ROLE, TEXT]


async def test_a_client_that_leaves_at_the_greeting_stops_the_provider(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(ROLE, Stall()))
    async with running.client() as client:
        asking = asyncio.create_task(client.post(CHAT, content=ASK))
        request = await upstream.request()
        asking.cancel()
        await asyncio.wait([asking])
    await asyncio.wait_for(request.closed(), 5)


async def test_a_whole_answer_that_breaks_off_is_tried_elsewhere(
    running: Running, upstream: ScriptedUpstream
) -> None:
    broken = script(head(200, {"content-length": "100"}) + b'{"half"', Close())
    upstream.on("*", broken, json_answer({"ok": 1}))
    response = await post(running, CHAT, ASK.replace(b',"stream":true', b""))
    assert response.json() == {"ok": 1}


@pytest.mark.parametrize("path", [CHAT, "/v1/messages"])
async def test_an_event_without_an_end_is_a_death(
    path: str, running: Running, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "LONGEST_EVENT", 50_000)
    upstream.on("*", sse_answer(TEXT, *[b"data: " + b"x" * 9_000] * 8, Stall()))
    response = await post(running, path, ASK)
    assert "sent an event without an end" in response.text
    await asyncio.wait_for(upstream.requests[0].closed(), 5)
