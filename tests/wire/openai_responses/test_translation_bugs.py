"""The ways translation goes wrong elsewhere, where one side speaks Responses.

The numbers are those of the list that the project keeps of other gateways' bugs; each class is
tried in the directions that it applies to: from Messages or Chat providers to Responses clients,
and from OpenAI's Responses to Messages or Chat clients.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import (
    PROVIDER,
    events_of,
    target,
    translate,
    translate_answer,
    translate_stream,
    view,
)

from dragoman import envelope, ir, sse
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import codec
from dragoman.wire.translation import StreamTranslation
from dragoman.wire.translation import translate_answer as translate_whole

CHAT, MESSAGES, RESPONSES = Protocol.CHAT, Protocol.MESSAGES, Protocol.RESPONSES
CLAUDE = target(MESSAGES, "claude-opus-4-5")
KIMI = target(CHAT, "kimi-k2")
OPENAI = target(RESPONSES, "gpt-5.6", genuine=True)

EXEC = {
    "type": "custom",
    "name": "exec",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"},
}
MAIL = {
    "type": "namespace",
    "name": "mail",
    "description": "Mail.",
    "tools": [{"type": "function", "name": "send", "parameters": {"type": "object"}}],
}


def asked(**more: Any) -> ir.Request:
    body = {"model": "m", "input": "Hi", **more}
    return codec(RESPONSES).decode_request(json.dumps(body).encode())


def chat_stream(*deltas: dict[str, Any], finish: str = "stop", usage: Any = None) -> bytes:
    """A Chat provider's whole stream."""
    chunks: list[Any] = [
        {"id": "c1", "model": "m", "choices": [{"index": 0, "delta": delta}]} for delta in deltas
    ]
    chunks.append({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        chunks.append({"id": "c1", "choices": [], "usage": usage})
    return b"".join(sse.encode(json.dumps(chunk).encode()) for chunk in chunks) + (
        b"data: [DONE]\n\n"
    )


def call_delta(index: int, text: str = "", *, id: str | None = None, name: str = "") -> Any:
    function = {"name": name, "arguments": text} if id else {"arguments": text}
    return {"tool_calls": [{"index": index, "id": id, "type": "function", "function": function}]}


def responses_stream(*items: dict[str, Any], last: dict[str, Any] | None = None) -> bytes:
    """OpenAI's whole stream of `items`, with one delta for each text or call."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {"id": "resp_1", "model": "m", "output": []}}
    ]
    for index, item in enumerate(items):
        bare = {**item, "content": [], "summary": [], "arguments": "", "input": ""}
        place = {"output_index": index, "item_id": item.get("id", "")}
        events.append({"type": "response.output_item.added", "output_index": index, "item": bare})
        for at, piece in enumerate(item.get("content", ())):
            kind = "refusal" if piece["type"] == "refusal" else "output_text"
            delta = piece.get("text") or piece.get("refusal")
            kind = f"response.{kind}.delta"
            events.append({"type": kind, **place, "content_index": at, "delta": delta})
        if item.get("arguments"):
            kind = "response.function_call_arguments.delta"
            events.append({"type": kind, **place, "delta": item["arguments"]})
        for at, piece in enumerate(item.get("summary", ())):
            kind = "response.reasoning_summary_text.delta"
            events.append({"type": kind, **place, "summary_index": at, "delta": piece["text"]})
        events.append({"type": "response.output_item.done", "output_index": index, "item": item})
    response = {"id": "resp_1", "status": "completed", "output": list(items)}
    events.append(last or {"type": "response.completed", "response": response})
    for number, event in enumerate(events):
        event["sequence_number"] = number
    return b"".join(
        sse.encode(json.dumps(event).encode(), event["type"].encode()) for event in events
    )


def text_item(*texts: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


def call_item(id: str, name: str = "f", arguments: str = '{"a":1}') -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": f"fc_{id}",
        "call_id": id,
        "name": name,
        "arguments": arguments,
    }


def to_responses(stream: bytes, source: Protocol = CHAT, **more: Any) -> list[Any]:
    return events_of(translate_stream(stream, source, RESPONSES, **more))


def to_messages(stream: bytes, **more: Any) -> list[Any]:
    return events_of(translate_stream(stream, RESPONSES, MESSAGES, **more))


def to_chat(stream: bytes, **more: Any) -> list[Any]:
    return events_of(translate_stream(stream, RESPONSES, CHAT, **more))


def final(events: list[Any]) -> dict[str, Any]:
    assert events[-1]["type"] in ("response.completed", "response.incomplete")
    return events[-1]["response"]


def through(stream: bytes, request: ir.Request, source: Protocol = CHAT) -> dict[str, Any]:
    """The final response that the caller of `request` gets for a provider's stream."""
    seen = view(RESPONSES).__class__(model="m", id="abc", created=1, request=request)
    translation = StreamTranslation(target(source), seen)
    written = b"".join(map(translation.feed, sse.read(stream))) + translation.close()
    return final(events_of(written))


@pytest.mark.parametrize("step", [None, 1, 7])
def test_wire_01_items_begin_and_end_once_and_indexes_rise(step: int | None) -> None:
    stream = chat_stream(
        {"reasoning_content": "Hm"}, {"content": "Hi"}, call_delta(0, "{}", id="c1", name="f")
    )
    events = to_responses(stream, step=step)
    begun = [e["output_index"] for e in events if e["type"] == "response.output_item.added"]
    ended = [e["output_index"] for e in events if e["type"] == "response.output_item.done"]
    assert begun == ended == [0, 1, 2]
    assert sum(event["type"] == "response.created" for event in events) == 1


@pytest.mark.parametrize("step", [None, 1])
def test_wire_02_no_token_is_lost(step: int | None) -> None:
    pieces = ["a", "b ", "", "c", "\n"]
    stream = chat_stream(*({"content": piece} for piece in pieces))
    (message,) = final(to_responses(stream, step=step))["output"]
    assert message["content"][0]["text"] == "ab c\n"
    events = to_messages(responses_stream(text_item("ab ", "c\n")), step=step)
    texts = [e["delta"]["text"] for e in events if e["type"] == "content_block_delta"]
    assert "".join(texts) == "ab c\n"


def test_wire_03_04_05_parallel_calls_stay_apart_and_come_one_by_one() -> None:
    stream = chat_stream(
        call_delta(0, id="c1", name="f"),
        call_delta(1, id="c2", name="g"),
        call_delta(0, '{"a"'),
        call_delta(1, '{"b"'),
        call_delta(0, ":1}"),
        call_delta(1, ":2}"),
        finish="tool_calls",
    )
    events = to_responses(stream)
    output = final(events)["output"]
    assert [(item["name"], item["arguments"]) for item in output] == [
        ("f", '{"a":1}'),
        ("g", '{"b":2}'),
    ]
    places = [event["output_index"] for event in events if "output_index" in event]
    assert places == sorted(places)
    chunks = to_chat(responses_stream(call_item("c1"), call_item("c2", "g"), call_item("c3")))
    indexes = {
        call["index"]
        for chunk in chunks
        if chunk != "[DONE]"
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls") or ()
    }
    assert indexes == {0, 1, 2}


def test_wire_07_41_42_43_counts_are_whole_and_cached_tokens_count_once() -> None:
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 6,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    found = final(to_responses(chat_stream({"content": "x"}, usage=usage)))["usage"]
    assert (found["input_tokens"], found["output_tokens"], found["total_tokens"]) == (10, 6, 16)
    assert found["input_tokens_details"]["cached_tokens"] == 4
    assert found["output_tokens_details"]["reasoning_tokens"] == 2
    counted = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 2},
    }
    last = {
        "type": "response.completed",
        "response": {"status": "completed", "output": [], "usage": counted},
    }
    events = to_messages(responses_stream(text_item("x"), last=last))
    (delta,) = [event for event in events if event["type"] == "message_delta"]
    assert delta["usage"]["input_tokens"] == 6
    assert delta["usage"]["cache_read_input_tokens"] == 4
    assert delta["usage"]["output_tokens"] == 6


