"""exchange.outgoing: the request's place and its headers."""

from __future__ import annotations

from relaying import post
from running_gateway import Running
from scripted_upstream import (
    ScriptedUpstream,
    json_answer,
)


async def test_gemini_keeps_the_model_in_the_path(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"candidates": []}))
    body = b'{ "contents": [] }'
    await post(running, "/v1beta/models/up:a%2Fb:generateContent?alt=json&key=secret", body)
    request = upstream.requests[0]
    assert request.target == "/v1beta/models/a%2Fb:generateContent?alt=json"
    assert request.body == body
    assert request.header("x-goog-api-key") == "sk-upstream-secret-0123456789"


async def test_the_provider_in_the_path_takes_a_bare_model(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({}))
    response = await post(running, "/up/v1/messages?beta=true", b'{"model":"m","messages":[]}')
    assert response.status_code == 200
    assert upstream.requests[0].target == "/v1/messages?beta=true"
    assert upstream.requests[0].body == b'{"model":"m","messages":[]}'


async def test_credentials_are_exchanged(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({}))
    await post(
        running,
        "/v1/messages",
        b'{"model":"up:m","messages":[]}',
        **{"x-api-key": running.key, "cookie": "a=b", "anthropic-beta": "new-thing"},
    )
    request = upstream.requests[0]
    assert running.key not in request.raw_head.decode()
    assert request.header("cookie") is None
    assert request.header("anthropic-beta") == "new-thing"
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.header("x-team") == "a"
    assert request.header("x-api-key") == "sk-upstream-secret-0123456789"
