"""Requests made for OpenAI's own Responses, and for those who copy it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, request, target, translate

from dragoman import ir
from dragoman.errors import InvalidRequest, PreviousResponseNotFound, Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire import openai_responses as wire

CHAT, MESSAGES, RESPONSES = Protocol.CHAT, Protocol.MESSAGES, Protocol.RESPONSES
OPENAI = target(RESPONSES, "gpt-5.6", genuine=True)
COPY = target(RESPONSES, "llama")
OWN = ir.Sealed("enc", ir.Origin(PROVIDER, RESPONSES), "rs_1")


def write(asked: ir.Request, to: Target = OPENAI) -> tuple[dict[str, Any], list[str]]:
    encoded = wire.encode_request(asked, to)
    return json.loads(encoded.body), [loss.path for loss in encoded.losses]


def conversation(*messages: ir.Message, protocol: Protocol = MESSAGES, **more: Any) -> ir.Request:
    return request(protocol, messages=messages, **more)


def said(role: ir.Role, *parts: ir.AnyPart, at: str = "messages.0") -> ir.Message:
    return ir.Message(role, parts, at=at)


def test_a_plain_system_prompt_becomes_instructions() -> None:
    body, _ = write(
        conversation(said(ir.Role.SYSTEM, ir.Text("s")), said(ir.Role.USER, ir.Text("u")))
    )
    assert body["instructions"] == "s"
    assert body["input"] == [{"type": "message", "role": "user", "content": "u"}]


def test_a_system_prompt_in_pieces_and_a_later_one_keep_their_place() -> None:
    body, _ = write(
        conversation(
            said(ir.Role.SYSTEM, ir.Text("a"), ir.Text("b")),
            said(ir.Role.USER, ir.Text("u")),
            said(ir.Role.SYSTEM, ir.Text("c")),
        )
    )
    assert "instructions" not in body
    assert [item["role"] for item in body["input"]] == ["system", "user", "system"]


def test_a_lone_system_prompt_is_the_input() -> None:
    body, _ = write(conversation(said(ir.Role.SYSTEM, ir.Text("s"))))
    assert body["input"] == [{"type": "message", "role": "system", "content": "s"}]


def test_only_openai_hears_of_developers() -> None:
    asked = conversation(
        said(ir.Role.USER, ir.Text("u")), said(ir.Role.DEVELOPER, ir.Text("d")), protocol=CHAT
    )
    assert write(asked)[0]["input"][1]["role"] == "developer"
    assert write(asked, COPY)[0]["input"][1]["role"] == "system"


def test_a_turn_becomes_items_and_results_come_before_the_text_behind_them() -> None:
    body, losses = write(
        conversation(
            said(
                ir.Role.ASSISTANT,
                ir.Text("a"),
                ir.Text("b"),
                ir.ToolCall("c1", "f", ""),
                ir.Refusal("no"),
            ),
            said(
                ir.Role.USER,
                ir.ToolResult("c1", (ir.Text("r"),), is_error=True, at="messages.1.content.0"),
                ir.Text("u"),
            ),
        )
    )
    message, call, refusal, output, user = body["input"]
    assert [piece["text"] for piece in message["content"]] == ["a", "b"]
    assert call == {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    assert refusal["content"] == [{"type": "refusal", "refusal": "no"}]
    assert output == {"type": "function_call_output", "call_id": "c1", "output": "r"}
    assert user["content"] == "u"
    assert losses == ["messages.1.content.0.is_error"]


def test_functions_of_other_protocols_are_not_strict_unless_they_say_so() -> None:
    tools = (ir.Tool(name="f"), ir.Tool(name="g", strict=True, parameters={"type": "object"}))
    body, _ = write(request(CHAT, tools=tools))
    assert [tool["strict"] for tool in body["tools"]] == [False, True]
    assert body["tools"][0]["parameters"] == {"type": "object", "properties": {}}
    own, _ = write(request(RESPONSES, tools=tools))
    assert "strict" not in own["tools"][0]


def test_openai_gets_namespaces_and_custom_tools_and_copies_get_functions() -> None:
    tools = (
        ir.Tool(name="send", namespace="mail", namespace_description="Mail."),
        ir.Tool(name="exec", kind=ir.ToolKind.CUSTOM),
    )
    earlier = said(
        ir.Role.ASSISTANT,
        ir.ToolCall("c1", "send", namespace="mail"),
        ir.ToolCall("c2", "exec", "ls", kind=ir.ToolKind.CUSTOM),
    )
    results = said(ir.Role.USER, ir.ToolResult("c2", (ir.Text("x"),), kind=ir.ToolKind.CUSTOM))
    asked = conversation(earlier, results, protocol=RESPONSES, tools=tools)
    body, _ = write(asked)
    assert [tool["type"] for tool in body["tools"]] == ["namespace", "custom"]
    assert [item["type"] for item in body["input"]] == [
        "function_call",
        "custom_tool_call",
        "custom_tool_call_output",
    ]
    body, _ = write(asked, COPY)
    assert [(tool["type"], tool["name"]) for tool in body["tools"]] == [
        ("function", "mail__send"),
        ("function", "exec"),
    ]
    assert body["input"][0]["name"] == "mail__send"
    assert body["input"][1]["arguments"] == '{"input":"ls"}'
    assert body["input"][2]["type"] == "function_call_output"


def test_reasoning_goes_back_to_its_maker_with_its_id_and_to_nobody_else() -> None:
    thought = ir.Thinking("t", sealed=OWN, summary=True, at="messages.0.content.0")
    body, losses = write(conversation(said(ir.Role.ASSISTANT, thought)))
    assert body["input"] == [
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "t"}],
            "encrypted_content": "enc",
        }
    ]
    assert losses == []
    foreign = ir.Thinking(
        "t", sealed=ir.Sealed("sig", ir.Origin("claude", MESSAGES)), at="messages.0.content.0"
    )
    body, losses = write(conversation(said(ir.Role.ASSISTANT, foreign)))
    assert body["input"] == []
    assert losses == ["messages.0.content.0"]


def test_other_protocols_leave_nothing_stored_and_get_reasoning_back() -> None:
    body, _ = write(request(MESSAGES))
    assert body["store"] is False
    assert body["include"] == ["reasoning.encrypted_content"]
    body, _ = write(request(CHAT, store=True), target(RESPONSES, "gpt-4.1", genuine=True))
    assert body["store"] is True
    assert "include" not in body


def test_tools_that_items_brought_stand_where_they_stood() -> None:
    body = {
        "model": "m",
        "input": [
            {"role": "user", "content": "u"},
            {
                "type": "additional_tools",
                "role": "developer",
                "tools": [{"type": "custom", "name": "exec"}],
            },
            {"role": "user", "content": "v"},
            {
                "type": "tool_search_call",
                "call_id": "c",
                "execution": "client",
                "arguments": {"q": 1},
            },
            {
                "type": "tool_search_output",
                "call_id": "c",
                "execution": "client",
                "tools": [{"type": "function", "name": "send", "defer_loading": True}],
            },
            {
                "type": "additional_tools",
                "role": "developer",
                "tools": [{"type": "custom", "name": "last"}],
            },
        ],
        "tools": [{"type": "tool_search", "execution": "client"}],
    }
    written, losses = translate(body, RESPONSES, OPENAI)
    for item in written["input"]:
        if item["type"] == "message":
            del item["type"]
    assert written["input"] == body["input"]
    assert written["tools"] == body["tools"]
    assert losses == {}


def test_copies_get_the_search_as_a_function_and_what_it_has_found_plainly() -> None:
    group = {
        "type": "namespace",
        "name": "mail",
        "description": "Mail.",
        "tools": [{"type": "function", "name": "send", "defer_loading": True}],
    }
    body = {
        "model": "m",
        "input": [
            {"type": "tool_search_call", "call_id": "c", "execution": "client", "arguments": {}},
            {
                "type": "tool_search_output",
                "call_id": "c",
                "execution": "client",
                "tools": [group],
            },
        ],
        "tools": [
            {"type": "tool_search", "execution": "client"},
            {"type": "function", "name": "hidden", "defer_loading": True},
        ],
    }
    written, _ = translate(body, RESPONSES, COPY)
    assert written["tools"] == [
        {"type": "function", "name": "tool_search"},
        {"type": "function", "name": "mail__send"},
    ]
    call, output = written["input"]
    assert (call["type"], call["name"]) == ("function_call", "tool_search")
    assert output["output"] == "The tool send can be called now."


def test_tools_that_no_search_has_found_are_not_shown() -> None:
    tools = (ir.Tool(name="found", deferred=True), ir.Tool(name="hidden", deferred=True))
    result = ir.ToolResult("c", (ir.ToolReference("found"),))
    body, _ = write(conversation(said(ir.Role.USER, result), tools=tools))
    assert [tool["name"] for tool in body["tools"]] == ["found"]


def test_anthropic_s_web_search_becomes_openai_s() -> None:
    search = ir.ServerTool(
        type="web_search_20250305",
        name="web_search",
        protocol=MESSAGES,
        value={
            "type": "web_search_20250305",
            "name": "web_search",
            "allowed_domains": ["a.org"],
            "max_uses": 8,
        },
        at="tools.0",
    )
    body, losses = write(request(MESSAGES, tools=(search,)))
    assert body["tools"] == [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}]
    assert losses == ["tools.0.max_uses"]
    with pytest.raises(Untranslatable):
        write(request(MESSAGES, tools=(search,)), COPY)


@pytest.mark.parametrize(
    ("memory", "error"),
    [
        (ir.Memory("thread", {"id": "t"}), InvalidRequest),
        (ir.Memory("conversation", "c"), Untranslatable),
        (ir.Memory("previous_response_id", "r"), PreviousResponseNotFound),
    ],
)
def test_another_server_s_memory_is_refused(memory: ir.Memory, error: type[Exception]) -> None:
    with pytest.raises(error):
        write(request(MESSAGES, memory=memory))


def test_its_own_callers_may_lean_on_its_memory() -> None:
    memory = ir.Memory("previous_response_id", "resp_1")
    assert write(request(RESPONSES, memory=memory))[0]["previous_response_id"] == "resp_1"


def test_blocks_that_matter_are_refused_and_others_worded_or_recorded() -> None:
    def with_block(**more: Any) -> ir.Request:
        block = ir.Opaque({"type": "b"}, MESSAGES, at="messages.0.content.0", **more)
        return conversation(said(ir.Role.USER, block, ir.Text("u")))

    with pytest.raises(Untranslatable):
        write(with_block(essential=True))
    body, losses = write(with_block(text="words"))
    assert body["input"][0]["content"][0]["text"] == "words"
    assert losses == ["messages.0.content.0"]
    assert write(with_block())[1] == ["messages.0.content.0"]


@pytest.mark.parametrize(
    "media",
    [
        ir.Media(ir.MediaKind.VIDEO, data="AAAA", at="m"),
        ir.Media(ir.MediaKind.IMAGE, file_id="file_1", at="m"),
        ir.Media(ir.MediaKind.IMAGE, url="gs://bucket/x", at="m"),
    ],
)
def test_media_that_openai_cannot_have_is_refused(media: ir.Media) -> None:
    with pytest.raises(Untranslatable) as caught:
        write(request(MESSAGES, media))
    assert caught.value.paths == ("m",)


def test_cache_markers_go_to_models_that_take_them() -> None:
    text = ir.Text("u", cache=ir.Cache("1h"), at="messages.0.content.0")
    body, losses = write(request(MESSAGES, text))
    (piece,) = body["input"][0]["content"]
    assert piece["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "12h"}
    assert losses == []
    _, losses = write(request(MESSAGES, text), target(RESPONSES, "gpt-5", genuine=True))
    assert losses == ["messages.0.content.0.cache_control"]