def test_wire_09_a_call_without_arguments_has_empty_ones() -> None:
    stream = chat_stream(call_delta(0, id="c1", name="f"), finish="tool_calls")
    events = to_responses(stream)
    deltas = [e["delta"] for e in events if e["type"].endswith("arguments.delta")]
    assert "".join(deltas) == final(events)["output"][0]["arguments"] == "{}"
    answer = translate_answer(
        {"status": "completed", "output": [call_item("c1", arguments="")]}, RESPONSES, MESSAGES
    )
    assert answer["content"][0]["input"] == {}
    chunks = to_chat(responses_stream(call_item("c1", arguments="")))
    texts = [
        call["function"].get("arguments") or ""
        for chunk in chunks
        if chunk != "[DONE]"
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls") or ()
    ]
    assert "".join(texts) == "{}"


def test_wire_10_a_turn_with_calls_ends_for_its_calls() -> None:
    events = to_messages(responses_stream(text_item("x"), call_item("c1")))
    (delta,) = [event for event in events if event["type"] == "message_delta"]
    assert delta["delta"]["stop_reason"] == "tool_use"
    answer = {"status": "completed", "output": [call_item("c1")]}
    assert translate_answer(answer, RESPONSES, CHAT)["choices"][0]["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_wire_11_a_cut_stream_is_a_failure_and_never_a_false_end(cut: int) -> None:
    frames = chat_stream({"content": "a"}, {"content": "b"}).split(b"\n\n")
    events = to_responses(b"\n\n".join(frames[:cut]) + b"\n\n")
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    frames = responses_stream(text_item("abc")).split(b"\n\n")
    events = to_messages(b"\n\n".join(frames[: cut + 1]) + b"\n\n")
    assert events[-1]["type"] == "error"
    assert not any(event["type"] == "message_stop" for event in events)


def test_wire_12_a_failure_is_a_failure_on_the_other_side() -> None:
    error = {"code": "context_length_exceeded", "message": "Too long."}
    last = {"type": "response.failed", "response": {"status": "failed", "error": error}}
    events = to_messages(responses_stream(text_item("x"), last=last))
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "invalid_request_error"
    busy = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}}
    *_, told, failed = to_responses(sse.encode(json.dumps(busy).encode(), b"error"), MESSAGES)
    assert told["message"] == failed["response"]["error"]["message"] == "Busy."


