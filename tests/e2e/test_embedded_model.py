"""The vendors' SDKs on the embedded model, which is real: what it says is never asserted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from e2e.callers import Callers, open_callers
from e2e.stage import PROTOCOLS, Stage

pytestmark = pytest.mark.local

MOST_TOKENS = 12


@pytest.fixture(scope="module")
def callers(stage: Stage, local_model: str) -> Iterator[Callers]:
    """Not strict: llama.cpp's answers lack members that the SDKs' models of them have, and they
    are relayed as they are."""
    with open_callers(stage, strict=False) as callers:
        yield callers


@pytest.mark.parametrize("caller", PROTOCOLS)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("prompt", ["Say hello.", "你好，你好吗？"])
def test_it_answers_in_every_protocol(
    callers: Callers, local_model: str, caller: str, streamed: bool, prompt: str
) -> None:
    told = callers.ask(caller, local_model, prompt, streamed, tools=False, max_tokens=MOST_TOKENS)
    assert told.text
    assert told.finish in {"stop", "length"}
    assert told.input + told.cached > 0
    assert 0 < told.output <= MOST_TOKENS


def test_messages_go_on(callers: Callers, local_model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": "My name is Ada."}]
    for question in ("What is my name?", "Spell it."):
        answer = callers.anthropic.messages.create(
            model=local_model, max_tokens=MOST_TOKENS, messages=messages, system="Be brief."
        )
        messages += [
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": question},
        ]
        assert answer.usage.output_tokens <= MOST_TOKENS


def test_stop_sequences(callers: Callers, local_model: str) -> None:
    told = callers.openai.chat.completions.create(
        model=local_model,
        messages=[{"role": "user", "content": "Count from 1 to 9."}],
        stop=["e", "a", "1", "2", " "],
        max_tokens=MOST_TOKENS,
    )
    assert told.choices[0].finish_reason in {"stop", "length"}
    assert not set("ea12 ") & set(told.choices[0].message.content or "")


def test_older_completions(callers: Callers, local_model: str) -> None:
    told = callers.openai.completions.create(
        model=local_model, prompt="Once upon", max_tokens=MOST_TOKENS
    )
    assert told.choices[0].text
    with callers.openai.completions.create(
        model=local_model, prompt="Once upon", max_tokens=MOST_TOKENS, stream=True
    ) as stream:
        assert "".join(chunk.choices[0].text for chunk in stream if chunk.choices)


def test_embeddings_in_the_sdks_own_base64(callers: Callers, local_model: str) -> None:
    """Its default asks for base64 and unpacks it; floats must be the same numbers."""
    packed = callers.openai.embeddings.create(model=local_model, input=["one", "two"])
    plain = callers.openai.embeddings.create(
        model=local_model, input=["one", "two"], encoding_format="float"
    )
    assert [entry.index for entry in packed.data] == [0, 1]
    for ours, theirs in zip(packed.data, plain.data, strict=True):
        assert ours.embedding == pytest.approx(theirs.embedding, abs=1e-3)


def test_tokens_are_counted(callers: Callers, local_model: str) -> None:
    prompt: Any = [{"role": "user", "content": "How many are these?"}]
    counted = callers.anthropic.messages.count_tokens(model=local_model, messages=prompt)
    used = callers.anthropic.messages.create(model=local_model, messages=prompt, max_tokens=1).usage
    assert counted.input_tokens == used.input_tokens + (used.cache_read_input_tokens or 0)
    counted_too = callers.openai.responses.input_tokens.count(model=local_model, input=prompt)
    assert counted_too.input_tokens > 0


def test_the_lists_of_models(callers: Callers, local_model: str) -> None:
    assert local_model in [model.id for model in callers.openai.models.list()]
    assert callers.openai.models.retrieve(local_model).owned_by == "HuggingFaceTB"
    assert local_model in [model.id for model in callers.anthropic.models.list(limit=2)]
    assert callers.anthropic.models.retrieve(local_model).display_name == "SmolLM2 135M Instruct"


def test_a_bound_that_only_larger_models_reach_is_lowered(
    callers: Callers, local_model: str
) -> None:
    answer = callers.anthropic.messages.with_raw_response.create(
        model=local_model,
        max_tokens=8000,
        messages=[{"role": "user", "content": "Say hello."}],
        stop_sequences=["e", "a", "i", "o", " "],
    )
    assert answer.headers["x-dragoman-dropped"] == "max_tokens"
