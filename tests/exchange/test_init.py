"""exchange: which exchange a request gets."""

from __future__ import annotations

import json

import pytest
from relaying import post
from running_gateway import Running
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman import ir
from dragoman.envelope import seal
from dragoman.protocols import Protocol


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
