"""http.remembered: looking at what the gateway remembers, and forgetting it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import openai
import pytest
from relaying import CHAT, relay_to
from running_gateway import KEY, Running
from scripted_upstream import ScriptedUpstream, json_answer

MESSAGE = {"role": "assistant", "content": "Sunny."}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with ScriptedUpstream() as upstream, relay_to(upstream, tmp_path) as gateway:
        upstream.on(CHAT, json_answer({"choices": [{"message": MESSAGE, "finish_reason": "stop"}]}))
        yield gateway


@pytest.fixture
async def client(running: Running) -> AsyncGenerator[openai.AsyncOpenAI, None]:
    async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=KEY) as sdk:
        yield sdk


async def test_an_answer_can_be_looked_at(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model="two:m", input="Weather?")
    found = await client.responses.retrieve(made.id)
    assert found == made
    assert found.output_text == "Sunny."


async def test_an_answer_can_be_forgotten(client: openai.AsyncOpenAI, running: Running) -> None:
    made = await client.responses.create(model="two:m", input="Weather?")
    async with running.client() as http:
        gone = await http.delete(f"/v1/responses/{made.id}")
    assert gone.json() == {"id": made.id, "object": "response", "deleted": True}
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.delete(made.id)
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model="two:m", input="x", previous_response_id=made.id)


async def test_it_takes_a_key_and_the_right_method(running: Running) -> None:
    path = f"/v1/responses/resp_{'0' * 24}"
    async with running.client(key=None) as stranger:
        assert (await stranger.get(path)).status_code == 401
    async with running.client() as http:
        refused = await http.put(path)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, DELETE")
        missing = await http.get(path)
        assert missing.json()["error"]["code"] == "not_found"
        assert missing.headers["x-request-id"]
