"""Settings of other protocols' callers, as OpenAI's models take them."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import request, target

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.losses import Losses
from dragoman.wire.openai_responses.parameters import write_parameters

CHAT, MESSAGES, RESPONSES = Protocol.CHAT, Protocol.MESSAGES, Protocol.RESPONSES
OPENAI = target(RESPONSES, "gpt-5.1", genuine=True)
COPY = target(RESPONSES, "llama")


def write(
    protocol: Protocol = CHAT, to: Target = OPENAI, **fields: Any
) -> tuple[dict[str, Any], list[str]]:
    asked = request(protocol, **fields)
    losses = Losses(asked, RESPONSES)
    return write_parameters(asked, to, losses), [loss.path for loss in losses.result()]


def test_what_responses_has_not_is_recorded_or_refused() -> None:
    _, losses = write(top_k=3, seed=1, stop=("x",), frequency_penalty=0.5)
    assert losses == ["top_k", "frequency_penalty", "seed", "stop"]
    with pytest.raises(Untranslatable):
        write(n=2)
    assert "n" not in write(n=1)[0]


@pytest.mark.parametrize(
    ("cap", "to", "written"),
    [
        (100, OPENAI, 100),
        (1, OPENAI, 16),
        (1, COPY, 1),
        (10**6, target(RESPONSES, "gpt-5.1", genuine=True, max_output=128_000), 128_000),
    ],
)
def test_the_cap_fits_the_model(cap: int, to: Target, written: int) -> None:
    body, losses = write(MESSAGES, to, max_tokens=cap)
    assert body["max_output_tokens"] == written
    assert losses == ([] if cap == written else ["max_tokens"])


@pytest.mark.parametrize(
    ("reasoning", "model", "written", "lost"),
    [
        (ir.Reasoning(effort="high"), "gpt-5.1", {"effort": "high"}, False),
        (ir.Reasoning(effort="max"), "gpt-5.1", {"effort": "high"}, True),
        (ir.Reasoning(effort="minimal"), "gpt-5.1", {"effort": "low"}, True),
        (ir.Reasoning(budget=8000), "gpt-5.1", {"effort": "medium"}, False),
        (ir.Reasoning(mode=ir.ReasoningMode.OFF), "gpt-5.1", {"effort": "none"}, False),
        (ir.Reasoning(mode=ir.ReasoningMode.OFF), "gpt-5", {"effort": "minimal"}, True),
        (ir.Reasoning(mode=ir.ReasoningMode.OFF), "gpt-4.1", None, False),
        (ir.Reasoning(effort="high"), "gpt-4.1", None, True),
        (
            ir.Reasoning(mode=ir.ReasoningMode.ADAPTIVE, display="summarized"),
            "gpt-5.1",
            {"summary": "auto"},
            False,
        ),
        (
            ir.Reasoning(mode=ir.ReasoningMode.ON, budget=30000),
            "gpt-5.2",
            {"effort": "xhigh", "summary": "auto"},
            False,
        ),
    ],
)
def test_thinking_becomes_the_nearest_effort(
    reasoning: ir.Reasoning, model: str, written: dict[str, Any] | None, lost: bool
) -> None:
    to = target(RESPONSES, model, genuine=True)
    body, losses = write(MESSAGES, to, reasoning=reasoning)
    assert body.get("reasoning") == written
    assert losses == (["reasoning"] if lost else [])


def test_models_that_reason_take_no_sampling() -> None:
    body, losses = write(temperature=0.2, top_p=1)
    assert not body.keys() & {"temperature", "top_p"}
    assert losses == ["temperature"]
    off = ir.Reasoning(mode=ir.ReasoningMode.OFF)
    assert write(temperature=0.2, reasoning=off)[0]["temperature"] == 0.2
    assert write(to=COPY, temperature=0.2)[0]["temperature"] == 0.2


def test_fields_that_copies_lack_are_sent_to_openai_only() -> None:
    fields = {
        "verbosity": "low",
        "cache_key": "k",
        "safety_identifier": "s",
        "service_tier": "flex",
    }
    body, losses = write(**fields)
    assert body["text"] == {"verbosity": "low"}
    assert (body["prompt_cache_key"], body["safety_identifier"]) == ("k", "s")
    assert body["service_tier"] == "flex"
    assert losses == []
    body, losses = write(to=COPY, **fields)
    assert not body.keys() & {"text", "prompt_cache_key", "safety_identifier", "service_tier"}
    assert sorted(losses) == sorted(fields)


def test_tiers_have_openai_s_names() -> None:
    assert write(MESSAGES, service_tier="standard_only")[0]["service_tier"] == "default"
    assert write(MESSAGES, service_tier="cheap")[1] == ["service_tier"]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (ir.Format(), {"type": "json_object"}),
        (
            ir.Format(schema={"type": "object"}, strict=True, description="d"),
            {
                "type": "json_schema",
                "name": "answer",
                "schema": {"type": "object"},
                "description": "d",
                "strict": True,
            },
        ),
    ],
)
def test_structured_output_has_its_place(form: ir.Format, written: dict[str, Any]) -> None:
    assert write(format=form)[0]["text"] == {"format": written}


def test_log_probabilities_are_included() -> None:
    body, _ = write(logprobs=True, top_logprobs=2)
    assert "message.output_text.logprobs" in body["include"]
    assert body["top_logprobs"] == 2


@pytest.mark.parametrize(
    ("ttl", "model", "written", "lost"),
    [
        (None, "gpt-5.6", None, False),
        ("1h", "gpt-5.6", {"ttl": "12h"}, False),
        (None, "gpt-5", None, False),
        ("1h", "gpt-5", None, True),
    ],
)
def test_automatic_caching_is_openai_s_default(
    ttl: str | None, model: str, written: Any, lost: bool
) -> None:
    to = target(RESPONSES, model, genuine=True)
    body, losses = write(MESSAGES, to, cache=ir.Cache(ttl))
    assert body.get("prompt_cache_options") == written
    assert losses == (["cache"] if lost else [])


def test_what_chat_and_responses_share_goes_through_at_openai() -> None:
    extras = {"moderation": {"model": "m"}, "prediction": {"type": "content"}}
    body, losses = write(extras=extras)
    assert body["moderation"] == {"model": "m"}
    assert losses == ["prediction"]
    assert write(to=COPY, extras=extras)[1] == ["moderation", "prediction"]


def test_members_inside_objects_go_back_to_their_places() -> None:
    body, losses = write(
        RESPONSES,
        reasoning=ir.Reasoning(effort="low"),
        extras={"reasoning.context": "auto", "text.x": 1, "include": ["a.b"], "y": 2},
    )
    assert body["reasoning"] == {"effort": "low", "context": "auto"}
    assert body["text"] == {"x": 1}
    assert body["include"] == ["reasoning.encrypted_content", "a.b"]
    assert body["y"] == 2
    assert losses == []