@pytest.mark.parametrize("step", [1, 2, 3])
def test_wire_13_14_15_bytes_may_be_split_anywhere(step: int) -> None:
    stream = b": hello\r\n\r\n" + responses_stream(text_item("Grüße, 世界 🌍"))
    crlf = stream.replace(b"\n", b"\r\n").rstrip(b"\r\n")
    events = to_messages(crlf, step=step)
    texts = [e["delta"]["text"] for e in events if e["type"] == "content_block_delta"]
    assert "".join(texts) == "Grüße, 世界 🌍"
    assert events[-1]["type"] == "message_stop"


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}


def test_wire_17_images_survive_in_turns_and_in_results() -> None:
    body = {
        "model": "m",
        "input": [
            {"role": "user", "content": [IMAGE]},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": [IMAGE]},
        ],
    }
    written, _ = translate(body, RESPONSES, CLAUDE)
    assert json.dumps(written).count("iVBORw0KGgo=") == 2
    written, _ = translate(body, RESPONSES, KIMI)
    assert json.dumps(written).count("iVBORw0KGgo=") == 2
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    block = {"type": "image", "source": source}
    body = {
        "model": "m",
        "max_tokens": 99,
        "messages": [
            {"role": "user", "content": [block]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f"}]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [block]}],
            },
        ],
    }
    written, _ = translate(body, MESSAGES, OPENAI)
    assert written["input"][0]["content"] == [{**IMAGE, "detail": "auto"}]
    assert written["input"][2]["output"] == [{**IMAGE, "detail": "auto"}]


