"""Streams of OpenAI and of those who copy it, each in its own way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, decode_stream

from dragoman import fold, ir, sse
from dragoman.errors import UpstreamDied, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire import openai_responses as wire

OPENAI = ir.Origin(PROVIDER, Protocol.RESPONSES)
CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "m"}}
USAGE = {"input_tokens": 9, "output_tokens": 4}


def completed(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = {"id": "resp_1", "status": "completed", "output": output, "usage": USAGE, **more}
    return {"type": "response.completed", "response": response}


def added(**item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.added", "item": item}


def done(**item: Any) -> dict[str, Any]:
    return {"type": "response.output_item.done", "item": item}


def text_delta(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": text, **more}


def message(text: str, id: str = "msg_1") -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": id, "role": "assistant", "content": content}


def call(name: str, arguments: str, id: str = "call_1", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments, **more}


def stream_of(*events: dict[str, Any]) -> bytes:
    return b"".join(sse.encode(json.dumps(event).encode()) for event in events)


def read(*events: dict[str, Any]) -> ir.Response:
    return fold.fold(decode_stream(wire, stream_of(*events)))


def texts(response: ir.Response) -> list[str]:
    return [part.text for part in response.parts if isinstance(part, ir.Text)]


def test_a_stream_without_indexes_or_call_ids_is_understood() -> None:
    """As llama.cpp sends it: calls are known by `call_id` alone, and all is done at the end."""
    answer = read(
        CREATED,
        added(type="reasoning", id="rs_1", summary=[], content=[]),
        {"type": "response.reasoning_text.delta", "item_id": "rs_1", "delta": "Let me see."},
        added(type="message", id="msg_1", content=[]),
        {
            "type": "response.content_part.added",
            "item_id": "msg_1",
            "part": {"type": "output_text", "text": ""},
        },
        text_delta("Hel", item_id="msg_1"),
        text_delta("lo", item_id="msg_1"),
        added(**call("f", "", "fc_1")),
        {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": '{"a":'},
        {"type": "response.function_call_arguments.delta", "item_id": "fc_1", "delta": "1}"},
        done(type="reasoning", id="rs_1", summary=[], content=[{"text": "Let me see."}]),
        {"type": "response.output_text.done", "item_id": "msg_1", "text": "Hello"},
        done(**message("Hello")),
        done(**call("f", '{"a":1}', "fc_1")),
        completed(message("Hello"), call("f", '{"a":1}', "fc_1")),
    )
    thinking, text, tool = answer.parts
    assert isinstance(thinking, ir.Thinking)
    assert thinking.text == "Let me see."
    assert not thinking.summary
    assert text == ir.Text("Hello")
    assert tool == ir.ToolCall("fc_1", "f", '{"a":1}')
    assert answer.finish == ir.Finish(ir.FinishReason.TOOL_CALLS)


def test_text_is_handed_on_before_a_late_end_of_the_reasoning() -> None:
    events = decode_stream(
        wire,
        stream_of(
            CREATED,
            added(type="reasoning", id="rs_1"),
            {"type": "response.reasoning_text.delta", "item_id": "rs_1", "delta": "Hm"},
            text_delta("Hi", item_id="msg_1"),
        ),
    )
    assert ir.Delta(1, "Hi") in events


def test_a_stream_without_done_events_is_understood() -> None:
    answer = read(
        CREATED,
        added(type="message", id="msg_1"),
        text_delta("Hello"),
        added(**call("f", "")),
        {"type": "response.function_call_arguments.delta", "delta": "{}", "item_id": "call_1"},
        completed(),
    )
    assert answer.parts == (ir.Text("Hello"), ir.ToolCall("call_1", "f", "{}"))


def test_a_stream_without_deltas_is_understood() -> None:
    answer = read(CREATED, completed(message("Hello"), call("f", "{}")))
    assert answer.parts == (ir.Text("Hello"), ir.ToolCall("call_1", "f", "{}"))


def test_a_stream_without_any_announcement_is_understood() -> None:
    answer = read(
        text_delta("Hel"), text_delta("lo"), done(**message("Hello", "msg_9")), completed()
    )
    assert texts(answer) == ["Hello"]


def test_the_final_response_does_not_repeat_what_was_said_under_other_ids() -> None:
    answer = read(
        CREATED,
        added(**message("", "msg_1")),
        text_delta("Hello", output_index=0),
        done(**message("Hello", "msg_1")),
        completed(message("Hello", "msg_other")),
    )
    assert texts(answer) == ["Hello"]


def test_interleaved_calls_get_their_own_arguments() -> None:
    def arguments(index: int, text: str) -> dict[str, Any]:
        kind = "response.function_call_arguments.delta"
        return {"type": kind, "output_index": index, "delta": text}

    answer = read(
        CREATED,
        {**added(**call("f", "", "call_1")), "output_index": 0},
        {**added(**call("g", "", "call_2")), "output_index": 1},
        arguments(0, '{"a"'),
        arguments(1, '{"b"'),
        arguments(0, ":1}"),
        arguments(1, ":2}"),
        completed(),
    )
    assert answer.parts == (
        ir.ToolCall("call_1", "f", '{"a":1}'),
        ir.ToolCall("call_2", "g", '{"b":2}'),
    )


def test_summary_pieces_are_one_thought_with_its_state() -> None:
    def summary(index: int, text: str) -> dict[str, Any]:
        kind = "response.reasoning_summary_text.delta"
        return {"type": kind, "output_index": 0, "summary_index": index, "delta": text}

    whole = [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}]
    item = {"type": "reasoning", "id": "rs_1", "summary": whole, "encrypted_content": "enc"}
    answer = read(
        CREATED,
        {**added(type="reasoning", id="rs_1", summary=[]), "output_index": 0},
        summary(0, "On"),
        summary(0, "e"),
        summary(1, "Two"),
        {**done(**item), "output_index": 0},
        completed(item),
    )
    origin = ir.Origin(PROVIDER, Protocol.CHAT)  # what `decode_stream` gives its decoders
    assert answer.parts == (
        ir.Thinking("One\n\nTwo", sealed=ir.Sealed("enc", origin, "rs_1"), summary=True),
    )


def test_reasoning_without_any_text_is_state_alone() -> None:
    item = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}
    (part,) = read(CREATED, added(**item), done(**item), completed(item)).parts
    assert isinstance(part, ir.Thinking)
    assert part.redacted
    assert part.sealed is not None
    assert (part.sealed.value, part.sealed.id) == ("enc", "rs_1")


def test_annotations_that_only_the_end_tells_of_are_added() -> None:
    citation = {"type": "url_citation", "url": "https://a.org", "title": "A"}
    said = {"type": "response.output_text.annotation.added", "annotation": citation}
    whole = message("Hello")
    whole["content"][0]["annotations"] = [citation, {**citation, "url": "https://b.org"}]
    answer = read(
        CREATED, added(**message("")), text_delta("Hello"), said, done(**whole), completed(whole)
    )
    (text,) = answer.parts
    assert isinstance(text, ir.Text)
    assert [each.url for each in text.citations] == ["https://a.org", "https://b.org"]


def test_a_hosted_search_is_kept_whole_and_counted() -> None:
    item = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    searching = {"type": "response.web_search_call.searching", "item_id": "ws_1"}
    answer = read(CREATED, added(**item), searching, done(**item), completed(item))
    assert answer.parts == (ir.Opaque(item, Protocol.RESPONSES),)
    assert answer.usage == ir.Usage(input=9, output=4, searches=1)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("max_output_tokens", ir.FinishReason.LENGTH),
        ("content_filter", ir.FinishReason.CONTENT_FILTER),
        (None, ir.FinishReason.LENGTH),
    ],
)
def test_an_incomplete_response_says_why(reason: str | None, expected: ir.FinishReason) -> None:
    last = completed(status="incomplete", incomplete_details={"reason": reason})
    last["type"] = "response.incomplete"
    assert read(CREATED, last).finish == ir.Finish(expected)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("context_length_exceeded", 400),
        ("rate_limit_exceeded", 429),
        ("invalid_image_url", 400),
        ("server_error", 500),
    ],
)
@pytest.mark.parametrize("form", ["failed", "inside", "top"])
def test_a_failure_keeps_its_code_and_gets_its_status(code: str, status: int, form: str) -> None:
    error = {"code": code, "message": "No."}
    event: dict[str, Any]
    if form == "failed":
        event = {"type": "response.failed", "response": {"status": "failed", "error": error}}
    else:
        event = {"type": "error", **({"error": error} if form == "inside" else error)}
    last = decode_stream(wire, stream_of(CREATED, event))[-1]
    assert isinstance(last, ir.StreamError)
    assert isinstance(last.error, UpstreamRefused)
    assert (last.error.code, last.error.status, last.error.message) == (code, status, "No.")


@pytest.mark.parametrize("events", [0, 1, 2])
def test_a_stream_that_stops_early_is_a_death(events: int) -> None:
    cut = (CREATED, text_delta("Hello"))[:events]
    last = decode_stream(wire, stream_of(*cut) + b"data: [DONE]\n\n")[-1]
    assert isinstance(last, ir.StreamError)
    assert isinstance(last.error, UpstreamDied)


def test_what_comes_behind_the_end_is_left_alone() -> None:
    events = decode_stream(wire, stream_of(CREATED, completed(), text_delta("late")))
    assert isinstance(events[-1], ir.Finished)


def test_events_of_unknown_types_only_keep_the_stream_alive() -> None:
    new = {"type": "response.shell_call_output_content.delta", "delta": {"stdout": "x"}}
    decoder = wire.stream_decoder(OPENAI)
    assert list(decoder.feed(sse.Event(b"", json.dumps(new).encode()))) == [ir.KeepAlive()]


def test_a_known_event_of_the_wrong_shape_is_garbage() -> None:
    wrong = {"type": "response.output_text.delta", "delta": 5}
    decoder = wire.stream_decoder(OPENAI)
    (event,) = decoder.feed(sse.Event(b"", json.dumps(wrong).encode()))
    assert isinstance(event, ir.StreamError)
