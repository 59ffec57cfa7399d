"""Parameters, numbers 24 to 33 of the bugs that users of other gateways reported.

The numbers that are missing are tested in the relay, the reader of server-sent events and the
other codecs.
"""

from __future__ import annotations

from typing import Any

import pytest
from conversations import (
    target,
    translate,
    translate_answer,
)
from spoken_streams import ASK, CHAT, MESSAGES, TOOL, messages_stream, text_block, to_chat

from dragoman.errors import (
    Untranslatable,
)
from dragoman.wire import Target


def test_wire_24_stop_sequences_go_through_and_the_one_that_hit_is_reported() -> None:
    sent, _ = translate({"model": "m", "messages": ASK, "stop": "END"}, CHAT, target(MESSAGES))
    assert sent["stop_sequences"] == ["END"]
    sent, losses = translate(
        {"model": "m", "messages": ASK, "stop": [" ", "b"]}, CHAT, target(MESSAGES)
    )
    assert (sent["stop_sequences"], list(losses)) == (["b"], ["stop"])
    body = {"model": "m", "messages": ASK, "stop_sequences": list("abcde")}
    sent, losses = translate(body, MESSAGES, target(CHAT, genuine=True))
    assert (sent["stop"], list(losses)) == (list("abcd"), ["stop_sequences"])
    choice = {
        "index": 0,
        "message": {"content": "x"},
        "finish_reason": "stop",
        "stop_reason": "END",
    }
    answer = translate_answer({"choices": [choice]}, CHAT, MESSAGES)
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "END")
    stream = messages_stream(text_block("x"), stop_reason="stop_sequence", stop_sequence="END")
    assert to_chat(stream)[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("destination", "field"),
    [
        (target(CHAT), "max_tokens"),
        (target(CHAT, genuine=True), "max_completion_tokens"),
        (target(MESSAGES), "max_tokens"),
    ],
)
def test_wire_25_caps_by_target_and_limit(destination: Target, field: str) -> None:
    body = {"model": "m", "messages": ASK, "max_tokens": 500}
    source = MESSAGES if destination.protocol is CHAT else CHAT
    assert translate(body, source, destination)[0][field] == 500
    limited = Target(
        **{f: getattr(destination, f) for f in destination.__struct_fields__} | {"max_output": 99}
    )
    sent, losses = translate(body, source, limited)
    assert (sent[field], list(losses)) == (99, ["max_tokens"])


def test_wire_25_a_cap_is_named_as_the_caller_named_it() -> None:
    body = {"model": "m", "messages": ASK, "max_completion_tokens": 500}
    _, losses = translate(body, CHAT, target(MESSAGES, max_output=10))
    assert list(losses) == ["max_completion_tokens"]


def test_wire_25_messages_gets_a_cap_even_if_nobody_gave_one() -> None:
    assert translate({"model": "m", "messages": ASK}, CHAT, target(MESSAGES))[0]["max_tokens"] > 0


FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("chat", "messages"),
    [
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "none"}, {"type": "none"}),
        ({"tool_choice": "required"}, {"type": "any"}),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            {"type": "tool", "name": "f"},
        ),
        (
            {"tool_choice": "auto", "parallel_tool_calls": False},
            {"type": "auto", "disable_parallel_tool_use": True},
        ),
    ],
)
def test_wire_26_every_tool_choice_both_ways(
    chat: dict[str, Any], messages: dict[str, Any]
) -> None:
    sent, losses = translate(
        {"model": "m", "messages": ASK, "tools": [FUNCTION], **chat}, CHAT, target(MESSAGES)
    )
    assert sent["tool_choice"] == messages
    body = {"model": "m", "messages": ASK, "tools": [TOOL], "tool_choice": messages}
    back, more = translate(body, MESSAGES, target(CHAT))
    assert {name: back[name] for name in chat} == chat
    assert losses == more == {}


