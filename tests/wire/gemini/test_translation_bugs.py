"""The bugs that users of other gateways reported, where Gemini is on one side or on both."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from conversations import (
    PROVIDER,
    decode_stream,
    events_of,
    target,
    translate,
    translate_answer,
    translate_stream,
)

from dragoman import envelope, fold, ir, sse
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import codec

CHAT, RESPONSES, MESSAGES, GEMINI = (
    Protocol.CHAT,
    Protocol.RESPONSES,
    Protocol.MESSAGES,
    Protocol.GEMINI,
)
OTHERS = [CHAT, RESPONSES, MESSAGES]
GEMINI_3 = target(GEMINI, "gemini-3-flash", genuine=True)
ASK = [{"role": "user", "content": "Hi"}]
USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 30,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 7,
    "totalTokenCount": 127,
}


def part_chunk(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    candidate = {"index": 0, "content": {"role": "model", "parts": list(parts)}, **members}
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "m"}


def gemini_stream(*parts: dict[str, Any], reason: str = "STOP") -> bytes:
    """A Gemini provider's whole stream, a part in each chunk."""
    chunks = [part_chunk(part) for part in parts]
    chunks.append(part_chunk({"text": ""}, finishReason=reason) | {"usageMetadata": USAGE})
    return b"".join(sse.encode(json.dumps(chunk).encode()) for chunk in chunks)


