from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import request, target

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.openai_chat import encode_request

TO = target(Protocol.CHAT)
OPENAI = target(Protocol.CHAT, "gpt-5.6", genuine=True)
USER, ASSISTANT = ir.Role.USER, ir.Role.ASSISTANT
MESSAGES = Protocol.MESSAGES


def write(asked: ir.Request, to: Target = TO) -> tuple[dict[str, Any], list[str]]:
    encoded = encode_request(asked, to)
    return json.loads(encoded.body), [loss.path for loss in encoded.losses]


def write_turn(role: ir.Role, *parts: ir.AnyPart, to: Target = TO) -> list[dict[str, Any]]:
    message = ir.Message(role, parts, at="messages.0")
    return write(request(MESSAGES, messages=(message,)), to)[0]["messages"]


def test_developers_speak_to_openai_only() -> None:
    assert write_turn(ir.Role.DEVELOPER, ir.Text("x"))[0]["role"] == "system"
    assert write_turn(ir.Role.DEVELOPER, ir.Text("x"), to=OPENAI)[0]["role"] == "developer"


def test_an_assistant_s_texts_are_one() -> None:
    call = ir.ToolCall("a", "f")
    (turn,) = write_turn(ASSISTANT, ir.Text("a"), ir.Text("b"), call)
    assert turn["content"] == "ab"
    assert turn["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    ]
    (silent,) = write_turn(ASSISTANT, call)
    assert silent["content"] is None


def test_a_turn_of_which_nothing_is_left_is_left_out() -> None:
    sealed = ir.Sealed("s", ir.Origin("far", MESSAGES))
    assert write_turn(ASSISTANT, ir.Thinking("hm", sealed=sealed)) == []


def test_results_come_before_text_and_errors_say_so() -> None:
    failed = ir.ToolResult("a", (ir.Text("no disk"),), is_error=True)
    said = ir.ToolResult("b", (ir.Text("Error: x"), ir.Text("y")), is_error=True)
    turns = write_turn(USER, ir.Text("go on"), failed, said)
    assert turns == [
        {"role": "tool", "tool_call_id": "a", "content": "Error: no disk"},
        {"role": "tool", "tool_call_id": "b", "content": "Error: x\ny"},
        {"role": "user", "content": "go on"},
    ]


def test_tools_that_were_found_are_named() -> None:
    (turn,) = write_turn(USER, ir.ToolResult("a", (ir.ToolReference("f"),)))
    assert "f" in turn["content"]


def test_a_vendor_s_own_details_go_back_to_it() -> None:
    details = [{"type": "reasoning.encrypted", "data": "x"}]
    own = ir.Sealed(json.dumps(details), ir.Origin("acme", Protocol.CHAT))
    (turn,) = write_turn(ASSISTANT, ir.Thinking("hm", sealed=own))
    assert (turn["reasoning_content"], turn["reasoning_details"]) == ("hm", details)


def test_only_openai_gets_what_only_openai_has() -> None:
    asked = request(
        Protocol.RESPONSES,
        verbosity="low",
        cache_key="k",
        metadata={"a": "b"},
        service_tier="flex",
        tools=(ir.Tool(name="exec", kind=ir.ToolKind.CUSTOM, format=GRAMMAR, at="tools.0"),),
    )
    body, lost = write(asked, OPENAI)
    assert (body["verbosity"], body["prompt_cache_key"], body["service_tier"]) == (
        "low",
        "k",
        "flex",
    )
    assert body["tools"][0]["custom"]["format"]["grammar"] == {"syntax": "regex", "definition": "a"}
    assert lost == []
    body, lost = write(asked)
    assert not body.keys() & {"verbosity", "prompt_cache_key", "service_tier", "metadata"}
    assert body["tools"][0]["type"] == "function"
    assert set(lost) == {"verbosity", "cache_key", "metadata", "service_tier", "tools.0.format"}


GRAMMAR = {"type": "grammar", "syntax": "regex", "definition": "a"}


def test_a_named_custom_tool() -> None:
    tool = ir.Tool(name="exec", kind=ir.ToolKind.CUSTOM)
    choice = ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("exec", kind=ir.ToolKind.CUSTOM),))
    asked = request(Protocol.RESPONSES, tools=(tool,), tool_choice=choice)
    assert write(asked, OPENAI)[0]["tool_choice"] == {"type": "custom", "custom": {"name": "exec"}}
    named = {"type": "function", "function": {"name": "exec"}}
    assert write(asked)[0]["tool_choice"] == named


def test_no_choice_without_tools() -> None:
    asked = request(MESSAGES, tool_choice=ir.ToolChoice(ir.ChoiceMode.AUTO), parallel=False)
    assert not write(asked)[0].keys() & {"tools", "tool_choice", "parallel_tool_calls"}


