"""What clients send: Codex, OpenAI's SDKs, the AI SDK, and their shortcuts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dragoman import envelope, ir
from dragoman.errors import InvalidJson, InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire import openai_responses as wire

FOREIGN = ir.Sealed("sig", ir.Origin("claude", Protocol.MESSAGES))


def read(input: Any = "Hi", **more: Any) -> ir.Request:
    body = {"model": "m", "input": input, **more}
    return wire.decode_request(json.dumps(body).encode())


def parts_of(*items: dict[str, Any]) -> list[ir.AnyPart]:
    return [part for message in read(list(items)).messages for part in message.parts]


def test_a_string_is_what_the_user_said() -> None:
    (message,) = read("Hi").messages
    assert message == ir.Message(ir.Role.USER, (ir.Text("Hi", at="input"),), at="input")


def test_messages_need_no_type_and_may_be_plain_strings() -> None:
    asked = read(
        [
            {"role": "developer", "content": "d"},
            {"role": "user", "content": [{"type": "input_text", "text": "u"}]},
            {"role": "assistant", "content": "a"},
            {"type": "message", "role": "system", "content": "s"},
        ],
        instructions="i",
    )
    assert [message.role.value for message in asked.messages] == [
        "system",
        "developer",
        "user",
        "assistant",
        "system",
    ]
    assert asked.messages[0].at == "instructions"
    assert asked.messages[2].parts[0].at == "input.1.content.0"


def test_what_the_model_made_is_one_turn_and_outputs_are_another() -> None:
    asked = read(
        [
            {"role": "user", "content": "u"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"},
            {"type": "message", "role": "assistant", "content": "a", "id": "msg_1"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"type": "function_call_output", "call_id": "c2", "output": ""},
            {"role": "user", "content": "v"},
        ]
    )
    user, turn, outputs, again = asked.messages
    assert [type(part).__name__ for part in turn.parts] == [
        "Thinking",
        "Text",
        "ToolCall",
        "ToolCall",
    ]
    assert turn.parts[2].arguments == "{}"  # type: ignore[union-attr]
    assert [part.id for part in outputs.parts] == ["c1", "c2"]  # type: ignore[union-attr]
    assert outputs.parts[1].parts == ()  # type: ignore[union-attr]
    assert (user.role, turn.role, outputs.role, again.role) == (
        ir.Role.USER,
        ir.Role.ASSISTANT,
        ir.Role.USER,
        ir.Role.USER,
    )


def test_custom_calls_keep_their_raw_input_and_their_namespace() -> None:
    call, output = parts_of(
        {
            "type": "custom_tool_call",
            "call_id": "c",
            "name": "exec",
            "input": "ls\n",
            "namespace": "n",
        },
        {
            "type": "custom_tool_call_output",
            "call_id": "c",
            "output": [
                {"type": "input_text", "text": "x"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
            ],
        },
    )
    assert isinstance(call, ir.ToolCall)
    assert (call.kind, call.arguments, call.namespace) == (ir.ToolKind.CUSTOM, "ls\n", "n")
    assert isinstance(output, ir.ToolResult)
    assert output.kind is ir.ToolKind.CUSTOM
    assert isinstance(output.parts[1], ir.Media)


def test_an_envelope_is_opened_and_foreign_state_has_an_unknown_provider() -> None:
    sealed, raw = parts_of(
        {
            "type": "reasoning",
            "id": "rs_ours",
            "summary": [{"type": "summary_text", "text": "t"}],
            "encrypted_content": envelope.seal(FOREIGN),
        },
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
    )
    assert isinstance(sealed, ir.Thinking)
    assert (sealed.text, sealed.sealed) == ("t", FOREIGN)
    assert isinstance(raw, ir.Thinking)
    assert raw.sealed == ir.Sealed("gAAA", ir.Origin("", Protocol.RESPONSES), "rs_1")
    assert raw.redacted


def test_state_that_stood_before_a_call_goes_back_into_it() -> None:
    (call,) = parts_of(
        {
            "type": "reasoning",
            "summary": [],
            "encrypted_content": envelope.seal(FOREIGN, follows=True),
        },
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    )
    assert isinstance(call, ir.ToolCall)
    assert call.sealed == FOREIGN


def test_state_whose_part_is_gone_is_kept() -> None:
    held = {
        "type": "reasoning",
        "summary": [],
        "encrypted_content": envelope.seal(FOREIGN, follows=True),
    }
    (lone,) = parts_of(held)
    assert isinstance(lone, ir.Thinking)
    assert lone.sealed == FOREIGN


def test_namespaces_are_flattened_and_remembered() -> None:
    asked = read(
        tools=[
            {
                "type": "namespace",
                "name": "mail",
                "description": "Mail.",
                "tools": [
                    {"type": "function", "name": "send", "parameters": {}, "strict": False},
                    {"type": "custom", "name": "sieve"},
                ],
            },
            {"type": "web_search", "filters": {"allowed_domains": ["a.org"]}},
        ]
    )
    send, sieve, search = asked.tools
    assert isinstance(send, ir.Tool)
    assert (send.namespace, send.namespace_description, send.strict) == ("mail", "Mail.", False)
    assert send.at == "tools.0.tools.0"
    assert isinstance(sieve, ir.Tool)
    assert sieve.kind is ir.ToolKind.CUSTOM
    assert isinstance(search, ir.ServerTool)
    assert search.value == {"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}


def test_tools_that_items_bring_along_join_the_others() -> None:
    asked = read(
        [
            {
                "type": "additional_tools",
                "role": "developer",
                "tools": [{"type": "custom", "name": "exec"}],
            },
            {"role": "user", "content": "u"},
            {
                "type": "tool_search_call",
                "call_id": "c",
                "execution": "client",
                "arguments": {"query": "mail"},
            },
            {
                "type": "tool_search_output",
                "call_id": "c",
                "execution": "client",
                "tools": [{"type": "function", "name": "send", "parameters": {}}],
            },
        ],
        tools=[{"type": "tool_search", "execution": "client", "parameters": {"type": "object"}}],
    )
    names = [(tool.name, tool.at) for tool in asked.tools]
    assert names == [
        ("tool_search", "tools.0"),
        ("exec", "input.0.tools.0"),
        ("send", "input.3.tools.0"),
    ]
    _, turn, outputs = asked.messages
    assert turn.parts == (ir.ToolCall("c", "tool_search", '{"query":"mail"}', at="input.2"),)
    (result,) = outputs.parts
    assert isinstance(result, ir.ToolResult)
    assert result.parts == (ir.ToolReference("send", at="input.3.tools.0"),)
    assert isinstance(asked.tools[2], ir.Tool)
    assert asked.tools[2].deferred


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", ir.ToolChoice(ir.ChoiceMode.AUTO)),
        ("none", ir.ToolChoice(ir.ChoiceMode.NONE)),
        ("required", ir.ToolChoice(ir.ChoiceMode.REQUIRED)),
        (
            {"type": "function", "name": "f"},
            ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("f"),)),
        ),
        (
            {"type": "custom", "name": "c"},
            ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("c", kind=ir.ToolKind.CUSTOM),)),
        ),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f"}],
            },
            ir.ToolChoice(ir.ChoiceMode.REQUIRED, (ir.ToolName("f"),)),
        ),
        (
            {"type": "file_search"},
            ir.ToolChoice(ir.ChoiceMode.NAMED, server={"type": "file_search"}),
        ),
    ],
)
def test_every_tool_choice_is_understood(choice: Any, expected: ir.ToolChoice) -> None:
    assert read(tool_choice=choice).tool_choice == expected


def test_allowed_tools_that_openai_runs_are_kept_whole() -> None:
    choice = {
        "type": "allowed_tools",
        "mode": "auto",
        "tools": [{"type": "function", "name": "f"}, {"type": "mcp", "server_label": "s"}],
    }
    found = read(tool_choice=choice).tool_choice
    assert found == ir.ToolChoice(ir.ChoiceMode.AUTO, (ir.ToolName("f"),), choice)


def test_parameters_have_their_own_names() -> None:
    asked = read(
        max_output_tokens=5,
        text={"format": {"type": "json_schema", "name": "n", "schema": {}}, "verbosity": "low"},
        reasoning={"effort": "high", "generate_summary": "auto", "context": "auto"},
        include=["message.output_text.logprobs", "reasoning.encrypted_content", "x.y"],
        client_metadata={"a": "b"},
        truncation="disabled",
        stream_options={"include_obfuscation": False},
        user=None,
    )
    assert asked.max_tokens == 5
    assert asked.name("max_tokens") == "max_output_tokens"
    assert asked.format == ir.Format(schema={}, name="n")
    assert asked.verbosity == "low"
    assert asked.reasoning == ir.Reasoning(effort="high", summary="auto")
    assert asked.logprobs
    assert asked.extras == {
        "reasoning.context": "auto",
        "include": ["x.y"],
        "client_metadata": {"a": "b"},
    }


def test_reasoning_can_be_off_or_of_an_effort_that_nobody_knows_yet() -> None:
    assert read(reasoning={"effort": "none"}).reasoning == ir.Reasoning(mode=ir.ReasoningMode.OFF)
    new = read(reasoning={"effort": "colossal"})
    assert new.reasoning is None
    assert new.extras == {"reasoning.effort": "colossal"}


@pytest.mark.parametrize(
    ("members", "memory"),
    [
        ({"previous_response_id": "resp_1"}, ir.Memory("previous_response_id", "resp_1")),
        ({"conversation": "conv_1"}, ir.Memory("conversation", "conv_1")),
        (
            {"input": [{"type": "item_reference", "id": "msg_1"}, {"id": "rs_1"}]},
            ir.Memory("item_reference", ["msg_1", "rs_1"]),
        ),
    ],
)
def test_what_a_server_is_to_remember_is_known(members: dict[str, Any], memory: ir.Memory) -> None:
    assert read(**members).memory == memory


def test_items_that_only_openai_knows_are_kept_as_they_matter() -> None:
    shell, compaction, search, unknown = parts_of(
        {"type": "local_shell_call", "call_id": "c", "action": {"type": "exec", "command": ["ls"]}},
        {"type": "compaction", "encrypted_content": "x"},
        {"type": "web_search_call", "id": "ws_1"},
        {"type": "brand_new", "value": 1},
    )
    assert isinstance(shell, ir.Opaque)
    assert shell.text is not None
    assert "ls" in shell.text
    assert isinstance(compaction, ir.Opaque)
    assert compaction.essential
    assert isinstance(search, ir.Opaque)
    assert not search.essential
    assert isinstance(unknown, ir.Opaque)
    assert unknown.essential


def test_messages_of_codex_s_agents_and_unasked_outputs_can_be_read_as_text() -> None:
    message, output = parts_of(
        {
            "type": "agent_message",
            "author": "helper",
            "content": [{"type": "input_text", "text": "Found it."}, {"type": "encrypted_content"}],
        },
        {"type": "function_call_output", "name": "timer", "output": "ding"},
    )
    assert isinstance(message, ir.Opaque)
    assert message.text == "Found it."
    assert isinstance(output, ir.Opaque)
    assert output.text is not None
    assert "ding" in output.text


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": "x"}, "model"),
        ({"model": "m", "input": 5}, "input"),
        ({"model": "m", "input": ["x"]}, "input.0"),
        ({"model": "m", "input": [{"role": "king", "content": "x"}]}, "input.0.role"),
        ({"model": "m", "input": [{"role": "user", "content": 5}]}, "input.0.content"),
        (
            {"model": "m", "input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input.0.content.0.text",
        ),
        ({"model": "m", "input": [{"type": "function_call", "name": "f"}]}, "input.0.call_id"),
        ({"model": "m", "input": "x", "tools": [{"type": "function"}]}, "tools.0.name"),
        ({"model": "m", "input": "x", "tool_choice": "maybe"}, "tool_choice"),
        ({"model": "m", "input": "x", "text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"model": "m", "input": "x", "max_output_tokens": "5"}, "max_output_tokens"),
    ],
)
def test_a_mistake_is_named(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        wire.decode_request(json.dumps(body).encode())
    assert caught.value.param == param


def test_a_body_that_is_no_json_is_told_so() -> None:
    with pytest.raises(InvalidJson):
        wire.decode_request(b'{"model":')
