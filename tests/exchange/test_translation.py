"""exchange.translation: another protocol, its losses, its failures."""

from __future__ import annotations

from relaying import CHAT, post
from running_gateway import Running
from scripted_upstream import (
    ScriptedUpstream,
    json_answer,
)


async def test_another_protocol_is_translated(running: Running, upstream: ScriptedUpstream) -> None:
    message = {"role": "assistant", "content": "hello"}
    upstream.on(CHAT, json_answer({"choices": [{"message": message, "finish_reason": "stop"}]}))
    body = b'{"model":"two:m","max_tokens":9,"top_k":4,"messages":[{"role":"user","content":"hi"}]}'
    response = await post(running, "/v1/messages", body)
    assert response.json()["content"] == [{"type": "text", "text": "hello"}]
    assert response.headers["x-dragoman-translation"] == "messages->chat"
    assert response.headers["x-dragoman-dropped"] == "top_k"
    strict = await post(running, "/v1/messages", body, **{"x-dragoman-strict": "true"})
    assert strict.status_code == 400
    assert "`top_k`" in strict.json()["error"]["message"]