MIXED = gemini_stream(
    {"text": "Let me ", "thought": True},
    {"text": "see.", "thought": True},
    {"text": "Hel"},
    {"text": "lo 世"},
    {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"},
    {"functionCall": {"name": "g"}},
)


def answer_of(stream: bytes, protocol: Protocol) -> ir.Response:
    """What a client of `protocol` hears in a stream, by that protocol's own decoder."""
    return fold.fold(decode_stream(codec(protocol), stream))


@pytest.mark.parametrize("caller", [*OTHERS, GEMINI])
@pytest.mark.parametrize("step", [None, 1, 7])
def test_wire_01_to_05_parts_and_calls_survive_any_split(
    caller: Protocol, step: int | None
) -> None:
    heard = answer_of(translate_stream(MIXED, GEMINI, caller, step=step), caller)
    thought = "".join(part.text for part in heard.parts if isinstance(part, ir.Thinking))
    text = "".join(part.text for part in heard.parts if isinstance(part, ir.Text))
    calls = [part for part in heard.parts if isinstance(part, ir.ToolCall)]
    assert (thought, text) == ("Let me see.", "Hello 世")
    assert [(call.name, call.arguments) for call in calls] == [("f", '{"x":1}'), ("g", "{}")]
    assert len({call.id for call in calls}) == 2


def test_wire_03_parallel_calls_of_others_stay_apart_for_a_gemini_client() -> None:
    heard = answer_of(translate_stream(MIXED, GEMINI, CHAT), CHAT)
    stream = translate_stream(MIXED, GEMINI, CHAT)
    back = answer_of(translate_stream(stream, CHAT, GEMINI), GEMINI)
    assert [part.name for part in back.parts if isinstance(part, ir.ToolCall)] == ["f", "g"]
    assert [part.id for part in back.parts if isinstance(part, ir.ToolCall)] == [
        part.id for part in heard.parts if isinstance(part, ir.ToolCall)
    ]


@pytest.mark.parametrize("caller", OTHERS)
def test_wire_07_and_41_to_43_usage_is_counted_once(caller: Protocol) -> None:
    usage = ir.Usage(input=70, cache_read=30, output=20, reasoning=7)
    assert answer_of(translate_stream(MIXED, GEMINI, caller, stream_usage=True), caller).usage == (
        usage
    )
    body = part_chunk({"text": "x"}, finishReason="STOP") | {"usageMetadata": USAGE}
    written = json.dumps(translate_answer(body, GEMINI, caller)).encode()
    assert codec(caller).decode_response(written, ir.Origin(PROVIDER, caller)).usage == usage


def test_wire_08_chunks_without_candidates_are_no_crash() -> None:
    empty = b'data: {"usageMetadata":{}}\n\ndata: {"candidates":null}\n\n'
    assert "Hello" in answer_of(translate_stream(empty + MIXED, GEMINI, CHAT), CHAT).parts[1].text


@pytest.mark.parametrize("source", OTHERS)
def test_wire_09_a_call_without_arguments_has_an_empty_object(source: Protocol) -> None:
    call = ir.ToolCall("call_a", "f")
    asked = ir.Request(
        protocol=GEMINI, model="m", messages=(ir.Message(ir.Role.ASSISTANT, (call,)),)
    )
    body = codec(source).encode_request(asked, target(source)).body
    sent = codec(GEMINI).encode_request(codec(source).decode_request(body), GEMINI_3).body
    (turn,) = json.loads(sent)["contents"]
    assert turn["parts"][0]["functionCall"] == {"id": "call_a", "name": "f", "args": {}}


@pytest.mark.parametrize(
    ("caller", "word"), [(CHAT, "tool_calls"), (MESSAGES, "tool_use"), (RESPONSES, "completed")]
)
def test_wire_10_stop_with_a_call_is_a_stop_for_the_call(caller: Protocol, word: str) -> None:
    body = part_chunk({"functionCall": {"name": "f"}}, finishReason="STOP")
    written = translate_answer(body, GEMINI, caller)
    found = {
        CHAT: lambda: written["choices"][0]["finish_reason"],
        MESSAGES: lambda: written["stop_reason"],
        RESPONSES: lambda: written["status"],
    }
    assert found[caller]() == word


@pytest.mark.parametrize("caller", [*OTHERS, GEMINI])
def test_wire_11_a_death_is_an_error_and_no_end(caller: Protocol) -> None:
    cut = sse.encode(json.dumps(part_chunk({"text": "Hel"})).encode())
    *_, final = events_of(translate_stream(cut, GEMINI, caller))
    assert final != "[DONE]"
    assert '"error"' in json.dumps(final)


@pytest.mark.parametrize("caller", OTHERS)
def test_wire_12_a_failure_event_keeps_its_message(caller: Protocol) -> None:
    error = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    stream = sse.encode(json.dumps(part_chunk({"text": "x"})).encode()) + sse.encode(
        json.dumps(error).encode()
    )
    *_, final = events_of(translate_stream(stream, GEMINI, caller))
    assert "Overloaded." in json.dumps(final)


@pytest.mark.parametrize("caller", OTHERS)
def test_wire_13_to_15_streams_may_be_framed_in_any_way(caller: Protocol) -> None:
    plain = translate_stream(MIXED, GEMINI, caller)
    crlf = MIXED.replace(b"\n", b"\r\n")
    comments = b": hi\n\n" + MIXED.replace(b"data: ", b"data:").rstrip(b"\n")
    for stream in (crlf, comments):
        assert translate_stream(stream, GEMINI, caller, step=3) == plain


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aaaa"}}
USE = {"type": "tool_use", "id": "a", "name": "f", "input": {}}


def test_wire_17_images_survive_in_turns_and_results() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [IMAGE]}
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": [IMAGE]},
            {"role": "assistant", "content": [USE]},
            {"role": "user", "content": [result]},
        ],
    }
    inline = {"inlineData": {"mimeType": "image/png", "data": "aaaa"}}
    sent, losses = translate(body, MESSAGES, GEMINI_3)
    assert sent["contents"][0]["parts"] == [inline]
    assert sent["contents"][2]["parts"][0]["functionResponse"]["parts"] == [inline]
    assert losses == {}
    sent, losses = translate(body, MESSAGES, target(GEMINI, "gemini-2.5-pro"))
    assert sent["contents"][2]["parts"][-1] == inline
    assert losses == {}
    back, _ = translate(sent, GEMINI, target(MESSAGES))
    assert back["messages"][0]["content"] == [IMAGE]


