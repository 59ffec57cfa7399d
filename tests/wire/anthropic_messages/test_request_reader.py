from __future__ import annotations

import json
from typing import Any

import pytest

from dragoman import ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages import decode_request

TURN = {"role": "user", "content": "Hi"}


def read(**members: Any) -> ir.Request:
    return decode_request(json.dumps({"model": "m", "messages": [TURN], **members}).encode())


def test_the_system_prompt_comes_first_and_later_ones_stay() -> None:
    asked = read(system="Be brief.", messages=[TURN, {"role": "system", "content": "Be kind."}])
    assert [message.role for message in asked.messages] == ["system", "user", "system"]
    assert [message.at for message in asked.messages] == ["system", "messages.0", "messages.1"]


def test_what_claude_code_sends_is_understood() -> None:
    asked = read(
        system=[
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2"},
            {"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        thinking={"type": "adaptive", "display": "omitted"},
        output_config={"effort": "high", "task_budget": {"type": "tokens", "total": 1}},
        metadata={"user_id": '{"device_id":"d"}'},
        context_management={"edits": []},
        tools=[
            {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 8},
        ],
        max_tokens=32000,
        stream=True,
    )
    billing, system = asked.messages[0].parts
    assert isinstance(billing, ir.Opaque)
    assert system.cache == ir.Cache("1h")
    assert asked.reasoning == ir.Reasoning(
        mode=ir.ReasoningMode.ADAPTIVE, effort="high", display="omitted"
    )
    assert asked.user is None
    assert set(asked.extras) == {"output_config", "metadata", "context_management"}
    function, search = asked.tools
    assert isinstance(function, ir.Tool)
    assert function.deferred
    assert isinstance(search, ir.ServerTool)
    assert search.value == {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}


def test_the_beta_s_output_format_counts_too() -> None:
    form = {"type": "json_schema", "schema": {"type": "object"}}
    assert read(output_format=form).format == read(output_config={"format": form}).format


def test_a_plain_user_id_is_the_user() -> None:
    assert read(metadata={"user_id": "u-1"}).user == "u-1"


def test_count_tokens_requests_have_no_cap() -> None:
    assert read(tools=[]).max_tokens is None


def test_a_thread_is_memory() -> None:
    assert read(thread={"type": "new"}).memory == ir.Memory("thread", {"type": "new"})


def test_names_of_losses_are_the_caller_s() -> None:
    asked = read()
    assert asked.protocol is Protocol.MESSAGES
    assert asked.name("stop") == "stop_sequences"
    assert asked.name("reasoning") == "thinking"


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": None}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": [1]}]}, "messages.0.content.0"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"thinking": {"type": "deep"}}, "thinking.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens"),
        ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"stop_sequences": [1]}, "stop_sequences"),
    ],
)
def test_mistakes_are_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**members)
    assert caught.value.param == param
