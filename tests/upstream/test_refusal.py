"""upstream.refusal: a provider's error, whole and without secrets."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from relaying import CHAT, post, relay_to
from running_gateway import Running
from scripted_upstream import (
    ScriptedUpstream,
    answer,
    json_answer,
)


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with relay_to(upstream, tmp_path) as gateway:
        yield gateway


@pytest.mark.parametrize("status", [400, 404, 413, 422, 429, 500, 503, 529])
async def test_an_error_of_the_provider_comes_through(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    error = {"error": {"message": "no, because", "type": "t", "code": "c", "param": "p", "new": 1}}
    upstream.on("*", json_answer(error, status, {"retry-after": "7", "x-ratelimit-reset": "9"}))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == status
    assert response.json() == error
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-ratelimit-reset"] == "9"


async def test_an_error_of_another_shape_is_put_into_the_callers(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", answer(b"<h1>Bad gateway</h1>", 502, {"content-type": "text/html"}))
    response = await post(running, "/v1/messages", b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert response.json()["type"] == "error"
    assert response.json()["error"] == {"type": "api_error", "message": "Bad gateway"}


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_name_the_provider(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    told = {"error": {"message": "Incorrect API key: sk-upstream-secret-0123456789", "code": "bad"}}
    upstream.on("*", json_answer(told, status))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == status
    message = response.json()["error"]["message"]
    assert "`up` refused the gateway's credentials" in message
    assert "sk-upstream-secret-0123456789" not in message


async def test_a_redirect_is_not_followed(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", answer(b"", 307, {"location": f"{upstream.url}/elsewhere"}))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert "redirect" in response.json()["error"]["message"]
    assert len(upstream.requests) == 1


async def test_a_prompt_that_does_not_fit_is_told_in_the_caller_s_words(
    running: Running, upstream: ScriptedUpstream
) -> None:
    message = "This model's maximum context length is 4096 tokens. However, you requested 5000."
    told = {"error": {"message": message, "type": "BadRequestError", "code": 400}}
    upstream.on("*", json_answer(told, 400))
    chat = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert chat.status_code == 400
    assert chat.json()["error"]["code"] == "context_length_exceeded"
    body = b'{"model":"two:m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'
    messages = await post(running, "/v1/messages", body)
    assert messages.json()["error"] == {
        "type": "invalid_request_error",
        "message": "prompt is too long: 5000 tokens > 4096 maximum",
    }