def test_wire_18_documents_are_translated() -> None:
    file = {
        "type": "input_file",
        "filename": "a.pdf",
        "file_data": "data:application/pdf;base64,JVBERi0=",
    }
    body = {"model": "m", "input": [{"role": "user", "content": [file]}]}
    written, _ = translate(body, RESPONSES, CLAUDE)
    (document,) = written["messages"][0]["content"]
    assert document["type"] == "document"
    assert document["source"]["data"] == "JVBERi0="
    back, _ = translate({**written, "max_tokens": 99}, MESSAGES, OPENAI)
    assert back["input"][0]["content"] == [file]


def test_wire_19_files_kept_by_openai_are_refused_elsewhere() -> None:
    part = {"type": "input_image", "file_id": "file_1"}
    body = {"model": "m", "input": [{"role": "user", "content": [part]}]}
    with pytest.raises(Untranslatable) as caught:
        translate(body, RESPONSES, CLAUDE)
    assert caught.value.paths == ("input.0.content.0",)


def test_wire_21_results_of_one_turn_come_together_and_first() -> None:
    body = {
        "model": "m",
        "input": [
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c2", "output": "2"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {"role": "user", "content": "And?"},
        ],
    }
    written, _ = translate(body, RESPONSES, CLAUDE)
    _, results = written["messages"]
    assert [block.get("tool_use_id") for block in results["content"]] == ["c1", "c2", None]


@pytest.mark.parametrize("id", ["functions.Bash:0", "call|fc_1", "x" * 90, "ü"])
def test_wire_22_call_ids_fit_and_come_back(id: str) -> None:
    stream = chat_stream(call_delta(0, "{}", id=id, name="f"), finish="tool_calls")
    (item,) = final(to_responses(stream))["output"]
    assert len(item["call_id"]) <= 64
    body = {
        "model": "m",
        "input": [
            {k: item[k] for k in ("type", "call_id", "name", "arguments")},
            {"type": "function_call_output", "call_id": item["call_id"], "output": "x"},
        ],
    }
    written, _ = translate(body, RESPONSES, KIMI)
    call, result = written["messages"]
    assert call["tool_calls"][0]["id"] == result["tool_call_id"]
    (part, *_) = asked(input=body["input"]).messages[0].parts
    assert isinstance(part, ir.ToolCall)
    assert part.id == id or len(id) > 40  # a digest ties call and result, but is no way back


def test_wire_23_a_later_system_message_keeps_its_place() -> None:
    body = {
        "model": "m",
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b"},
            {"role": "user", "content": "c"},
            {"role": "system", "content": "s"},
        ],
    }
    written, _ = translate({**body, "max_tokens": 99}, MESSAGES, OPENAI)
    assert [item["role"] for item in written["input"]] == ["user", "assistant", "user", "system"]


@pytest.mark.parametrize(
    ("choice", "anthropic"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "name": "f"}, {"type": "tool", "name": "f"}),
    ],
)
def test_wire_26_every_tool_choice_both_ways(choice: Any, anthropic: Any) -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
    body = {"model": "m", "input": "Hi", "tools": [tool], "tool_choice": choice}
    written, _ = translate({**body, "parallel_tool_calls": False}, RESPONSES, CLAUDE)
    serial = {} if choice == "none" else {"disable_parallel_tool_use": True}
    assert written["tool_choice"] == {**anthropic, **serial}
    back, _ = translate({**written, "max_tokens": 99}, MESSAGES, OPENAI)
    assert back["tool_choice"] == choice
    assert back["tools"] == [tool]


def test_wire_27_structured_output_goes_both_ways() -> None:
    schema = {"type": "object", "properties": {"a": {"const": 1}}, "additionalProperties": False}
    form = {"type": "json_schema", "name": "n", "schema": schema, "strict": True}
    body = {"model": "m", "input": "Hi", "text": {"format": form}}
    written, _ = translate(body, RESPONSES, KIMI)
    assert written["response_format"]["json_schema"]["schema"] == schema
    back, _ = translate(written, CHAT, OPENAI)
    assert back["text"] == {"format": form}
    written, _ = translate(body, RESPONSES, CLAUDE)
    assert written["output_config"]["format"]["schema"] == schema


