from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from conversations import request

from dragoman import ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.fields import Fields
from dragoman.wire.losses import Losses
from dragoman.wire.openai_responses.tools import (
    decode_choice,
    decode_tools,
    encode_choice,
    encode_tools,
    is_search,
    is_web_search,
)

GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: A"}
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "name": "f",
        "description": "F.",
        "parameters": {"$schema": "x", "type": "object", "additionalProperties": False},
        "strict": True,
        "defer_loading": True,
        "async": True,
    },
    {"type": "custom", "name": "exec", "description": "E.", "format": GRAMMAR},
    {
        "type": "namespace",
        "name": "mail",
        "description": "Mail.",
        "tools": [
            {"type": "function", "name": "send", "parameters": {}, "strict": False},
            {"type": "custom", "name": "sieve"},
        ],
    },
    {"type": "tool_search", "execution": "client", "description": "S.", "parameters": {"a": 1}},
    {"type": "mcp", "server_label": "s", "server_url": "https://a.org"},
]


def read(tools: list[dict[str, Any]]) -> tuple[ir.Tool | ir.ServerTool, ...]:
    return tuple(decode_tools(Fields({"tools": deepcopy(tools)})))


def losses(protocol: Protocol = Protocol.RESPONSES) -> Losses:
    return Losses(request(protocol), Protocol.RESPONSES)


def test_tools_come_out_as_they_went_in() -> None:
    tools = read(TOOLS)
    assert encode_tools(tools, losses()) == TOOLS


def test_two_groups_of_one_name_apart_stay_apart() -> None:
    group = TOOLS[2]
    apart = [group, TOOLS[1], deepcopy(group)]
    tools = read(apart)
    assert encode_tools(tools, losses()) == apart


def test_only_a_client_s_tool_search_is_a_function() -> None:
    (hosted,) = read([{"type": "tool_search"}])
    assert isinstance(hosted, ir.ServerTool)
    (client,) = read([TOOLS[3]])
    assert isinstance(client, ir.Tool)
    assert is_search(client)
    assert not is_search(ir.Tool(name="tool_search"))


def test_markers_and_members_of_other_protocols_are_losses() -> None:
    tool = ir.Tool(name="f", cache=ir.Cache(), extras={"x": 1}, at="tools.0")
    told = losses(Protocol.MESSAGES)
    (written,) = encode_tools((tool,), told)
    assert "x" not in written
    assert [loss.path for loss in told.result()] == ["tools.0.cache_control", "tools.0.x"]


def test_only_anthropic_s_web_search_has_a_counterpart() -> None:
    code = ir.ServerTool(type="code_execution_20250825", value={}, protocol=Protocol.MESSAGES)
    assert not is_web_search(code)
    assert encode_tools((code,), losses(Protocol.MESSAGES)) == []


@pytest.mark.parametrize(
    "choice",
    [
        "auto",
        "none",
        "required",
        {"type": "function", "name": "f"},
        {"type": "function", "name": "send", "namespace": "mail"},
        {"type": "custom", "name": "exec"},
        {"type": "mcp", "server_label": "s"},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "custom", "name": "exec"}]},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
    ],
)
def test_every_choice_comes_out_as_it_went_in(choice: Any) -> None:
    found = decode_choice(Fields({"tool_choice": choice}))
    assert found is not None
    assert encode_choice(found, losses()) == choice


@pytest.mark.parametrize(
    "choice", ["maybe", 5, [], {"type": "allowed_tools", "mode": "none", "tools": []}]
)
def test_other_choices_are_mistakes(choice: Any) -> None:
    with pytest.raises(InvalidRequest):
        decode_choice(Fields({"tool_choice": choice}))


def test_a_choice_of_another_provider_s_tool_is_a_loss() -> None:
    told = losses(Protocol.MESSAGES)
    choice = ir.ToolChoice(ir.ChoiceMode.NAMED, server={"type": "tool", "name": "web_search"})
    assert encode_choice(choice, told) is None
    assert [loss.path for loss in told.result()] == ["tool_choice"]
