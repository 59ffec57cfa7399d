from __future__ import annotations

import re

import pytest
from conversations import request
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire.losses import Losses
from dragoman.wire.toolbox import Toolbox, check_server_tools, record_tool_losses, unwrap

CUSTOM = ir.ToolKind.CUSTOM


def toolbox(*tools: ir.Tool | ir.ServerTool, custom: bool = False, **more: object) -> Toolbox:
    return Toolbox(request(Protocol.RESPONSES, tools=tools, **more), custom=custom)


@given(st.lists(st.tuples(st.none() | st.text(max_size=70), st.text(min_size=1)), unique=True))
def test_names_fit_are_distinct_and_come_back(full: list[tuple[str | None, str]]) -> None:
    box = toolbox(*(ir.Tool(name=name, namespace=space) for space, name in full))
    flat = [tool.name for tool in box.declared]
    assert len(set(flat)) == len(full)
    for (space, name), wire in zip(full, flat, strict=True):
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", wire)
        assert box.name(ir.ToolName(name, space)) == wire
        restored = box.restore(ir.ToolCall("id", wire))
        assert (restored.namespace, restored.name) == (space, name)


def test_plain_names_stay_and_namespaces_become_prefixes() -> None:
    box = toolbox(
        ir.Tool(name="read"),
        ir.Tool(name="read", namespace="files"),
        ir.Tool(name="read", namespace="mcp__x__"),
    )
    assert [tool.name for tool in box.declared] == ["read", "files__read", "mcp__x__read"]
    assert box.changes
    assert not toolbox(ir.Tool(name="read")).changes


def test_a_call_of_a_tool_that_is_gone_keeps_its_flat_name() -> None:
    assert toolbox().name(ir.ToolName("read", "files")) == "files__read"
    assert toolbox().restore(ir.ToolCall("id", "files__read")).name == "files__read"


def test_custom_tools_become_functions_with_their_grammar_in_words() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: WORD"}
    (tool,) = toolbox(
        ir.Tool(name="exec", kind=CUSTOM, description="Runs", format=grammar)
    ).declared
    assert tool.kind is ir.ToolKind.FUNCTION
    assert tool.parameters is not None
    assert tool.parameters["required"] == ["input"]
    assert tool.description is not None
    assert tool.description.startswith("Runs\n\n")
    assert "start: WORD" in tool.description


def test_custom_tools_stay_where_the_target_has_them() -> None:
    tool = ir.Tool(name="exec", kind=CUSTOM)
    box = toolbox(tool, custom=True)
    assert box.declared == (tool,)
    call = ir.ToolCall("id", "exec", "ls", kind=CUSTOM)
    assert box.lower(call) == call
    assert not box.wraps("exec")


@given(st.text())
def test_raw_input_survives_wrapping(text: str) -> None:
    box = toolbox(ir.Tool(name="exec", kind=CUSTOM))
    call = ir.ToolCall("id", "exec", text, kind=CUSTOM)
    assert box.restore(box.lower(call)) == call


def test_a_model_that_ignores_the_wrapping_is_taken_at_its_word() -> None:
    assert unwrap("ls -la") == "ls -la"
    assert unwrap('{"command":"ls"}') == '{"command":"ls"}'


def test_a_choice_leaves_the_other_tools_out() -> None:
    choice = ir.ToolChoice(ir.ChoiceMode.AUTO, (ir.ToolName("b"),))
    box = toolbox(ir.Tool(name="a"), ir.Tool(name="b"), tool_choice=choice)
    assert [tool.name for tool in box.declared] == ["b"]


SEARCH = ir.ServerTool(
    type="web_search", value={"type": "web_search"}, protocol=Protocol.RESPONSES, at="tools.0"
)


def test_server_tools_alone_or_insisted_on_are_refused() -> None:
    insisting = ir.ToolChoice(ir.ChoiceMode.REQUIRED, server={"type": "web_search"})
    for more in (
        {"tools": (SEARCH,)},
        {"tools": (SEARCH, ir.Tool(name="f")), "tool_choice": insisting},
    ):
        asked = request(Protocol.RESPONSES, **more)
        with pytest.raises(Untranslatable) as caught:
            check_server_tools(asked, Losses(asked, Protocol.CHAT))
        assert caught.value.paths == ("tools.0",)


def test_server_tools_beside_others_are_lost() -> None:
    asked = request(Protocol.RESPONSES, tools=(SEARCH, ir.Tool(name="f")))
    losses = Losses(asked, Protocol.CHAT)
    check_server_tools(asked, losses)
    assert [loss.path for loss in losses.found] == ["tools.0"]
    at_home = Losses(asked, Protocol.RESPONSES)
    check_server_tools(asked, at_home)
    assert at_home.found == []


def test_grammars_and_unknown_members_of_tools_are_recorded() -> None:
    asked = request(Protocol.RESPONSES)
    losses = Losses(asked, Protocol.CHAT)
    tool = ir.Tool(
        name="f", kind=CUSTOM, format={"type": "grammar"}, extras={"async": True}, at="tools.0"
    )
    record_tool_losses(toolbox(tool).declared, losses)
    assert [loss.path for loss in losses.found] == ["tools.0.async", "tools.0.format"]
    native = Losses(asked, Protocol.CHAT)
    record_tool_losses(toolbox(tool, custom=True).declared, native)
    assert [loss.path for loss in native.found] == ["tools.0.async"]
