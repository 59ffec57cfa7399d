from __future__ import annotations

import json
from typing import Any

import pytest

from dragoman import ir
from dragoman.errors import InvalidRequest, Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire.openai_chat import decode_request

TURN = {"role": "user", "content": "Hi"}


def read(**members: Any) -> ir.Request:
    return decode_request(json.dumps({"model": "m", "messages": [TURN], **members}).encode())


def read_turn(**members: Any) -> ir.Message:
    return read(messages=[members]).messages[0]


def test_system_text_stays_where_it_stands() -> None:
    roles = ["system", "user", "developer", "assistant", "system"]
    asked = read(messages=[{"role": role, "content": role} for role in roles])
    assert [message.role for message in asked.messages] == roles
    assert [message.at for message in asked.messages] == [f"messages.{n}" for n in range(5)]


@pytest.mark.parametrize(
    "content", ["Hi", [{"type": "text", "text": "Hi"}], {"type": "text", "text": "Hi"}]
)
def test_text_in_every_form(content: Any) -> None:
    (part,) = read_turn(role="user", content=content).parts
    assert isinstance(part, ir.Text)
    assert part.text == "Hi"


def test_tool_content_may_be_an_array() -> None:
    content = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    (result,) = read_turn(role="tool", tool_call_id="x", content=content).parts
    assert isinstance(result, ir.ToolResult)
    assert [part.text for part in result.parts if isinstance(part, ir.Text)] == ["a", "b"]


def test_an_assistant_s_turn_is_thinking_then_text_then_calls() -> None:
    turn = read_turn(
        role="assistant",
        content="So.",
        reasoning_content="hm",
        refusal=None,
        annotations=[{"type": "url_citation"}],
        tool_calls=[
            {"id": "a", "type": "function", "index": 0, "function": {"name": "f", "arguments": {}}},
            {"id": "b", "type": "custom", "custom": {"name": "g", "input": "raw"}},
        ],
    )
    kinds = [type(part) for part in turn.parts]
    assert kinds == [ir.Thinking, ir.Text, ir.ToolCall, ir.ToolCall]
    assert turn.parts[2] == ir.ToolCall("a", "f", "{}", at="messages.0.tool_calls.0")
    assert turn.extras == {}


def test_details_of_a_vendor_are_kept_for_that_protocol() -> None:
    details = [{"type": "reasoning.encrypted", "data": "x"}]
    (thought,) = read_turn(role="assistant", content=None, reasoning_details=details).parts
    assert isinstance(thought, ir.Thinking)
    assert thought.sealed is not None
    assert json.loads(thought.sealed.value) == details
    assert thought.sealed.origin == ir.Origin("", Protocol.CHAT)


@pytest.mark.parametrize(
    ("members", "expected", "name"),
    [
        ({"reasoning_effort": "low"}, ir.Reasoning(effort="low"), "reasoning_effort"),
        ({"reasoning_effort": "none"}, ir.Reasoning(mode=ir.ReasoningMode.OFF), "reasoning_effort"),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            ir.Reasoning(mode=ir.ReasoningMode.ON, budget=2000),
            "thinking",
        ),
        ({"thinking": {"type": "disabled"}}, ir.Reasoning(mode=ir.ReasoningMode.OFF), "thinking"),
        ({"reasoning": {"effort": "high"}}, ir.Reasoning(effort="high"), "reasoning"),
        ({"reasoning": {"enabled": False}}, ir.Reasoning(mode=ir.ReasoningMode.OFF), "reasoning"),
        (
            {"reasoning": {"max_tokens": 5}},
            ir.Reasoning(mode=ir.ReasoningMode.ON, budget=5),
            "reasoning",
        ),
    ],
)
def test_reasoning_in_every_vendor_s_words(
    members: dict[str, Any], expected: ir.Reasoning, name: str
) -> None:
    asked = read(**members)
    assert asked.reasoning == expected
    assert asked.name("reasoning") == name


@pytest.mark.parametrize(
    ("members", "cap", "name"),
    [
        ({"max_tokens": 5}, 5, "max_tokens"),
        ({"max_completion_tokens": 6}, 6, "max_completion_tokens"),
        ({"max_tokens": 5, "max_completion_tokens": 6}, 6, "max_completion_tokens"),
        ({"max_completion_tokens": 0}, 0, "max_completion_tokens"),
    ],
)
def test_the_cap_has_two_names(members: dict[str, int], cap: int, name: str) -> None:
    asked = read(**members)
    assert (asked.max_tokens, asked.name("max_tokens")) == (cap, name)


def test_stream_options() -> None:
    asked = read(stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    assert asked.stream_usage
    assert asked.extras == {}
    asked = read(stream_options={"include_obfuscation": True})
    assert asked.extras == {"stream_options": {"include_obfuscation": True}}


def test_web_search_is_a_server_tool() -> None:
    (tool,) = read(web_search_options={"search_context_size": "low"}).tools
    assert isinstance(tool, ir.ServerTool)
    assert tool.at == "web_search_options"


def test_media() -> None:
    turn = read_turn(
        role="user",
        content=[
            {"type": "image_url", "image_url": "https://x/a.png"},
            {
                "type": "image_url",
                "image_url": {"url": "data:image/gif;base64,AA", "detail": "low"},
            },
            {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
            {"type": "video_url", "video_url": {"url": "https://x/a.mp4"}},
            {"type": "file", "file": {"file_data": "AA", "filename": "a.pdf"}},
            {"type": "file", "file": {"file_id": "file-1"}},
        ],
    )
    image, inline, sound, film, document, kept = turn.parts
    place = "messages.0.content."
    assert image == ir.Media(ir.MediaKind.IMAGE, url="https://x/a.png", at=place + "0")
    assert inline == ir.Media(
        ir.MediaKind.IMAGE, data="AA", media_type="image/gif", detail="low", at=place + "1"
    )
    assert sound == ir.Media(ir.MediaKind.AUDIO, data="AA", media_type="audio/mp3", at=place + "2")
    assert film == ir.Media(ir.MediaKind.VIDEO, url="https://x/a.mp4", at=place + "3")
    assert document == ir.Media(ir.MediaKind.DOCUMENT, data="AA", name="a.pdf", at=place + "4")
    assert kept == ir.Media(ir.MediaKind.DOCUMENT, file_id="file-1", at=place + "5")


@pytest.mark.parametrize(
    "members",
    [
        {"functions": []},
        {"function_call": "auto"},
        {"modalities": ["text", "audio"]},
        {"audio": {"voice": "x"}},
        {"messages": [{"role": "function", "name": "f", "content": "x"}]},
        {"messages": [{"role": "assistant", "function_call": {"name": "f"}}]},
    ],
)
def test_old_and_spoken_forms_are_refused_in_clear_words(members: dict[str, Any]) -> None:
    with pytest.raises(Untranslatable):
        read(**members)


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"model": 1}, "model"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "robot"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 1}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages.0.content.0.type"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]},
            "messages.0.tool_calls.0.function",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]},
            "messages.0.content.0.file.file_data",
        ),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools.0.function"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_mistakes_are_named(members: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(**members)
    assert caught.value.param == param
