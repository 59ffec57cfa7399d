"""What the real model's process answers in each protocol; never which words, or how fast."""

import json
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from local.children import is_running

import dragoman
from dragoman.errors import UpstreamDied
from dragoman.local.models import BUILTIN_ID, LocalModelFile, find_builtin, has_engine
from dragoman.local.process import LocalModels, State

pytestmark = [pytest.mark.local, pytest.mark.asyncio(loop_scope="module")]

PROMPT = {"model": BUILTIN_ID, "messages": [{"role": "user", "content": "Say hello."}]}
CHAT = PROMPT | {"max_tokens": 4}
COMPLETION = {"model": BUILTIN_ID, "prompt": "Once upon", "max_tokens": 4}
RESPONSE = {"model": BUILTIN_ID, "input": "Say hello.", "max_output_tokens": 4}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def models(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalModels]:
    """A manager of the real model, whose one process all these tests share."""
    model = find_builtin(tmp_path_factory.mktemp("data"))
    if model is None or not has_engine():
        pytest.skip("the embedded model is not installed")
    with pytest.MonkeyPatch.context() as patch:
        source = str(Path(dragoman.__file__).parents[1])
        patch.setenv("PYTHONPATH", source, prepend=os.pathsep)
        models = LocalModels([model])
        yield models
        await models.aclose()


async def _post(
    models: LocalModels, path: str, body: object, key: str | None = None
) -> tuple[int, str]:
    async with (
        models.use(BUILTIN_ID) as endpoint,
        aiohttp.ClientSession() as session,
        session.post(
            endpoint.base_url + path,
            data=body if isinstance(body, str) else json.dumps(body),
            headers={"authorization": f"Bearer {key or endpoint.api_key}"},
        ) as response,
    ):
        return response.status, await response.text()


async def _answer(models: LocalModels, path: str, body: object) -> dict[str, object]:
    status, text = await _post(models, path, body)
    assert status == 200, text
    return json.loads(text)


async def _events(models: LocalModels, path: str, body: dict[str, object]) -> list[str]:
    """The data of a stream's events, each of which is one line here."""
    status, text = await _post(models, path, body | {"stream": True})
    assert status == 200, text
    return [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]


async def test_chat(models: LocalModels) -> None:
    answer = await _answer(models, "/chat/completions", CHAT)
    assert answer["object"] == "chat.completion"
    assert answer["model"] == BUILTIN_ID
    assert answer["choices"][0]["message"]["role"] == "assistant"
    assert answer["usage"]["completion_tokens"] <= 4


async def test_an_answer_without_a_bound_ends(builtin: LocalModelFile) -> None:
    """The engine would go on until the context is full; a bound of the request's own counts."""
    endless = PROMPT | {"ignore_eos": True}
    bounded = LocalModels([replace(builtin, answer=16)])
    answers = [
        await _answer(bounded, "/chat/completions", endless | bound)
        for bound in ({}, {"max_tokens": 20})
    ]
    await bounded.aclose()
    assert [answer["choices"][0]["finish_reason"] for answer in answers] == ["length", "length"]
    assert [answer["usage"]["completion_tokens"] for answer in answers] == [16, 20]


async def test_chat_streamed(models: LocalModels) -> None:
    body = CHAT | {"stream_options": {"include_usage": True}}
    *chunks, done = await _events(models, "/chat/completions", body)
    assert done == "[DONE]"
    assert json.loads(chunks[0])["object"] == "chat.completion.chunk"
    assert json.loads(chunks[-2])["choices"][0]["finish_reason"] in {"stop", "length"}
    assert json.loads(chunks[-1])["usage"]["prompt_tokens"] > 0


async def test_completions(models: LocalModels) -> None:
    answer = await _answer(models, "/completions", COMPLETION)
    assert answer["object"] == "text_completion"
    assert isinstance(answer["choices"][0]["text"], str)


async def test_completions_streamed(models: LocalModels) -> None:
    *chunks, done = await _events(models, "/completions", COMPLETION)
    assert done == "[DONE]"
    assert json.loads(chunks[-1])["choices"][0]["finish_reason"] in {"stop", "length"}


async def test_responses(models: LocalModels) -> None:
    answer = await _answer(models, "/responses", RESPONSE)
    assert answer["object"] == "response"
    assert answer["output"][0]["content"][0]["type"] == "output_text"
    assert answer["usage"]["output_tokens"] <= 4