def test_wire_32_unknown_fields_are_recorded_under_their_own_names() -> None:
    body = {"model": "m", "input": "Hi", "client_metadata": {"a": "b"}, "reasoning": {"new": 1}}
    for to in (CLAUDE, KIMI):
        _, losses = translate(body, RESPONSES, to)
        assert {"client_metadata", "reasoning.new"} <= losses.keys()
    _, losses = translate(
        {"model": "m", "max_tokens": 99, "messages": [], "container": "c"}, MESSAGES, OPENAI
    )
    assert "container" in losses


def test_wire_34_35_38_reasoning_goes_home_and_nowhere_else() -> None:
    """A tool loop of Codex on Claude: the signature comes back to the provider that made it."""
    blocks = [
        {"type": "thinking", "thinking": "I see.", "signature": "sig"},
        {"type": "redacted_thinking", "data": "dark"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
    ]
    answer = {"type": "message", "content": blocks, "stop_reason": "tool_use", "usage": {}}
    output = translate_answer(answer, MESSAGES, RESPONSES)["output"]
    for item in output:
        item.pop("id")  # Codex hands items back without ids
    body = {
        "model": "m",
        "store": False,
        "input": [
            {"role": "user", "content": "Hi"},
            *output,
            {"type": "function_call_output", "call_id": "c1", "output": "x"},
        ],
    }
    written, losses = translate(body, RESPONSES, CLAUDE)
    assert written["messages"][1]["content"] == blocks
    assert losses == {}
    for stranger in (
        target(MESSAGES, "claude-opus-4-5").__class__(
            provider="other", protocol=MESSAGES, model="claude-opus-4-5"
        ),
        KIMI,
        OPENAI,
    ):
        written, losses = translate(body, RESPONSES, stranger)
        assert "sig" not in json.dumps(written).replace("signature", "")
        assert {"input.1", "input.2"} <= losses.keys()


def test_wire_34_encrypted_reasoning_survives_a_messages_client() -> None:
    """A tool loop of Claude Code on OpenAI: state and item id come back as they were."""
    item = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "enc",
    }
    answer = {"status": "completed", "output": [item, call_item("c1")]}
    message = translate_answer(answer, RESPONSES, MESSAGES)
    body = {
        "model": "m",
        "max_tokens": 99,
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": message["content"]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1"}]},
        ],
    }
    written, losses = translate(body, MESSAGES, OPENAI)
    replayed = written["input"][1]
    assert (replayed["id"], replayed["encrypted_content"]) == ("rs_1", "enc")
    assert losses == {}


def test_wire_39_thinking_that_eats_the_cap_is_an_incomplete_answer() -> None:
    stream = chat_stream({"reasoning_content": "Hm"}, finish="length")
    response = final(to_responses(stream))
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    item = {"type": "reasoning", "id": "rs_1", "summary": []}
    answer = {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [item],
    }
    assert translate_answer(answer, RESPONSES, CHAT)["choices"][0]["finish_reason"] == "length"
    assert translate_answer(answer, RESPONSES, MESSAGES)["stop_reason"] == "max_tokens"


