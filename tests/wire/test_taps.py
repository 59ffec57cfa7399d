"""wire.taps: usage and the true end of a stream, in each protocol's words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import protocols as p
from dragoman.ir import Usage
from dragoman.wire.taps import open_tap


def event(value: object, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(value)}\n\n".encode()


CHAT_USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 50,
    "prompt_tokens_details": {"cached_tokens": 30},
    "completion_tokens_details": {"reasoning_tokens": 20},
}
RESPONSES_USAGE = {
    "input_tokens": 100,
    "output_tokens": 50,
    "input_tokens_details": {"cached_tokens": 30},
    "output_tokens_details": {"reasoning_tokens": 20},
}
MESSAGES_USAGE = {
    "input_tokens": 70,
    "cache_read_input_tokens": 30,
    "cache_creation_input_tokens": 12,
    "cache_creation": {"ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 10},
    "output_tokens": 50,
}
GEMINI_USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 30,
    "candidatesTokenCount": 30,
    "thoughtsTokenCount": 20,
}
OPENAI_COUNTS = Usage(input=70, cache_read=30, output=30, reasoning=20)
MESSAGES_COUNTS = Usage(input=70, cache_read=30, cache_write=2, cache_write_long=10, output=50)


@pytest.mark.parametrize(
    ("operation", "answer", "usage"),
    [
        (p.CHAT, {"usage": CHAT_USAGE}, OPENAI_COUNTS),
        (p.EMBEDDINGS, {"usage": {"prompt_tokens": 9, "total_tokens": 9}}, Usage(input=9)),
        (p.RESPONSES, {"usage": RESPONSES_USAGE}, OPENAI_COUNTS),
        (p.MESSAGES, {"usage": MESSAGES_USAGE}, MESSAGES_COUNTS),
        (p.GENERATE_CONTENT, {"usageMetadata": GEMINI_USAGE}, OPENAI_COUNTS),
        (
            p.CHAT,
            {"usage": {"prompt_tokens": 10, "prompt_cache_hit_tokens": 4, "completion_tokens": 1}},
            Usage(input=6, cache_read=4, output=1),
        ),
        (p.CHAT, {"usage": None}, None),
        (p.CHAT, {}, None),
        (p.CHAT, {"usage": "much"}, None),
    ],
)
def test_a_whole_answer(operation: p.Operation, answer: object, usage: Usage | None) -> None:
    tap = open_tap(operation)
    tap.read(json.dumps(answer).encode())
    assert tap.usage == usage


STREAMS = {
    p.CHAT: (
        event({"choices": [{"delta": {"content": "x"}, "finish_reason": None}], "usage": None})
        + event({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None})
        + event({"choices": [], "usage": CHAT_USAGE})
        + b"data: [DONE]\n\n",
        OPENAI_COUNTS,
    ),
    p.RESPONSES: (
        event({"type": "response.created", "response": {}}, "response.created")
        + event({"type": "response.output_text.delta", "delta": "completed"})
        + event({"type": "response.completed", "response": {"usage": RESPONSES_USAGE}}),
        OPENAI_COUNTS,
    ),
    p.MESSAGES: (
        event(
            {"type": "message_start", "message": {"usage": MESSAGES_USAGE | {"output_tokens": 1}}}
        )
        + event({"type": "content_block_delta", "delta": {"text": "hi"}})
        + event({"type": "message_delta", "usage": {"output_tokens": 50}})
        + event({"type": "message_stop"}, "message_stop"),
        MESSAGES_COUNTS,
    ),
    p.STREAM_GENERATE_CONTENT: (
        event({"candidates": [{"content": {}}], "usageMetadata": {"promptTokenCount": 100}})
        + event({"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI_USAGE}),
        OPENAI_COUNTS,
    ),
}


@pytest.mark.parametrize("operation", STREAMS, ids=lambda operation: operation.name)
def test_a_stream_event_by_event(operation: p.Operation) -> None:
    stream, usage = STREAMS[operation]
    tap = open_tap(operation)
    pieces = [piece + b"\n\n" for piece in stream.split(b"\n\n")[:-1]]
    for piece in pieces[:-1]:
        tap.feed(piece)
        assert operation is p.CHAT or not tap.ended
    tap.feed(pieces[-1])
    assert tap.ended
    assert tap.usage == usage


@pytest.mark.parametrize("operation", STREAMS, ids=lambda operation: operation.name)
def test_a_stream_that_is_cut_has_not_ended(operation: p.Operation) -> None:
    tap = open_tap(operation)
    tap.feed(STREAMS[operation][0].split(b"\n\n")[0] + b"\n\n")
    assert not tap.ended


@pytest.mark.parametrize(
    ("operation", "last"),
    [
        (p.CHAT, {"error": {"message": "no"}}),
        (p.CHAT, {"choices": [{"finish_reason": "length"}]}),
        (p.RESPONSES, {"type": "response.failed", "response": {}}),
        (p.RESPONSES, {"type": "response.incomplete", "response": {}}),
        (p.RESPONSES, {"type": "error", "message": "no"}),
        (p.MESSAGES, {"type": "error", "error": {"type": "overloaded_error"}}),
        (p.STREAM_GENERATE_CONTENT, {"promptFeedback": {"blockReason": "SAFETY"}}),
        (p.STREAM_GENERATE_CONTENT, {"error": {"code": 500}}),
    ],
)
def test_other_true_ends(operation: p.Operation, last: object) -> None:
    tap = open_tap(operation)
    tap.feed(event(last))
    assert tap.ended


@given(st.sampled_from(p.OPERATIONS), st.binary(max_size=80))
def test_garbage_is_skipped(operation: p.Operation, data: bytes) -> None:
    tap = open_tap(operation)
    tap.feed(b'data: {"usage": ' + data + b"\n\n")
    tap.read(data)
    assert tap.usage is None