def test_wire_18_documents_are_translated_or_refused() -> None:
    pdf = {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi"}}
    body = {"contents": [{"parts": [pdf]}]}
    sent, _ = translate(body, GEMINI, target(MESSAGES))
    assert sent["messages"][0]["content"][0]["source"]["data"] == "JVBERi"
    sent, _ = translate(body, GEMINI, target(CHAT))
    assert sent["messages"][0]["content"][0]["file"]["file_data"].endswith("JVBERi")


GOOGLES_FILE = "https://generativelanguage.googleapis.com/v1beta/files/a"


@pytest.mark.parametrize(
    ("uri", "destination"),
    [
        *((GOOGLES_FILE, destination) for destination in OTHERS),
        ("gs://bucket/a.png", MESSAGES),
        ("gs://bucket/a.png", RESPONSES),
    ],
)
def test_wire_19_what_only_google_can_fetch_is_refused(uri: str, destination: Protocol) -> None:
    part = {"fileData": {"mimeType": "image/png", "fileUri": uri}}
    with pytest.raises(Untranslatable) as raised:
        translate({"contents": [{"parts": [part]}]}, GEMINI, target(destination))
    assert raised.value.paths == ("contents.0.parts.0",)


def test_wire_19_a_url_that_anyone_can_fetch_goes_on() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}
    body = {"model": "m", "messages": [{"role": "user", "content": [image]}]}
    sent, _ = translate(body, CHAT, GEMINI_3)
    assert sent["contents"][0]["parts"] == [
        {"fileData": {"mimeType": "image/png", "fileUri": "https://a.example/b.png"}}
    ]
    assert translate(sent, GEMINI, target(CHAT))[0]["messages"] == body["messages"]


def test_wire_20_empty_texts_do_not_break_a_turn() -> None:
    body = {"contents": [{"parts": [{"text": ""}, {"text": "Hi"}]}]}
    sent, losses = translate(body, GEMINI, target(MESSAGES))
    assert sent["messages"] == ASK
    assert losses == {}


def test_wire_21_results_come_together_first_and_in_order() -> None:
    def call(id: str, name: str) -> dict[str, Any]:
        return {"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}}

    turns = [
        *ASK,
        {"role": "assistant", "tool_calls": [call("a", "f"), call("b", "g")]},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "user", "content": "Go on"},
    ]
    sent, _ = translate({"model": "m", "messages": turns}, CHAT, GEMINI_3)
    (turn,) = sent["contents"][2:]
    assert [part.get("functionResponse", {}).get("name") for part in turn["parts"]] == [
        *("f", "g"),
        None,
    ]


def test_wire_22_ids_of_any_form_come_back() -> None:
    call = {"functionCall": {"id": "functions.Bash:0", "name": "f"}}
    body = part_chunk(call, finishReason="STOP")
    written = translate_answer(body, GEMINI, MESSAGES)
    (block,) = written["content"]
    turns = [*ASK, {"role": "assistant", "content": [block]}]
    sent, _ = translate({"model": "m", "messages": turns}, MESSAGES, GEMINI_3)
    assert sent["contents"][1]["parts"][0]["functionCall"]["id"] == "functions.Bash:0"


def test_wire_23_a_system_message_keeps_its_place() -> None:
    turns = [*ASK, {"role": "assistant", "content": "Hello"}, {"role": "system", "content": "New."}]
    sent, losses = translate({"model": "m", "messages": turns}, CHAT, GEMINI_3)
    assert sent["contents"][2]["parts"] == [{"text": "<system>\nNew.\n</system>"}]
    assert losses.keys() == {"messages.2"}


def test_wire_24_and_25_caps_and_stops_by_target() -> None:
    body = {"contents": [{"parts": [{"text": "Hi"}]}]} | {
        "generationConfig": {"maxOutputTokens": 99, "stopSequences": ["END"]}
    }
    messages, _ = translate(body, GEMINI, target(MESSAGES))
    assert (messages["max_tokens"], messages["stop_sequences"]) == (99, ["END"])
    chat, _ = translate(body, GEMINI, target(CHAT, "gpt-5", genuine=True))
    assert chat["max_completion_tokens"] == 99
    for source, caps in ((CHAT, "max_tokens"), (MESSAGES, "max_tokens")):
        back, _ = translate({"model": "m", "messages": ASK, caps: 99}, source, GEMINI_3)
        assert back["generationConfig"]["maxOutputTokens"] == 99


