"""memory: conversations that clients leave to the gateway, as the vendors' SDKs see them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from anthropic import beta_async_tool
from relaying import CHAT, post, relay_to
from running_gateway import KEY, Running
from scripted_upstream import Recorded, Script, ScriptedUpstream, json_answer, sse_answer

from dragoman.keys import Scope
from dragoman.store.database import Database

RESPONSES = "/v1/responses"
OTHER_KEY = "sk-test-another-0123456789"


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with relay_to(upstream, tmp_path) as gateway:
        yield gateway


@pytest.fixture
async def client(running: Running) -> AsyncGenerator[openai.AsyncOpenAI, None]:
    base_url = f"{running.url}/v1"
    async with openai.AsyncOpenAI(base_url=base_url, api_key=KEY, max_retries=0) as sdk:
        yield sdk


def say(text: str, **more: Any) -> Script:
    """A provider of Chat that answers `text`."""
    message = {"role": "assistant", "content": text, **more}
    reason = "tool_calls" if "tool_calls" in more else "stop"
    return json_answer({"choices": [{"index": 0, "message": message, "finish_reason": reason}]})


def stream(*texts: str) -> Script:
    chunks = [{"choices": [{"index": 0, "delta": {"content": text}}]} for text in texts]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return sse_answer(*chunks, end, done=True)


def messages(request: Recorded) -> list[tuple[str, Any]]:
    return [(each["role"], each["content"]) for each in request.json()["messages"]]


async def test_a_conversation_goes_on_by_the_id_of_its_last_answer(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Sunny."), say("Snowy."), say("Wet."))
    first = await client.responses.create(model="two:m", input="Weather?", instructions="Be brief.")
    second = await client.responses.create(
        model="two:m", input="And in winter?", previous_response_id=first.id
    )
    assert second.previous_response_id == first.id
    third = await client.responses.create(
        model="two:m",
        input=[{"role": "user", "content": "And in autumn?"}],
        previous_response_id=second.id,
    )
    assert third.output_text == "Wet."
    assert messages(upstream.requests[2]) == [
        ("user", "Weather?"),
        ("assistant", "Sunny."),
        ("user", "And in winter?"),
        ("assistant", "Snowy."),
        ("user", "And in autumn?"),
    ]


async def test_a_streamed_answer_is_remembered_before_its_last_event(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, stream("Sun", "ny."), say("Snowy."))
    async with client.responses.stream(model="two:m", input="Weather?") as events:
        first = await events.get_final_response()
    await client.responses.create(model="two:m", input="Why?", previous_response_id=first.id)
    assert ("assistant", "Sunny.") in messages(upstream.requests[1])


async def test_one_answer_can_be_gone_on_from_twice(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("One."), say("Two."), say("Three."))
    first = await client.responses.create(model="two:m", input="a")
    for text in ("b", "c"):
        await client.responses.create(model="two:m", input=text, previous_response_id=first.id)
        assert [content for _, content in messages(upstream.requests[-1])] == ["a", "One.", text]


async def test_a_tool_loop_by_ids(client: openai.AsyncOpenAI, upstream: ScriptedUpstream) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    upstream.on(CHAT, say("", tool_calls=[call]), say("Done."))
    tools: Any = [{"type": "function", "name": "f", "parameters": {}, "strict": False}]
    first = await client.responses.create(model="two:m", input="Go", tools=tools)
    (called,) = first.output
    output = {"type": "function_call_output", "call_id": called.call_id, "output": "7"}
    second = await client.responses.create(
        model="two:m", input=[output], tools=tools, previous_response_id=first.id
    )
    assert second.output_text == "Done."
    _, assistant, result = upstream.requests[1].json()["messages"]
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"x":1}'
    assert (result["role"], result["content"]) == ("tool", "7")
    assert result["tool_call_id"] == assistant["tool_calls"][0]["id"]


async def test_a_reference_to_an_item_of_an_answer(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Sunny."), say("Snowy."))
    first = await client.responses.create(model="two:m", input="Weather?")
    await client.responses.create(
        model="two:m",
        input=[
            {"role": "user", "content": "Weather?"},
            {"type": "item_reference", "id": first.output[0].id},
            {"role": "user", "content": "And in winter?"},
        ],
    )
    said = [content for _, content in messages(upstream.requests[1])]
    assert said == ["Weather?", "Sunny.", "And in winter?"]


async def test_what_nobody_remembers_is_refused(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Never."))
    for id in ("resp_" + "0" * 24, "resp_0123456789abcdef0123456789abcdef0123456789abcdef"):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="two:m", input="x", previous_response_id=id)
        assert caught.value.code == "previous_response_not_found"
    for lean in (
        {"conversation": "conv_1"},
        {"input": [{"type": "item_reference", "id": "msg_1"}]},
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(**{"model": "two:m", "input": "x", **lean})
        assert caught.value.code == "untranslatable"
    assert upstream.requests == []


async def test_what_is_not_to_be_stored_is_not(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Sunny."))
    first = await client.responses.create(model="two:m", input="Weather?", store=False)
    with pytest.raises(openai.BadRequestError, match="send the whole conversation"):
        await client.responses.create(model="two:m", input="x", previous_response_id=first.id)


async def test_another_key_s_conversations_do_not_exist(
    client: openai.AsyncOpenAI, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Secret."))
    first = await client.responses.create(model="two:m", input="Tell me.")
    issued = await running.gateway.keys.create("other", scopes=[Scope.INFERENCE])
    async with openai.AsyncOpenAI(base_url=f"{running.url}/v1", api_key=issued.secret) as other:
        with pytest.raises(openai.BadRequestError) as caught:
            await other.responses.create(model="two:m", input="x", previous_response_id=first.id)
        assert caught.value.code == "previous_response_not_found"
        with pytest.raises(openai.NotFoundError):
            await other.responses.retrieve(first.id)


async def test_memory_can_be_switched_off(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.on(CHAT, say("Sunny."))
    async with relay_to(upstream, tmp_path, "[memory]\nenabled = false\n") as running:
        first = await post(running, RESPONSES, b'{"model":"two:m","input":"x"}')
        body = {"model": "two:m", "input": "y", "previous_response_id": first.json()["id"]}
        second = await post(running, RESPONSES, json.dumps(body).encode())
        assert second.json()["error"]["code"] == "previous_response_not_found"


async def test_a_provider_s_own_ids_are_left_to_it(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on(RESPONSES, json_answer({"id": "resp_1", "object": "response", "output": []}))
    body = b'{"model":"m", "previous_response_id": "resp_68f0", "input": "x" }'
    response = await post(running, "/up/v1/responses", body)
    assert response.headers["x-dragoman-translation"] == "none"
    assert upstream.requests[0].body == body


async def test_a_native_provider_can_go_on_with_what_the_gateway_remembers(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Sunny."))
    item = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Snowy.", "annotations": []}],
    }
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": [item]}
    upstream.on(RESPONSES, json_answer(answer))
    first = await client.responses.create(model="two:m", input="Weather?")
    second = await client.responses.create(
        model="up:m", input="And in winter?", previous_response_id=first.id
    )
    assert second.output_text == "Snowy."
    sent = upstream.requests[1].json()
    assert "previous_response_id" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    assert first.id[5:] not in upstream.requests[1].body.decode()


async def test_losses_are_named_by_the_caller_s_own_places(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream, running: Running
) -> None:
    upstream.on(CHAT, say("Sunny."))
    first = await client.responses.create(model="two:m", input="Weather?")
    odd = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}
    body = {"model": "two:m", "previous_response_id": first.id, "input": [odd]}
    response = await post(running, RESPONSES, json.dumps(body).encode())
    assert response.headers["x-dragoman-dropped"] == "input.0"


async def test_a_count_includes_what_is_remembered(
    client: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("word " * 200))
    first = await client.responses.create(model="two:m", input="Say much.")
    alone = await client.responses.input_tokens.count(model="two:m", input="And?")
    whole = await client.responses.input_tokens.count(
        model="two:m", input="And?", previous_response_id=first.id
    )
    assert whole.input_tokens > alone.input_tokens + 200


async def test_anthropic_s_tool_runner_goes_on_without_its_thread(
    running: Running, upstream: ScriptedUpstream
) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    upstream.on(CHAT, say("", tool_calls=[call]), say("Two."))

    @beta_async_tool
    async def add() -> str:
        """Adds one and one."""
        return "2"

    async with anthropic.AsyncAnthropic(base_url=running.url, api_key=KEY, max_retries=0) as claude:
        runner = claude.beta.messages.tool_runner(
            model="two:m",
            max_tokens=100,
            tools=[add],
            messages=[{"role": "user", "content": "1+1?"}],
        )
        final = await runner.until_done()
    assert final.content[0].text == "Two."
    assert [role for role, _ in messages(upstream.requests[-1])] == ["user", "assistant", "tool"]


async def test_a_thread_is_refused_where_nobody_keeps_it(running: Running) -> None:
    body = {
        "model": "two:m",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "hi"}],
        "thread": {"type": "create"},
    }
    response = await post(running, "/v1/messages", json.dumps(body).encode())
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["details"] == {"error_code": "thread_unsupported_request"}


async def test_a_database_that_fails_fails_no_request(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, say("Sunny."))
    running.gateway.memory.store._database = await _closed(running.gateway.store.database)
    response = await post(running, RESPONSES, b'{"model":"two:m","input":"x"}')
    assert response.json()["output"][0]["content"][0]["text"] == "Sunny."


async def _closed(database: Database) -> Any:
    """A database in whose place nothing can be opened."""
    broken = object.__new__(Database)
    broken.__dict__ |= database.__dict__
    broken.__dict__["_writer"] = _NoDatabase()
    return broken


class _NoDatabase:
    def begin(self) -> Any:
        raise OSError(5, "Input/output error")