async def test_responses_streamed(models: LocalModels) -> None:
    events = [json.loads(event) for event in await _events(models, "/responses", RESPONSE)]
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    deltas = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
    assert "".join(deltas) == events[-1]["response"]["output"][0]["content"][0]["text"]


async def test_responses_input_tokens(models: LocalModels) -> None:
    answer = await _answer(models, "/responses/input_tokens", RESPONSE)
    assert answer["input_tokens"] > 0


async def test_messages(models: LocalModels) -> None:
    answer = await _answer(models, "/messages", CHAT)
    assert answer["type"] == "message"
    assert answer["content"][0]["type"] == "text"
    assert answer["stop_reason"] in {"end_turn", "max_tokens"}


async def test_messages_streamed(models: LocalModels) -> None:
    events = [json.loads(event)["type"] for event in await _events(models, "/messages", CHAT)]
    assert events[:2] == ["message_start", "content_block_start"]
    assert events[-3:] == ["content_block_stop", "message_delta", "message_stop"]


async def test_count_tokens_agrees_with_what_a_message_uses(models: LocalModels) -> None:
    counted = await _answer(models, "/messages/count_tokens", PROMPT)
    usage = (await _answer(models, "/messages", CHAT))["usage"]
    assert counted["input_tokens"] == usage["input_tokens"] + usage["cache_read_input_tokens"]


async def test_embeddings(models: LocalModels) -> None:
    long = "word " * 520  # more tokens than the engine takes in one batch
    body = {"model": BUILTIN_ID, "input": ["short", long]}
    data = (await _answer(models, "/embeddings", body))["data"]
    assert [entry["index"] for entry in data] == [0, 1]
    assert len(data[0]["embedding"]) == len(data[1]["embedding"]) > 0


@pytest.mark.parametrize("path", ["/chat/completions", "/messages", "/models"])
async def test_without_the_key_nobody_is_served(models: LocalModels, path: str) -> None:
    assert (await _post(models, path, CHAT, key="guess"))[0] == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", "{"),
        ("/chat/completions", {"model": BUILTIN_ID}),
        ("/chat/completions", CHAT | {"temperature": "hot"}),
        ("/responses", RESPONSE | {"previous_response_id": "resp_1"}),
        ("/messages", "{"),
        ("/messages", CHAT | {"messages": [{"role": "user", "content": "a b c d " * 3000}]}),
        ("/messages", CHAT | {"messages": [{"role": "user", "content": "word " * 9000}]}),
    ],
)
async def test_a_bad_request_is_refused_and_the_process_lives_on(
    models: LocalModels, path: str, body: object
) -> None:
    status, text = await _post(models, path, body)
    assert status == 400
    assert json.loads(text)["error"]["message"]
    assert models.status()[0].state is State.READY


async def test_no_web_page_is_let_in(models: LocalModels) -> None:
    async with (
        models.use(BUILTIN_ID) as endpoint,
        aiohttp.ClientSession() as session,
        session.options(f"{endpoint.base_url}/models", headers={"origin": "http://a"}) as answer,
    ):
        assert answer.headers.get("access-control-allow-origin", "") == ""


async def _kill_during_a_stream(models: LocalModels) -> None:
    """Kills the process after the first bytes of a long answer, and reads on as a relay does."""
    async with (
        models.use(BUILTIN_ID) as endpoint,
        aiohttp.ClientSession() as session,
        session.post(
            f"{endpoint.base_url}/chat/completions",
            json=PROMPT | {"stream": True, "ignore_eos": True},
            headers={"authorization": f"Bearer {endpoint.api_key}"},
        ) as response,
    ):
        await response.content.readany()
        os.kill(models.status()[0].pid or 0, signal.SIGKILL)
        try:
            while await response.content.readany():
                pass
        except aiohttp.ClientError as error:
            raise UpstreamDied("The answer broke off.") from error


async def test_a_killed_process_costs_its_request_and_no_other(models: LocalModels) -> None:
    with pytest.raises(UpstreamDied, match=r"Local model smollm2-135m broke off: .*SIGKILL"):
        await _kill_during_a_stream(models)
    assert models.status()[0].state is State.FAILED
    await _answer(models, "/chat/completions", CHAT)
    pid = models.status()[0].pid
    assert pid is not None
    assert is_running(pid)