CHOICES = [
    ("auto", {"mode": "AUTO"}),
    ("none", {"mode": "NONE"}),
    ("required", {"mode": "ANY"}),
    (
        {"type": "function", "function": {"name": "f"}},
        {"mode": "ANY", "allowedFunctionNames": ["f"]},
    ),
]


@pytest.mark.parametrize(("chat", "gemini"), CHOICES)
def test_wire_26_tool_choices_both_ways(chat: Any, gemini: Any) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    body = {"model": "m", "messages": ASK, "tools": [tool], "tool_choice": chat}
    sent, _ = translate(body, CHAT, GEMINI_3)
    assert sent["toolConfig"]["functionCallingConfig"] == gemini
    assert translate(sent, GEMINI, target(CHAT))[0]["tool_choice"] == chat


def test_wire_27_structured_output_both_ways() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    named = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    for form, expected in (({"type": "json_object"}, None), (named, schema)):
        body = {"model": "m", "messages": ASK, "response_format": form}
        sent, losses = translate(body, CHAT, GEMINI_3)
        config = sent["generationConfig"]
        assert config["responseMimeType"] == "application/json"
        assert config.get("responseJsonSchema") == expected
        assert losses == {}
        back, _ = translate(sent, GEMINI, target(CHAT, genuine=True))
        assert back["response_format"]["type"] == form["type"]


def test_wire_28_and_29_schemas_reach_google_whole_and_copies_in_the_dialect() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"kind": {"const": "a"}, "n": {"type": ["integer", "null"]}},
        "additionalProperties": False,
    }
    tool = {"name": "f", "input_schema": schema}
    body = {"model": "m", "max_tokens": 9, "messages": ASK, "tools": [tool]}
    sent, losses = translate(body, MESSAGES, GEMINI_3)
    assert sent["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"] == schema
    assert losses == {}
    sent, losses = translate(body, MESSAGES, target(GEMINI))
    assert sent["tools"][0]["functionDeclarations"][0]["parameters"] == {
        "type": "OBJECT",
        "properties": {
            "kind": {"type": "STRING", "enum": ["a"]},
            "n": {"type": "INTEGER", "nullable": True},
        },
    }
    assert losses.keys() == {"tools.0.parameters.additionalProperties"}


