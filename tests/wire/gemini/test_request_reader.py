"""What Gemini clients may send, in each of its forms."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import words
from hypothesis import given
from hypothesis import strategies as st

from dragoman import ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.gemini.request_reader import decode_request, join_pieces

HI = [{"role": "user", "parts": [{"text": "Hi"}]}]


def read(**members: Any) -> ir.Request:
    return decode_request(json.dumps({"contents": HI, **members}).encode())


def read_turns(*turns: dict[str, Any]) -> tuple[ir.Message, ...]:
    return read(contents=list(turns)).messages


def test_both_spellings_say_the_same() -> None:
    camel = {
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        "generationConfig": {"maxOutputTokens": 3, "thinkingConfig": {"includeThoughts": True}},
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"a_b": 1}}]}],
    }
    snake = {
        "system_instruction": {"parts": {"text": "Be brief."}},
        "tool_config": {"function_calling_config": {"mode": "any"}},
        "generation_config": {
            "max_output_tokens": 3,
            "thinking_config": {"include_thoughts": True},
        },
        "tools": {"function_declarations": [{"name": "f", "parameters_json_schema": {"a_b": 1}}]},
    }
    one, two = read(**camel), read(**snake)
    assert (one.max_tokens, one.reasoning) == (3, ir.Reasoning(show=True))
    assert (two.max_tokens, two.reasoning, two.tool_choice) == (
        one.max_tokens,
        one.reasoning,
        one.tool_choice,
    )
    assert [tool.parameters for tool in (*one.tools, *two.tools) if isinstance(tool, ir.Tool)] == [
        {"a_b": 1},
        {"a_b": 1},
    ]
    assert two.messages[0].role is ir.Role.SYSTEM


def test_the_model_is_in_the_path_or_in_a_count() -> None:
    assert read().model == ""
    inner = {"model": "models/gemini-3-pro", "contents": HI}
    asked = decode_request(json.dumps({"generateContentRequest": inner}).encode())
    assert asked.model == "gemini-3-pro"
    assert asked.messages[0].at == "generateContentRequest.contents.0"


@pytest.mark.parametrize(("role", "read_as"), [("user", "user"), ("model", "assistant")])
def test_roles(role: str, read_as: str) -> None:
    (message,) = read_turns({"role": role, "parts": [{"text": "x"}]})
    assert message.role == read_as


def test_a_turn_without_a_role_is_the_users() -> None:
    assert read_turns({"parts": [{"text": "x"}]})[0].role is ir.Role.USER


def test_results_without_an_id_answer_the_calls_of_their_name_in_order() -> None:
    calls = [{"functionCall": {"name": name}} for name in ("f", "g", "f")]
    results = [
        {"functionResponse": {"name": name, "response": {"output": text}}}
        for name, text in (("f", "1"), ("f", "2"), ("g", "3"))
    ]
    turns = read_turns({"role": "model", "parts": calls}, {"role": "function", "parts": results})
    made = [part.id for part in turns[0].parts if isinstance(part, ir.ToolCall)]
    answered = [part.id for part in turns[1].parts if isinstance(part, ir.ToolResult)]
    assert made == ["call_1", "call_2", "call_3"]
    assert answered == ["call_1", "call_3", "call_2"]


def test_a_result_that_answers_nothing_has_an_id_too() -> None:
    part = {"functionResponse": {"name": "f", "response": {}}}
    (turn,) = read_turns({"role": "user", "parts": [part]})
    (result,) = turn.parts
    assert isinstance(result, ir.ToolResult)
    assert (result.id, result.parts) == ("call_1", ())


def test_an_id_that_is_given_is_kept() -> None:
    call = {"functionCall": {"id": "x", "name": "f", "args": {"a": 1}}}
    result = {"functionResponse": {"id": "x", "name": "f", "response": {"error": "no"}}}
    made, answered = read_turns({"role": "model", "parts": [call]}, {"parts": [result]})
    assert made.parts[0] == ir.ToolCall("x", "f", '{"a":1}', at="contents.0.parts.0")
    (answer,) = answered.parts
    assert isinstance(answer, ir.ToolResult)
    assert answer.is_error


@pytest.mark.parametrize(
    ("config", "form", "name"),
    [
        ({}, None, "responseSchema"),
        ({"responseMimeType": "text/plain"}, None, "responseSchema"),
        ({"responseMimeType": "application/json"}, ir.Format(), "responseMimeType"),
        (
            {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}},
            ir.Format(schema={"type": "string"}),
            "responseSchema",
        ),
        (
            {"responseMimeType": "application/json", "responseJsonSchema": {"type": "string"}},
            ir.Format(schema={"type": "string"}),
            "responseJsonSchema",
        ),
        (
            {
                "responseFormat": [
                    {"text": {"mimeType": "APPLICATION_JSON", "schema": {"type": "string"}}}
                ]
            },
            ir.Format(schema={"type": "string"}),
            "responseFormat",
        ),
    ],
)
def test_formats(config: dict[str, Any], form: ir.Format | None, name: str) -> None:
    asked = read(generationConfig=config)
    assert asked.format == form
    assert asked.name("format") == f"generationConfig.{name}"


@pytest.mark.parametrize(
    ("thinking", "asked"),
    [
        ({"thinkingBudget": 0}, ir.Reasoning(mode=ir.ReasoningMode.OFF)),
        ({"thinkingBudget": -1}, ir.Reasoning(mode=ir.ReasoningMode.ADAPTIVE)),
        ({"thinkingBudget": 99}, ir.Reasoning(mode=ir.ReasoningMode.ON, budget=99)),
        ({"thinkingLevel": "HIGH"}, ir.Reasoning(effort="high")),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, None),
        ({"includeThoughts": False}, ir.Reasoning(show=False)),
        ({}, None),
    ],
)
def test_thinking(thinking: dict[str, Any], asked: ir.Reasoning | None) -> None:
    assert read(generationConfig={"thinkingConfig": thinking}).reasoning == asked


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "AUTO"}, ir.ToolChoice(ir.ChoiceMode.AUTO)),
        ({"mode": "ANY"}, ir.ToolChoice(ir.ChoiceMode.REQUIRED)),
        ({"mode": "NONE"}, ir.ToolChoice(ir.ChoiceMode.NONE)),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
            ir.ToolChoice(ir.ChoiceMode.NAMED, (ir.ToolName("f"),)),
        ),
        (
            {"mode": "ANY", "allowedFunctionNames": ["f", "g"]},
            ir.ToolChoice(ir.ChoiceMode.REQUIRED, (ir.ToolName("f"), ir.ToolName("g"))),
        ),
        ({}, None),
        ({"mode": "MODE_UNSPECIFIED"}, None),
    ],
)
def test_tool_choices(calling: dict[str, Any], choice: ir.ToolChoice | None) -> None:
    assert read(toolConfig={"functionCallingConfig": calling}).tool_choice == choice


def test_a_validated_choice_is_kept_for_google() -> None:
    asked = read(toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}})
    assert asked.tool_choice == ir.ToolChoice(ir.ChoiceMode.AUTO)
    assert asked.extras == {"toolConfig.functionCallingConfig.mode": "VALIDATED"}


def test_tools_of_google_stand_apart() -> None:
    function = {"name": "f", "description": "d", "behavior": "BLOCKING"}
    asked = read(tools=[{"functionDeclarations": [function], "googleSearch": {}}])
    tool, search = asked.tools
    assert isinstance(tool, ir.Tool)
    assert (tool.at, tool.extras) == (
        "tools.0.functionDeclarations.0",
        {"behavior": "BLOCKING"},
    )
    assert isinstance(search, ir.ServerTool)
    assert (search.value, search.at) == ({"googleSearch": {}}, "tools.0.googleSearch")


@pytest.mark.parametrize("field", ["cachedContent", "continuationToken"])
def test_what_google_keeps_is_memory(field: str) -> None:
    assert read(**{field: "x"}).memory == ir.Memory(field, "x")


def test_what_is_left_over_keeps_its_place_in_its_name() -> None:
    asked = read(
        safetySettings=[],
        generationConfig={"responseModalities": ["TEXT"], "mediaResolution": "LOW"},
    )
    assert asked.extras == {"generationConfig.mediaResolution": "LOW", "safetySettings": []}


def thought(text: str, sealed: ir.Sealed | None = None) -> ir.Thinking:
    return ir.Thinking(text, sealed=sealed)


@given(st.lists(words, min_size=1, max_size=4))
def test_thinking_in_pieces_is_joined_up_to_its_signature(pieces: list[str]) -> None:
    sealed = ir.Sealed("s", ir.Origin("", Protocol.GEMINI))
    parts = (*map(thought, pieces), thought("", sealed), thought("next"))
    assert join_pieces(parts) == (thought("".join(pieces), sealed), thought("next"))


def test_text_is_joined_over_a_seam_only() -> None:
    parts = (ir.Text("a"), ir.Text("b"), ir.Text("c"))
    assert join_pieces(parts) == parts
    assert join_pieces(parts, 2) == (ir.Text("a"), ir.Text("bc"))
    signed = ir.Text("b", sealed=ir.Sealed("s", ir.Origin("", Protocol.GEMINI)))
    assert join_pieces((ir.Text("a"), signed), 1) == (ir.Text("a"), signed)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": "Hi"}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents.0.role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents.0.parts.0.text"),
        (
            {"contents": [{"parts": [{"functionCall": {}}]}]},
            "contents.0.parts.0.functionCall.name",
        ),
        (
            {"contents": [{"parts": [{"inlineData": {}}]}]},
            "contents.0.parts.0.inlineData.data",
        ),
        (
            {"contents": HI, "generationConfig": {"temperature": "hot"}},
            "generationConfig.temperature",
        ),
        (
            {"contents": HI, "generationConfig": {"responseMimeType": "text/x.enum"}},
            "generationConfig.responseMimeType",
        ),
        (
            {"contents": HI, "toolConfig": {"functionCallingConfig": {"mode": "SOME"}}},
            "toolConfig.functionCallingConfig.mode",
        ),
        (
            {"contents": HI, "tools": [{"functionDeclarations": [{}]}]},
            "tools.0.functionDeclarations.0.name",
        ),
    ],
)
def test_a_mistake_is_named_by_its_place(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        decode_request(json.dumps(body).encode())
    assert raised.value.param == param
