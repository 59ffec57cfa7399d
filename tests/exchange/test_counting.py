"""exchange.counting: the provider's count where it has one, else the gateway's, marked as such."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import anthropic
import openai
import pytest
from google import genai
from google.genai.types import HttpOptions
from relaying import post
from running_gateway import KEY, Running
from scripted_upstream import Recorded, Script, ScriptedUpstream, json_answer

COUNT = "/v1/messages/count_tokens"
INPUT = "/v1/responses/input_tokens"
ESTIMATE = "x-dragoman-estimate"
ASK: Any = [{"role": "user", "content": "How many tokens is this?"}]


def body(model: str, **more: Any) -> bytes:
    return json.dumps({"model": model, "messages": ASK, **more}).encode()


async def test_a_provider_that_counts_is_asked(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"input_tokens": 4711}))
    response = await post(running, COUNT, body("up:m"))
    assert response.json() == {"input_tokens": 4711}
    assert ESTIMATE not in response.headers
    assert upstream.requests[0].path == COUNT
    assert upstream.requests[0].json() == {"model": "m", "messages": ASK}


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_copy_without_counting_is_stood_in_for(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"error": "no such path"}, status))
    response = await post(running, COUNT, body("up:m"))
    assert response.status_code == 200
    assert 8 < response.json()["input_tokens"] < 30
    assert response.headers[ESTIMATE] == "true"
    assert response.headers["x-dragoman-provider"] == "up"


@pytest.mark.parametrize("status", [400, 401, 429])
async def test_other_refusals_of_a_count_are_told(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"error": {"message": "no"}}, status))
    assert (await post(running, COUNT, body("up:m"))).status_code == status


async def test_a_provider_of_another_protocol_is_not_asked(
    running: Running, upstream: ScriptedUpstream
) -> None:
    response = await post(running, COUNT, body("two:m", tools=[]))
    assert response.headers[ESTIMATE] == "true"
    assert response.headers["x-dragoman-translation"] == "none"
    assert (response.headers["x-dragoman-provider"], response.headers["x-dragoman-model"]) == (
        "two",
        "m",
    )
    assert upstream.requests == []


async def test_a_count_of_an_alias_is_for_its_first_target(
    running: Running, upstream: ScriptedUpstream
) -> None:
    response = await post(running, COUNT, body("smart"))
    assert response.headers["x-dragoman-provider"] == "dead"
    assert upstream.requests == []


async def test_two_dozen_at_once_as_claude_code_sends_them(running: Running) -> None:
    async def count(number: int) -> int:
        text = "word " * number
        ask = {"model": "two:m", "tools": [], "messages": [{"role": "user", "content": text}]}
        return (await post(running, f"{COUNT}?beta=true", json.dumps(ask).encode())).json()[
            "input_tokens"
        ]

    counts = await asyncio.gather(*(count(number) for number in range(1, 25)))
    assert counts == sorted(counts)
    assert counts[-1] - counts[0] == pytest.approx(23, abs=1)


async def test_a_bad_request_is_refused_as_in_any_other_place(running: Running) -> None:
    assert (await post(running, COUNT, b'{"model":"two:m"}')).status_code == 400
    odd = await post(running, COUNT, b'{"model":"two:m","messages":[1]}')
    assert odd.json()["error"]["type"] == "invalid_request_error"


async def test_a_conversation_that_is_remembered_elsewhere_is_not_counted(
    running: Running,
) -> None:
    ask = {"model": "two:m", "input": "x", "conversation": "conv_1"}
    response = await post(running, INPUT, json.dumps(ask).encode())
    assert response.json()["error"]["code"] == "untranslatable"


async def test_the_vendors_sdks_understand_the_counts(
    running: Running, upstream: ScriptedUpstream
) -> None:
    async with anthropic.AsyncAnthropic(base_url=running.url, api_key=KEY) as claude:
        counted = await claude.messages.count_tokens(model="two:m", messages=ASK)
        assert counted.input_tokens > 8
    async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=KEY) as client:
        told = await client.responses.input_tokens.count(model="two:m", input="How many?")
        assert (told.object, told.input_tokens > 5) == ("response.input_tokens", True)
    assert upstream.requests == []


@pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")
async def test_google_s_sdk_too(running: Running, upstream: ScriptedUpstream) -> None:
    def native(request: Recorded) -> Script:
        assert request.path == "/v1beta/models/m:countTokens"
        return json_answer({"totalTokens": 99})

    upstream.on("*", native)
    options = HttpOptions(base_url=running.url)
    async with genai.Client(api_key=KEY, http_options=options).aio as client:
        local = await client.models.count_tokens(model="two:m", contents="How many?")
        asked = await client.models.count_tokens(model="up:m", contents="How many?")
    assert local.total_tokens is not None
    assert 5 < local.total_tokens < 20
    assert asked.total_tokens == 99