def test_wire_31_log_probabilities_both_ways() -> None:
    result = {
        "chosenCandidates": [{"token": "x", "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "x", "logProbability": -0.5}]}],
    }
    body = part_chunk({"text": "x"}, finishReason="STOP", logprobsResult=result)
    written = translate_answer(body, GEMINI, CHAT)
    (token,) = written["choices"][0]["logprobs"]["content"]
    assert (token["token"], token["logprob"]) == ("x", -0.5)
    back = translate_answer(written, CHAT, GEMINI)
    assert back["candidates"][0]["logprobsResult"] == result


def test_wire_32_unknown_fields_are_recorded() -> None:
    body = {"contents": [{"parts": [{"text": "Hi"}]}], "newField": 1}
    body["generationConfig"] = {"newSetting": 2}
    for destination in OTHERS:
        _, losses = translate(body, GEMINI, target(destination))
        assert losses.keys() == {"newField", "generationConfig.newSetting"}


@pytest.mark.parametrize("caller", OTHERS)
def test_wire_34_to_36_signatures_come_back_to_their_maker_alone(caller: Protocol) -> None:
    """Through a whole tool loop of a client of another protocol."""
    decoder_origin = ir.Origin(PROVIDER, caller)
    body = part_chunk(
        {"text": "hm", "thought": True},
        {"functionCall": {"id": "call_1", "name": "f"}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "call_2", "name": "f"}},
        finishReason="STOP",
    )
    written = json.dumps(translate_answer(body, GEMINI, caller)).encode()
    heard = codec(caller).decode_response(written, decoder_origin)
    replay = ir.Request(
        protocol=caller,
        model="m",
        messages=(ir.Message(ir.Role.ASSISTANT, heard.parts),),
    )
    sent = codec(caller).encode_request(replay, target(caller, genuine=True)).body
    asked = codec(caller).decode_request(sent)
    for provider, signatures in (
        (PROVIDER, ["c2ln", None]),
        ("other", ["skip_thought_signature_validator", None]),
    ):
        to = msgspec.structs.replace(GEMINI_3, provider=provider)
        encoded = codec(GEMINI).encode_request(asked, to)
        parts = json.loads(encoded.body)["contents"][0]["parts"]
        calls = [part for part in parts if "functionCall" in part]
        assert [part.get("thoughtSignature") for part in calls] == signatures
        unsigned = [loss.path for loss in encoded.losses if "signature" in loss.why]
        assert bool(unsigned) == (provider == "other")


def test_wire_35_state_of_others_passes_through_a_gemini_client() -> None:
    block = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    body = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [block, {"type": "redacted_thinking", "data": "cmVk"}, USE],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    written = translate_answer(body, MESSAGES, GEMINI)
    content = written["candidates"][0]["content"]
    assert content["parts"][0]["thoughtSignature"].startswith(envelope.PREFIX)
    back, losses = translate({"contents": [content]}, GEMINI, target(MESSAGES))
    assert back["messages"][0]["content"] == body["content"]
    assert losses == {}


@pytest.mark.parametrize("caller", OTHERS)
def test_wire_39_thinking_that_eats_the_cap_is_a_length(caller: Protocol) -> None:
    body = {
        "candidates": [{"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}],
        "usageMetadata": USAGE,
    }
    written = json.dumps(translate_answer(body, GEMINI, caller)).encode()
    heard = codec(caller).decode_response(written, ir.Origin(PROVIDER, caller))
    assert heard.finish.reason is ir.FinishReason.LENGTH


def test_wire_40_cache_markers_are_recorded() -> None:
    text = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}
    body = {"model": "m", "messages": [{"role": "user", "content": [text]}]}
    _, losses = translate(body, MESSAGES, GEMINI_3)
    assert losses.keys() == {"messages.0.content.0.cache_control"}


def test_wire_45_server_tools_are_mapped_or_refused_in_clear_words() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    body = {"model": "m", "messages": ASK, "tools": [search]}
    assert translate(body, MESSAGES, GEMINI_3)[0]["tools"] == [{"googleSearch": {}}]
    asked = {"contents": [{"parts": [{"text": "Hi"}]}], "tools": [{"codeExecution": {}}]}
    for destination in OTHERS:
        with pytest.raises(Untranslatable, match="codeExecution"):
            translate(asked, GEMINI, target(destination))


@pytest.mark.parametrize("reason", ["SAFETY", "PROHIBITED_CONTENT", "RECITATION"])
def test_wire_46_a_filter_keeps_its_meaning(reason: str) -> None:
    body = part_chunk({"text": "x"}, finishReason=reason)
    assert translate_answer(body, GEMINI, CHAT)["choices"][0]["finish_reason"] == "content_filter"
    assert translate_answer(body, GEMINI, MESSAGES)["stop_reason"] == "refusal"


def test_wire_47_custom_and_namespaced_tools_of_codex() -> None:
    tools = [
        {"type": "custom", "name": "exec", "description": "Runs."},
        {
            "type": "namespace",
            "name": "mcp__a",
            "description": "",
            "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
        },
    ]
    body = {"model": "m", "input": "Hi", "tools": tools}
    sent, _ = translate(body, RESPONSES, GEMINI_3)
    functions = sent["tools"][0]["functionDeclarations"]
    assert [each["name"] for each in functions] == ["exec", "mcp__a__f"]
    assert functions[0]["parametersJsonSchema"]["required"] == ["input"]


def test_wire_50_claude_codes_own_texts_go_nowhere_else() -> None:
    body = {
        "model": "m",
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=1"}],
        "metadata": {"user_id": '{"device_id":"d"}'},
        "messages": ASK,
    }
    sent, losses = translate(body, MESSAGES, GEMINI_3)
    assert "systemInstruction" not in sent
    assert "device_id" not in json.dumps(sent)
    assert losses.keys() >= {"metadata"}
