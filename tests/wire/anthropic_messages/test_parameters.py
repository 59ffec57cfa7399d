from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import request, target

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages import encode_request

OLD, NEW = "claude-opus-4-5", "claude-opus-5"
HIGH = ir.Reasoning(effort="high")
FORCED = ir.ToolChoice(ir.ChoiceMode.REQUIRED)
TOOLS = (ir.Tool(name="f"),)


def write(model: str, limit: int | None = None, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    to = target(Protocol.MESSAGES, model, max_output=limit)
    encoded = encode_request(request(Protocol.CHAT, **fields), to)
    return json.loads(encoded.body), [loss.path for loss in encoded.losses]


def test_the_cap_has_room_for_thinking_when_nobody_gave_one() -> None:
    body, _ = write(OLD, reasoning=HIGH)
    assert body["max_tokens"] > body["thinking"]["budget_tokens"] == 24576
    assert write(OLD, 5000, reasoning=HIGH)[0]["max_tokens"] == 5000


def test_a_budget_that_was_asked_for_stays_below_the_cap() -> None:
    asked = ir.Reasoning(mode=ir.ReasoningMode.ON, budget=9000)
    assert write(OLD, max_tokens=5000, reasoning=asked)[0]["thinking"]["budget_tokens"] == 4999
    assert write(OLD, max_tokens=9999, reasoning=asked)[0]["thinking"]["budget_tokens"] == 9000
    assert (
        write(OLD, 2000, max_tokens=9999, reasoning=asked)[0]["thinking"]["budget_tokens"] == 1999
    )


def test_a_budget_guides_newer_models_as_an_effort() -> None:
    asked = ir.Reasoning(mode=ir.ReasoningMode.ON, budget=9000)
    body, _ = write(NEW, reasoning=asked)
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"] == {"effort": "high"}


def test_thinking_is_shown_where_the_caller_wants_to_see_it() -> None:
    asked = ir.Reasoning(effort="low", summary="auto")
    assert write(NEW, reasoning=asked)[0]["thinking"]["display"] == "summarized"


@pytest.mark.parametrize(
    "asked", [ir.Reasoning(mode=ir.ReasoningMode.OFF), ir.Reasoning(effort="none")]
)
def test_off_is_off(asked: ir.Reasoning) -> None:
    body, lost = write(NEW, reasoning=asked)
    assert body["thinking"] == {"type": "disabled"}
    assert lost == []


def test_a_forced_call_leaves_no_room_for_thinking() -> None:
    body, lost = write(OLD, reasoning=HIGH, tools=TOOLS, tool_choice=FORCED)
    assert "thinking" not in body
    assert lost == ["reasoning"]
    body, lost = write(NEW, reasoning=HIGH, tools=TOOLS, tool_choice=FORCED)
    assert "thinking" not in body
    assert body["output_config"] == {"effort": "high"}
    assert lost == []


def loop(*thoughts: ir.AnyPart) -> tuple[ir.Message, ...]:
    call = ir.ToolCall("a", "f")
    return (
        ir.Message(ir.Role.USER, (ir.Text("x"),)),
        ir.Message(ir.Role.ASSISTANT, (*thoughts, call)),
        ir.Message(ir.Role.USER, (ir.ToolResult("a"),)),
    )


def test_thinking_does_not_begin_in_the_middle_of_a_tool_loop() -> None:
    body, lost = write(OLD, messages=loop(), reasoning=HIGH)
    assert "thinking" not in body
    assert lost == ["reasoning"]
    own = ir.Sealed("s", ir.Origin("acme", Protocol.MESSAGES))
    body, lost = write(OLD, messages=loop(ir.Thinking("hm", sealed=own)), reasoning=HIGH)
    assert body["thinking"]["type"] == "enabled"
    assert lost == []
    assert "thinking" in write(NEW, messages=loop(), reasoning=HIGH)[0]
    over = (*loop(), ir.Message(ir.Role.USER, (ir.Text("next"),)))
    assert "thinking" in write(OLD, messages=over, reasoning=HIGH)[0]


def test_samplers_that_thinking_excludes() -> None:
    body, lost = write(OLD, reasoning=HIGH, temperature=0.3, top_k=4, top_p=0.5)
    assert not body.keys() & {"temperature", "top_k", "top_p"}
    assert lost == ["temperature", "top_k", "top_p"]
    assert write(OLD, reasoning=HIGH, temperature=1, top_p=0.97)[1] == []


def test_samplers_of_other_makers_models_pass() -> None:
    body, lost = write("glm-5", temperature=0.3, top_p=0.5, top_k=4)
    assert (body["temperature"], body["top_p"], body["top_k"]) == (0.3, 0.5, 4)
    assert lost == []


def test_one_user_id_and_the_tiers() -> None:
    body, lost = write(OLD, user="u", safety_identifier="s", service_tier="default")
    assert body["metadata"] == {"user_id": "u"}
    assert body["service_tier"] == "standard_only"
    assert lost == ["safety_identifier"]
    assert write(OLD, safety_identifier="s")[0]["metadata"] == {"user_id": "s"}
