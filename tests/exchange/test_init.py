"""exchange: which exchange a request gets."""

from __future__ import annotations

import asyncio
import json

import pytest
from relaying import post
from running_gateway import Running
from scripted_upstream import ScriptedUpstream, Stall, json_answer, sse_answer

from dragoman import ir
from dragoman.envelope import seal
from dragoman.protocols import Protocol
from dragoman.usage import Entry


async def test_what_nothing_can_stand_in_for_is_refused_in_clear_words(running: Running) -> None:
    response = await post(running, "/v1/embeddings", b'{"model":"dead:m","input":"x"}')
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unsupported_provider_type"
    assert "`dead`" in response.json()["error"]["message"]


@pytest.mark.parametrize(("maker", "kept"), [("up", True), ("elsewhere", False)])
async def test_state_that_was_sealed_here_reaches_only_its_maker(
    maker: str, kept: bool, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({}, 500))
    sealed = seal(ir.Sealed("the-signature", ir.Origin(maker, Protocol.MESSAGES)))
    thinking = {"type": "thinking", "thinking": "hm", "signature": sealed}
    body = {
        "model": "up:m",
        "max_tokens": 9,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [thinking, {"type": "text", "text": "Ho"}]},
            {"role": "user", "content": "Go on"},
        ],
    }
    response = await post(running, "/v1/messages", json.dumps(body).encode())
    sent = upstream.requests[0]
    assert sent.path == "/v1/messages"
    assert sealed not in sent.body.decode()
    assert ("the-signature" in sent.body.decode()) is kept
    assert ("x-dragoman-dropped" in response.headers) is not kept


START = {
    "type": "message_start",
    "message": {"id": "1", "content": [], "usage": {"input_tokens": 3, "output_tokens": 0}},
}
FINISH = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("model", ["up:m", "two:m"])
async def test_a_client_that_hangs_up_on_the_last_event_has_its_whole_answer(
    model: str,
    running: Running,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Codex does so; the provider's stream need not have ended yet."""
    upstream.on("/v1/messages", sse_answer(START, {"type": "message_stop"}, Stall()))
    upstream.on("/v1/chat/completions", sse_answer(FINISH, "[DONE]", Stall()))
    finished: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(running.gateway, "finish", finished.set_result)
    body = {"model": model, "max_tokens": 9, "stream": True, "messages": []}
    async with running.client() as client, client.stream("POST", "/v1/messages", json=body) as got:
        async for line in got.aiter_lines():
            if "message_stop" in line:
                break
    entry = await asyncio.wait_for(finished, 5)
    assert (entry.status, entry.error, entry.code) == (200, None, None)
