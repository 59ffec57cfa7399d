"""Caps, sampling, thinking and formats, as each generation of models takes them."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import request, target

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.gemini.parameters import write_parameters
from dragoman.wire.losses import Losses

GEMINI = Protocol.GEMINI


def write(
    caller: Protocol = Protocol.CHAT, to: Target | None = None, **more: Any
) -> tuple[dict[str, Any], list[str]]:
    asked = request(caller, **more)
    losses = Losses(asked, GEMINI)
    body = write_parameters(asked, to or target(GEMINI, genuine=True), losses)
    return body, [loss.path for loss in losses.found]


def think(model: str, **asked: Any) -> tuple[dict[str, Any], list[str]]:
    more = {"max_tokens": asked.pop("max_tokens", None)}
    body, lost = write(to=target(GEMINI, model), reasoning=ir.Reasoning(**asked), **more)
    return body.get("generationConfig", {}).get("thinkingConfig", {}), lost


def test_sampling_is_carried() -> None:
    body, lost = write(
        temperature=0.5,
        top_p=0.9,
        top_k=7,
        seed=1,
        n=2,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        stop=("END",),
        max_tokens=9,
    )
    assert body == {
        "generationConfig": {
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 7,
            "candidateCount": 2,
            "seed": 1,
            "presencePenalty": 0.1,
            "frequencyPenalty": 0.2,
            "responseLogprobs": True,
            "logprobs": 3,
            "maxOutputTokens": 9,
            "stopSequences": ["END"],
        }
    }
    assert lost == []


def test_a_cap_is_clamped_to_the_models_limit() -> None:
    body, lost = write(to=target(GEMINI, max_output=8192), max_tokens=128000)
    assert body["generationConfig"]["maxOutputTokens"] == 8192
    assert lost == ["max_tokens"]


def test_only_five_stop_sequences_are_taken() -> None:
    body, lost = write(stop=tuple("abcdef"))
    assert body["generationConfig"]["stopSequences"] == list("abcde")
    assert lost == ["stop"]


def test_several_answers_cannot_be_streamed() -> None:
    with pytest.raises(Untranslatable):
        write(stream=True, n=2)


@pytest.mark.parametrize(
    ("tier", "written", "lost"),
    [
        ("auto", None, []),
        ("default", "standard", []),
        ("standard_only", "standard", []),
        ("flex", "flex", []),
        ("priority", "priority", []),
        ("scale", None, ["service_tier"]),
    ],
)
def test_service_tiers(tier: str, written: str | None, lost: list[str]) -> None:
    body, found = write(service_tier=tier)
    assert (body.get("serviceTier"), found) == (written, lost)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verbosity", "low"),
        ("cache_key", "k"),
        ("cache", ir.Cache()),
        ("user", "u"),
        ("safety_identifier", "s"),
        ("metadata", {"a": "b"}),
        ("store", True),
    ],
)
def test_what_gemini_does_not_have_is_recorded(field: str, value: Any) -> None:
    assert write(**{field: value}) == ({}, [field])


def test_a_schema_goes_as_it_is_to_google_and_in_the_dialect_elsewhere() -> None:
    schema = {"type": "object", "properties": {"a": {"const": "x"}}, "additionalProperties": False}
    json_mode = {"responseMimeType": "application/json"}
    body, lost = write(format=ir.Format(schema=schema, name="n", strict=True))
    assert body["generationConfig"] == {**json_mode, "responseJsonSchema": schema}
    assert lost == []
    body, lost = write(
        to=target(GEMINI),
        format=ir.Format(schema=schema),
        names={"format": "response_format"},
    )
    dialect = {"type": "OBJECT", "properties": {"a": {"type": "STRING", "enum": ["x"]}}}
    assert body["generationConfig"] == {**json_mode, "responseSchema": dialect}
    assert lost == ["response_format.additionalProperties"]
    assert write(format=ir.Format())[0]["generationConfig"] == json_mode


@pytest.mark.parametrize(
    ("model", "asked", "written", "lost"),
    [
        ("gemini-3-pro", {"effort": "low"}, {"thinkingLevel": "LOW"}, False),
        ("gemini-3-pro", {"effort": "medium"}, {"thinkingLevel": "HIGH"}, True),
        ("gemini-3-flash", {"effort": "minimal"}, {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-3.8-flash", {"effort": "minimal"}, {"thinkingLevel": "LOW"}, True),
        ("gemini-3.8-flash", {"effort": "max"}, {"thinkingLevel": "HIGH"}, True),
        ("gemini-3-flash", {"mode": "on", "budget": 2000}, {"thinkingLevel": "LOW"}, False),
        ("gemini-3-flash", {"mode": "adaptive"}, {}, False),
        ("gemini-2.5-pro", {"effort": "high"}, {"thinkingBudget": 24576}, False),
        ("gemini-2.5-flash", {"mode": "on", "budget": 99999}, {"thinkingBudget": 24576}, True),
        ("gemini-2.5-flash", {"mode": "adaptive"}, {"thinkingBudget": -1}, False),
        (
            "gemini-2.5-flash",
            {"effort": "high", "max_tokens": 4000},
            {"thinkingBudget": 3000},
            False,
        ),
        (
            "gemini-2.5-flash",
            {"mode": "on", "budget": 3999, "max_tokens": 4000},
            {"thinkingBudget": 3999},
            False,
        ),
        (
            "gemini-2.5-pro",
            {"effort": "low", "max_tokens": 100},
            {"thinkingBudget": 128},
            True,
        ),
    ],
)
def test_thinking(model: str, asked: dict[str, Any], written: dict[str, Any], lost: bool) -> None:
    assert think(model, **asked) == (
        {**written, "includeThoughts": True},
        ["reasoning"] if lost else [],
    )


@pytest.mark.parametrize(
    ("model", "written", "lost"),
    [
        ("gemini-2.5-flash", {"thinkingBudget": 0}, False),
        ("gemini-2.5-pro", {"thinkingBudget": 128}, True),
        ("gemini-3-pro", {"thinkingLevel": "LOW"}, True),
        ("gemini-2.0-flash", {}, False),
    ],
)
def test_thinking_switched_off(model: str, written: dict[str, Any], lost: bool) -> None:
    for asked in ({"mode": ir.ReasoningMode.OFF}, {"effort": "none"}):
        assert think(model, **asked) == (written, ["reasoning"] if lost else [])


def test_thinking_of_a_model_that_is_not_known_to() -> None:
    assert think("gemini-2.0-flash", effort="high") == ({}, ["reasoning"])
    assert think("llama-3", effort="high") == ({}, ["reasoning"])
    body, lost = write(
        to=target(GEMINI, "llama-3", reasons=True), reasoning=ir.Reasoning(effort="high")
    )
    assert body["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 24576
    assert lost == []


def test_thoughts_that_are_not_wanted_are_not_asked_for() -> None:
    thinking, _ = think("gemini-2.5-flash", mode="on", budget=2000, display="omitted")
    assert thinking == {"thinkingBudget": 2000}