def test_wire_26_parallel_off_without_a_choice() -> None:
    body = {"model": "m", "messages": ASK, "tools": [FUNCTION], "parallel_tool_calls": False}
    sent, _ = translate(body, CHAT, target(MESSAGES))
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_wire_26_allowed_tools_leave_the_others_out() -> None:
    other = {"type": "function", "function": {"name": "g"}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "g"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    body = {"model": "m", "messages": ASK, "tools": [FUNCTION, other], "tool_choice": choice}
    sent, _ = translate(body, CHAT, target(MESSAGES))
    assert [tool["name"] for tool in sent["tools"]] == ["g"]
    assert sent["tool_choice"] == {"type": "any"}


SCHEMA = {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": False}


def test_wire_27_structured_output_is_honoured_or_recorded() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    body = {"model": "m", "messages": ASK, "response_format": form}
    sent, losses = translate(body, CHAT, target(MESSAGES))
    assert sent["output_config"] == {"format": {"type": "json_schema", "schema": SCHEMA}}
    assert losses == {}
    back, _ = translate(sent, MESSAGES, target(CHAT))
    assert back["response_format"]["json_schema"]["schema"] == SCHEMA
    body = {"model": "m", "messages": ASK, "response_format": {"type": "json_object"}}
    sent, losses = translate(body, CHAT, target(MESSAGES))
    assert "JSON" in sent["system"]
    assert list(losses) == ["response_format"]


def test_wire_28_schemas_go_through_as_they_are() -> None:
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **SCHEMA}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": True}
    body = {"model": "m", "messages": ASK, "tools": [{"type": "function", "function": function}]}
    sent, losses = translate(body, CHAT, target(MESSAGES))
    assert sent["tools"][0]["input_schema"] == schema
    assert sent["tools"][0]["strict"] is True
    assert translate(sent, MESSAGES, target(CHAT))[0]["tools"][0]["function"] == function
    assert losses == {}


def test_wire_28_a_tool_without_parameters_has_an_empty_schema() -> None:
    body = {
        "model": "m",
        "messages": ASK,
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    sent, _ = translate(body, CHAT, target(MESSAGES))
    assert sent["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


def test_wire_30_n_is_refused_and_samplers_fit_the_model() -> None:
    with pytest.raises(Untranslatable) as caught:
        translate({"model": "m", "messages": ASK, "n": 2}, CHAT, target(MESSAGES))
    assert caught.value.param == "n"
    body = {"model": "m", "messages": ASK, "temperature": 1.5, "top_p": 0.5, "service_tier": "flex"}
    sent, losses = translate(body, CHAT, target(MESSAGES, "claude-sonnet-4-5"))
    assert sent["temperature"] == 1
    assert "top_p" not in sent
    assert list(losses) == ["temperature", "top_p", "service_tier"]
    sent, losses = translate(body, CHAT, target(MESSAGES, "claude-opus-5"))
    assert not sent.keys() & {"temperature", "top_p", "top_k"}
    assert list(losses) == ["temperature", "top_p", "service_tier"]
    _, losses = translate({"model": "m", "messages": ASK, "top_k": 5}, MESSAGES, target(CHAT))
    assert list(losses) == ["top_k"]


def test_wire_31_logprobs_are_recorded_where_nobody_has_them() -> None:
    body = {"model": "m", "messages": ASK, "logprobs": True, "top_logprobs": 2}
    _, losses = translate(body, CHAT, target(MESSAGES))
    assert list(losses) == ["logprobs", "top_logprobs"]


def test_wire_32_unknown_fields_are_losses_and_never_an_error() -> None:
    body = {"model": "m", "messages": ASK, "brand_new": 1, "logit_bias": {"1": 1}}
    assert set(translate(body, CHAT, target(MESSAGES))[1]) == {"brand_new", "logit_bias"}
    body = {"model": "m", "messages": ASK, "context_management": {}, "safeguards": {"a": 1}}
    assert set(translate(body, MESSAGES, target(CHAT))[1]) == {"context_management", "safeguards"}
    turn = {"role": "user", "content": [{"type": "text", "text": "x", "new": 1}], "mood": "good"}
    _, losses = translate({"model": "m", "messages": [turn]}, CHAT, target(MESSAGES))
    assert set(losses) == {"messages.0.content.0.new", "messages.0.mood"}


@pytest.mark.parametrize(
    ("model", "thinking", "effort"),
    [
        ("claude-opus-4-5", {"type": "enabled", "budget_tokens": 15000}, None),
        ("claude-opus-4-6", {"type": "adaptive"}, "high"),
    ],
)
def test_wire_33_effort_becomes_budget_or_effort(
    model: str, thinking: dict[str, Any], effort: str | None
) -> None:
    body = {"model": "m", "messages": ASK, "reasoning_effort": "high", "max_tokens": 20000}
    sent, losses = translate(body, CHAT, target(MESSAGES, model))
    assert sent["thinking"] == thinking
    assert sent.get("output_config", {}).get("effort") == effort
    assert losses == {}


def test_wire_33_a_budget_stays_below_the_cap_or_is_given_up() -> None:
    body = {"model": "m", "messages": ASK, "reasoning_effort": "max", "max_tokens": 1000}
    sent, losses = translate(body, CHAT, target(MESSAGES, "claude-opus-4-5"))
    assert "thinking" not in sent
    assert list(losses) == ["reasoning_effort"]


def test_wire_33_budget_becomes_effort_for_models_that_reason() -> None:
    thinking = {"type": "enabled", "budget_tokens": 31999}
    body = {"model": "m", "messages": ASK, "max_tokens": 32000, "thinking": thinking}
    sent, _ = translate(body, MESSAGES, target(CHAT, "gpt-5.6", genuine=True))
    assert sent["reasoning_effort"] == "xhigh"
    sent, losses = translate(body, MESSAGES, target(CHAT, "gpt-4o", genuine=True))
    assert "reasoning_effort" not in sent
    assert list(losses) == ["thinking"]