def test_usage_is_always_asked_for_where_it_can_be() -> None:
    asked = request(MESSAGES, stream=True)
    assert write(asked)[0]["stream_options"] == {"include_usage": True}
    without = target(Protocol.CHAT, stream_usage=False)
    assert "stream_options" not in write(asked, without)[0]


def test_several_answers_cannot_be_streamed() -> None:
    with pytest.raises(Untranslatable):
        write(request(Protocol.GEMINI, stream=True, n=2))
    assert write(request(Protocol.GEMINI, n=2))[0]["n"] == 2


@pytest.mark.parametrize(
    ("to", "effort"),
    [
        (TO, None),
        (target(Protocol.CHAT, reasons=True), "high"),
        (OPENAI, "high"),
        (target(Protocol.CHAT, "o3-mini", genuine=True), "high"),
        (target(Protocol.CHAT, "gpt-4o", genuine=True), None),
        (target(Protocol.CHAT, "gpt-5.6", genuine=True, reasons=False), None),
    ],
)
def test_only_models_that_reason_are_told_how_much(to: Target, effort: str | None) -> None:
    body, lost = write(request(MESSAGES, reasoning=ir.Reasoning(effort="high")), to)
    assert body.get("reasoning_effort") == effort
    assert lost == ([] if effort else ["reasoning"])


def test_reasoning_is_switched_off_where_it_can_be() -> None:
    off = request(MESSAGES, reasoning=ir.Reasoning(mode=ir.ReasoningMode.OFF))
    assert write(off, OPENAI)[0]["reasoning_effort"] == "none"
    assert write(off) == (write(request(MESSAGES))[0], [])


def test_documents_and_sound() -> None:
    document = ir.Media(
        ir.MediaKind.DOCUMENT,
        data="JVBE",
        media_type="application/pdf",
        context="c",
        cite=True,
        at="p",
    )
    sound = ir.Media(ir.MediaKind.AUDIO, data="AA", media_type="audio/mpeg")
    body, lost = write(request(MESSAGES, document, sound))
    file, audio = body["messages"][0]["content"]
    assert file["file"]["file_data"].startswith("data:application/pdf;base64,")
    assert audio["input_audio"] == {"data": "AA", "format": "mp3"}
    assert lost == ["p.context", "p.citations"]


@pytest.mark.parametrize(
    "part",
    [
        ir.Media(ir.MediaKind.VIDEO, url="https://x"),
        ir.Media(ir.MediaKind.AUDIO, url="https://x"),
        ir.Media(ir.MediaKind.DOCUMENT, url="https://x"),
        ir.Media(ir.MediaKind.IMAGE, file_id="f"),
        ir.Opaque({"type": "x"}, MESSAGES, essential=True),
    ],
)
def test_what_chat_has_no_form_for_is_refused(part: ir.AnyPart) -> None:
    with pytest.raises(Untranslatable):
        write(request(MESSAGES, part))


def test_a_last_assistant_message_is_no_prefill_elsewhere() -> None:
    messages = (
        ir.Message(USER, (ir.Text("x"),)),
        ir.Message(ASSISTANT, (ir.Text("The answer is"),), at="messages.1"),
    )
    assert write(request(MESSAGES, messages=messages))[1] == ["messages.1"]


def test_efforts_that_the_model_does_not_have_become_the_next_stronger() -> None:
    asked = request(MESSAGES, reasoning=ir.Reasoning(effort="max"))
    body, lost = write(asked, target(Protocol.CHAT, "o3-mini", genuine=True))
    assert (body["reasoning_effort"], lost) == ("high", ["reasoning"])
    off = request(MESSAGES, reasoning=ir.Reasoning(mode=ir.ReasoningMode.OFF))
    body, lost = write(off, target(Protocol.CHAT, "o3-mini", genuine=True))
    assert (body["reasoning_effort"], lost) == ("low", ["reasoning"])


def test_openai_s_models_sample_as_they_see_fit_while_they_reason() -> None:
    asked = request(MESSAGES, temperature=0.2, top_p=1)
    body, lost = write(asked, OPENAI)
    assert not body.keys() & {"temperature", "top_p"}
    assert lost == ["temperature"]
    body, lost = write(asked, target(Protocol.CHAT, "gpt-4o", genuine=True))
    assert (body["temperature"], body["top_p"], lost) == (0.2, 1, [])


def test_cache_markers_where_openai_takes_them() -> None:
    marked = request(MESSAGES, ir.Text("x", cache=ir.Cache("1h"), at="p"), cache=ir.Cache("1h"))
    body, lost = write(marked, OPENAI)
    (part,) = body["messages"][0]["content"]
    assert part["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "12h"}
    assert body["prompt_cache_options"] == {"ttl": "12h"}
    assert lost == []
    assert write(marked, target(Protocol.CHAT, "gpt-5.1", genuine=True))[1] == [
        "p.cache_control",
        "cache",
    ]
    assert write(marked)[1] == ["p.cache_control", "cache"]