def test_wire_40_breakpoints_become_cache_control_and_back() -> None:
    piece = {
        "type": "input_text",
        "text": "x",
        "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"},
    }
    body = {"model": "m", "input": [{"role": "user", "content": [piece]}]}
    written, _ = translate(body, RESPONSES, CLAUDE)
    (block,) = written["messages"][0]["content"]
    assert block["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    back, losses = translate({**written, "max_tokens": 99}, MESSAGES, OPENAI)
    assert back["input"][0]["content"] == [piece]
    assert losses == {}


def test_wire_45_server_tools_are_mapped_refused_or_recorded() -> None:
    search = {"type": "web_search"}
    function = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    with pytest.raises(Untranslatable):
        translate({"model": "m", "input": "Hi", "tools": [search]}, RESPONSES, CLAUDE)
    _, losses = translate(
        {"model": "m", "input": "Hi", "tools": [search, function]}, RESPONSES, CLAUDE
    )
    assert "tools.0" in losses
    anthropic = {"type": "web_search_20250305", "name": "web_search"}
    body = {"model": "m", "max_tokens": 99, "messages": [], "tools": [anthropic]}
    written, _ = translate(body, MESSAGES, OPENAI)
    assert written["tools"] == [search]


def test_wire_46_a_refusal_keeps_its_words_and_its_meaning() -> None:
    content = [{"type": "refusal", "refusal": "I won't."}]
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": content}
    answer = {"status": "completed", "output": [item]}
    message = translate_answer(answer, RESPONSES, MESSAGES)
    assert message["content"][0]["text"] == "I won't."
    assert message["stop_reason"] == "refusal"
    completion = translate_answer(answer, RESPONSES, CHAT)
    assert completion["choices"][0]["message"]["refusal"] == "I won't."
    refused = {
        "type": "message",
        "content": [{"type": "text", "text": "Well"}],
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "explanation": "Not that."},
        "usage": {},
    }
    (said,) = translate_answer(refused, MESSAGES, RESPONSES)["output"]
    assert said["content"][1] == {"type": "refusal", "refusal": "Not that."}


def test_wire_47_codex_s_tools_go_down_flat_and_come_up_as_they_were() -> None:
    request = asked(tools=[EXEC, MAIL])
    body = {"model": "m", "input": "Hi", "tools": [EXEC, MAIL]}
    for to in (CLAUDE, KIMI):
        written, _ = translate(body, RESPONSES, to)
        assert "mail__send" in json.dumps(written["tools"])
    stream = chat_stream(
        call_delta(0, '{"input":', id="c1", name="exec"),
        call_delta(0, '"ls -l\\n"}'),
        call_delta(1, "{}", id="c2", name="mail__send"),
        finish="tool_calls",
    )
    custom, mail = through(stream, request)["output"]
    assert (custom["type"], custom["name"], custom["input"]) == (
        "custom_tool_call",
        "exec",
        "ls -l\n",
    )
    assert (mail["type"], mail["namespace"], mail["name"]) == ("function_call", "mail", "send")


def test_wire_47_openai_s_own_calls_are_left_as_they_are() -> None:
    """Translated only because some state is an envelope: names need no restoring."""
    function = {"type": "function", "name": "send", "parameters": {}}
    request = asked(tools=[EXEC, MAIL, function])
    item = {
        "type": "custom_tool_call",
        "call_id": "c1",
        "name": "exec",
        "input": '{"input":"x"}',
    }
    inner = {**call_item("c2", "send"), "namespace": "mail"}
    seen = view(RESPONSES).__class__(model="m", id="abc", created=1, request=request)
    body = json.dumps({"status": "completed", "output": [item, inner]}).encode()
    encoded, _ = translate_whole(body, OPENAI, seen)
    custom, mail = json.loads(encoded.body)["output"]
    assert custom["input"] == '{"input":"x"}'
    assert (mail["namespace"], mail["name"]) == ("mail", "send")


def test_wire_50_machine_ids_of_claude_code_do_not_go_to_openai() -> None:
    body = {
        "model": "m",
        "max_tokens": 99,
        "system": [
            {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1"},
            {"type": "text", "text": "You are Claude Code."},
        ],
        "messages": [{"role": "user", "content": "Hi"}],
        "metadata": {"user_id": '{"device_id":"d"}'},
    }
    written, _ = translate(body, MESSAGES, OPENAI)
    assert "billing" not in json.dumps(written)
    assert "device_id" not in json.dumps(written)


def test_state_is_never_shown_bare() -> None:
    origin = ir.Origin(PROVIDER, MESSAGES)
    answer = {
        "type": "message",
        "content": [{"type": "thinking", "thinking": "t", "signature": "sig"}],
        "usage": {},
    }
    (item,) = translate_answer(answer, MESSAGES, RESPONSES)["output"]
    opened = envelope.unseal(item["encrypted_content"])
    assert opened is not None
    assert opened.sealed == ir.Sealed("sig", origin)
