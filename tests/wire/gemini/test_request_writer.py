"""Contents and tools for Gemini, from what clients of other protocols asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, request, target

from dragoman import ir
from dragoman.errors import InvalidRequest, Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.gemini.request_writer import encode_request

GEMINI = Protocol.GEMINI
OTHER = ir.Origin(PROVIDER, Protocol.MESSAGES)
OWN = ir.Origin(PROVIDER, GEMINI)
GEMINI_2 = target(GEMINI, "gemini-2.5-flash", genuine=True)
GEMINI_3 = target(GEMINI, "gemini-3-flash", genuine=True)
USER, MODEL = ir.Role.USER, ir.Role.ASSISTANT
CALL = ir.ToolCall("a", "f", '{"x":1}', at="call")
IMAGE = ir.Media(ir.MediaKind.IMAGE, data="aaaa", media_type="image/png", at="image")


def write(
    *messages: ir.Message, to: Target = GEMINI_2, caller: Protocol = Protocol.CHAT, **more: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    asked = request(caller, **({"messages": messages} if messages else {}), **more)
    encoded = encode_request(asked, to)
    return json.loads(encoded.body), {loss.path: loss.why for loss in encoded.losses}


def say(role: ir.Role, *parts: ir.AnyPart) -> ir.Message:
    return ir.Message(role, parts, at="message")


def test_the_model_stays_out_of_the_body() -> None:
    assert write() == ({"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}, {})


def test_leading_system_messages_are_the_instruction() -> None:
    body, lost = write(
        say(ir.Role.SYSTEM, ir.Text("a")), say(ir.Role.DEVELOPER, ir.Text("b")), say(USER, IMAGE)
    )
    assert body["systemInstruction"] == {"parts": [{"text": "a"}, {"text": "b"}]}
    assert lost == {}


def test_a_system_message_that_stands_alone_is_asked() -> None:
    body, lost = write(say(ir.Role.SYSTEM, ir.Text("a")))
    assert body == {"contents": [{"role": "user", "parts": [{"text": "a"}]}]}
    assert lost.keys() == {"message"}


def test_neighbours_of_one_role_become_one_turn() -> None:
    body, _ = write(
        say(USER, ir.Text("a")),
        say(USER, ir.Text("b")),
        say(MODEL, ir.Text("c")),
        say(USER, ir.Text("")),
        say(MODEL, ir.Text("d")),
    )
    assert [len(turn["parts"]) for turn in body["contents"]] == [2, 2]


def test_state_goes_back_to_its_maker_alone() -> None:
    parts = [
        ir.Thinking("mine", sealed=ir.Sealed("s1", OWN), at="t1"),
        ir.Thinking("bare", sealed=ir.Sealed("", OWN), at="t2"),
        ir.Thinking("theirs", sealed=ir.Sealed("s2", OTHER), at="t3"),
        ir.Thinking("nobody's", at="t4"),
        ir.Text("so", sealed=ir.Sealed("s3", OWN)),
        ir.Text("and", sealed=ir.Sealed("s4", OTHER), at="x"),
        ir.Thinking("", sealed=ir.Sealed("s5", OWN), redacted=True),
        ir.Thinking("", sealed=ir.Sealed("s6", OTHER), redacted=True, at="t5"),
    ]
    body, lost = write(say(MODEL, *parts))
    assert body["contents"][0]["parts"] == [
        {"text": "mine", "thought": True, "thoughtSignature": "s1"},
        {"text": "bare", "thought": True},
        {"text": "so", "thoughtSignature": "s3"},
        {"text": "and"},
        {"text": "", "thoughtSignature": "s5"},
    ]
    assert lost.keys() == {"t3", "t4", "x", "t5"}


def test_another_provider_of_gemini_is_not_the_maker() -> None:
    elsewhere = ir.Sealed("s", ir.Origin("other", GEMINI))
    body, lost = write(say(MODEL, ir.Text("a", sealed=elsewhere, at="x")))
    assert body["contents"][0]["parts"] == [{"text": "a"}]
    assert lost.keys() == {"x"}


def test_the_first_call_of_a_turn_is_signed_where_the_model_insists() -> None:
    calls = [CALL, ir.ToolCall("b", "g")]
    signed = ir.ToolCall("c", "h", sealed=ir.Sealed("s", OWN))
    for to, signatures in (
        (GEMINI_2, [None, None, "s", None]),
        (GEMINI_3, ["skip_thought_signature_validator", None, "s", None]),
    ):
        body, _ = write(
            say(MODEL, *calls), say(USER, ir.Text("x")), say(MODEL, signed, CALL), to=to
        )
        parts = [part for turn in body["contents"] for part in turn["parts"] if "text" not in part]
        assert [part.get("thoughtSignature") for part in parts] == signatures


def test_results_come_first_in_the_order_of_their_calls() -> None:
    calls = [CALL, ir.ToolCall("b", "g")]
    results = [ir.ToolResult("b", (ir.Text("2"),)), ir.ToolResult("a", (ir.Text("1"),))]
    body, _ = write(say(MODEL, *calls), say(USER, ir.Text("x"), *results))
    first, second, text = body["contents"][1]["parts"]
    assert first["functionResponse"] == {"id": "a", "name": "f", "response": {"output": "1"}}
    assert second["functionResponse"]["name"] == "g"
    assert text == {"text": "x"}


def test_a_result_without_its_call_is_named_as_well_as_can_be() -> None:
    body, _ = write(say(USER, ir.ToolResult("a", name="n"), ir.ToolResult("b")))
    named = [part["functionResponse"]["name"] for part in body["contents"][0]["parts"]]
    assert named == ["n", "b"]


def test_media_in_results_stay_inside_or_follow() -> None:
    result = ir.ToolResult("a", (ir.Text("see"), IMAGE))
    inline = {"inlineData": {"mimeType": "image/png", "data": "aaaa"}}
    body, lost = write(say(MODEL, CALL), say(USER, result), to=GEMINI_3)
    assert body["contents"][1]["parts"][0]["functionResponse"]["parts"] == [inline]
    assert lost == {}
    body, lost = write(say(MODEL, CALL), say(USER, result), to=GEMINI_2)
    answered, introduced, moved = body["contents"][1]["parts"]
    assert "parts" not in answered["functionResponse"]
    assert "a" in introduced["text"]
    assert (moved, lost) == (inline, {})


@pytest.mark.parametrize(
    ("media", "part", "lost"),
    [
        (
            ir.Media(ir.MediaKind.IMAGE, url="https://a.example/b.png", detail="high", at="m"),
            {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}},
            {"m.detail"},
        ),
        (
            ir.Media(ir.MediaKind.DOCUMENT, text="t", name="n", context="c", cite=True, at="m"),
            {"text": "n\n\nt"},
            {"m.context", "m.citations"},
        ),
        (
            ir.Media(ir.MediaKind.DOCUMENT, data="JVBERi", name="n", at="m"),
            {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi"}},
            set(),
        ),
        (
            ir.Media(ir.MediaKind.AUDIO, data="aaaa", media_type="audio/wav", at="m"),
            {"inlineData": {"mimeType": "audio/wav", "data": "aaaa"}},
            set(),
        ),
    ],
)
def test_media(media: ir.Media, part: dict[str, Any], lost: set[str]) -> None:
    body, found = write(say(USER, media))
    assert body["contents"][0]["parts"] == [part]
    assert found.keys() == lost


@pytest.mark.parametrize(
    "part",
    [
        ir.Media(ir.MediaKind.DOCUMENT, file_id="file-1", at="p"),
        ir.Media(ir.MediaKind.IMAGE, url="ftp://a.example/b", at="p"),
        ir.Opaque({"type": "x"}, Protocol.MESSAGES, essential=True, at="p"),
    ],
)
def test_what_must_not_be_dropped_is_refused(part: ir.AnyPart) -> None:
    with pytest.raises(Untranslatable) as raised:
        write(say(USER, part))
    assert raised.value.paths == ("p",)


def test_other_parts() -> None:
    parts = [
        ir.Refusal("No."),
        ir.ToolReference("f"),
        ir.Opaque({"type": "x"}, Protocol.MESSAGES, text="words", at="o1"),
        ir.Opaque({"type": "x"}, Protocol.MESSAGES, at="o2"),
        ir.Opaque({"executableCode": {"code": "1"}}, GEMINI),
        ir.Text("", cache=ir.Cache(), extras={"y": 1}, at="e"),
    ]
    body, lost = write(say(USER, *parts))
    assert body["contents"][0]["parts"] == [
        {"text": "No."},
        {"text": "The tool f can be called now."},
        {"text": "words"},
        {"executableCode": {"code": "1"}},
    ]
    assert lost.keys() == {"o1", "o2", "e.prompt_cache_breakpoint", "e.y"}


def test_memory_of_others_is_refused_and_googles_kept() -> None:
    with pytest.raises(InvalidRequest) as raised:
        write(caller=Protocol.MESSAGES, memory=ir.Memory("thread", "t"))
    assert raised.value.details == {"error_code": "thread_unsupported_request"}
    body, _ = write(caller=GEMINI, memory=ir.Memory("cachedContent", "cachedContents/1"))
    assert body["cachedContent"] == "cachedContents/1"


TOOL = ir.Tool(
    name="f",
    description="d",
    parameters={"type": "object", "additionalProperties": False},
    strict=True,
    at="tools.0",
)


def test_tools_go_as_json_schema_to_google_and_in_the_dialect_elsewhere() -> None:
    body, lost = write(tools=(TOOL,))
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": TOOL.parameters}
            ]
        }
    ]
    assert lost.keys() == {"tools.0.strict"}
    body, lost = write(tools=(TOOL,), to=target(GEMINI))
    (function,) = body["tools"][0]["functionDeclarations"]
    assert function["parameters"] == {"type": "OBJECT"}
    assert lost.keys() == {"tools.0.strict", "tools.0.parameters.additionalProperties"}


@pytest.mark.parametrize(
    ("choice", "calling"),
    [
        (ir.ToolChoice(ir.ChoiceMode.AUTO), {"mode": "AUTO"}),
        (ir.ToolChoice(ir.ChoiceMode.NONE), {"mode": "NONE"}),
        (ir.ToolChoice(ir.ChoiceMode.REQUIRED), {"mode": "ANY"}),
        (
            ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("f"),)),
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_tool_choices(choice: ir.ToolChoice, calling: dict[str, Any]) -> None:
    body, _ = write(tools=(TOOL,), tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": calling}
    assert "toolConfig" not in write(tool_choice=choice)[0]


def test_a_choice_among_some_declares_those() -> None:
    tools = (TOOL, ir.Tool(name="g"))
    choice = ir.ToolChoice(ir.ChoiceMode.REQUIRED, (ir.ToolName("g"),))
    body, _ = write(tools=tools, tool_choice=choice)
    assert [each["name"] for each in body["tools"][0]["functionDeclarations"]] == ["g"]
    assert body["toolConfig"] == {"functionCallingConfig": {"mode": "ANY"}}


def test_deferred_tools_wait_for_their_search() -> None:
    deferred = ir.Tool(name="late", deferred=True)
    found = ir.ToolResult("a", (ir.ToolReference("late"),))
    body, _ = write(tools=(TOOL, deferred))
    assert len(body["tools"][0]["functionDeclarations"]) == 1
    body, _ = write(say(MODEL, CALL), say(USER, found), tools=(TOOL, deferred))
    assert len(body["tools"][0]["functionDeclarations"]) == 2


def server_tool(kind: str, protocol: Protocol = Protocol.MESSAGES, **value: Any) -> ir.ServerTool:
    return ir.ServerTool(
        type=kind, value={"type": kind, **value}, protocol=protocol, name="web_search", at="s"
    )


@pytest.mark.parametrize(
    ("tool", "counterpart"),
    [
        (server_tool("web_search_20250305", max_uses=3), "googleSearch"),
        (server_tool("web_search", Protocol.RESPONSES, max_uses=3), "googleSearch"),
        (server_tool("web_fetch_20250910", max_uses=3), "urlContext"),
    ],
)
def test_searches_have_a_counterpart_where_they_stand_alone(
    tool: ir.ServerTool, counterpart: str
) -> None:
    choice = ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("web_search"),))
    body, lost = write(tools=(tool,), tool_choice=choice)
    assert body["tools"] == [{counterpart: {}}]
    assert "toolConfig" not in body
    assert lost.keys() == {"s.max_uses", "tool_choice"}
    body, lost = write(tools=(TOOL, tool))
    assert len(body["tools"]) == 1
    assert lost.keys() == {"tools.0.strict", "s"}


def test_other_server_tools_are_refused_in_clear_words() -> None:
    with pytest.raises(Untranslatable, match="computer_20250124"):
        write(tools=(server_tool("computer_20250124"),))


def test_what_only_the_caller_has_is_recorded_or_kept() -> None:
    extras = {"generationConfig.mediaResolution": "LOW", "labels": {"a": "b"}}
    body, lost = write(caller=GEMINI, extras=extras)
    assert (body["generationConfig"], body["labels"]) == ({"mediaResolution": "LOW"}, {"a": "b"})
    assert lost == {}
    _, lost = write(extras={"logit_bias": {}}, parallel=False, tools=(ir.Tool(name="f"),))
    assert lost.keys() == {"logit_bias", "parallel"}


def test_names_of_participants_are_recorded() -> None:
    _, lost = write(ir.Message(USER, (ir.Text("x"),), name="Ada", extras={"y": 1}, at="m"))
    assert lost.keys() == {"m.name", "m.y"}


def test_deep_nesting_is_refused() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(600):
        schema = {"type": "array", "items": schema}
    with pytest.raises(Untranslatable):
        write(tools=(ir.Tool(name="f", parameters=schema),), to=target(GEMINI))
