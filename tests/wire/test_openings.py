"""wire.openings: where the answer of a stream begins, and errors that come before it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import sse
from dragoman.errors import UpstreamRefused
from dragoman.protocols import (
    CHAT,
    COMPLETIONS,
    MESSAGES,
    OPERATIONS,
    RESPONSES,
    STREAM_GENERATE_CONTENT,
    Operation,
)
from dragoman.wire.openings import Opening

GEMINI = STREAM_GENERATE_CONTENT


def event(value: object) -> bytes:
    return sse.encode(value if isinstance(value, bytes) else json.dumps(value).encode())


def choice(**members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, **members}]}


GREETINGS: list[tuple[Operation, object]] = [
    (CHAT, choice(delta={"role": "assistant", "content": ""}, finish_reason=None)),
    (CHAT, choice(delta={"role": "assistant", "content": None, "refusal": None})),
    (CHAT, {"choices": [], "prompt_filter_results": [{"prompt_index": 0}]}),
    (COMPLETIONS, choice(text="", finish_reason=None)),
    (MESSAGES, {"type": "message_start", "message": {"usage": {"input_tokens": 3}}}),
    (MESSAGES, {"type": "ping"}),
    (RESPONSES, {"type": "response.created", "response": {"error": None}}),
    (RESPONSES, {"type": "response.in_progress", "response": {}}),
    (GEMINI, {"candidates": [{"content": {"role": "model"}}], "usageMetadata": {}}),
    (GEMINI, {"usageMetadata": {"promptTokenCount": 3}, "modelVersion": "g"}),
]
BEGINNINGS: list[tuple[Operation, object]] = [
    (CHAT, choice(delta={"content": "x"})),
    (CHAT, choice(delta={"reasoning_content": "x"})),
    (CHAT, choice(delta={"tool_calls": [{"index": 0}]})),
    (CHAT, choice(delta={}, finish_reason="stop")),
    (CHAT, b"[DONE]"),
    (CHAT, b"not JSON"),
    (CHAT, {"something": "new"}),
    (COMPLETIONS, choice(text="x")),
    (MESSAGES, {"type": "content_block_start", "index": 0}),
    (MESSAGES, {"type": "a_new_event"}),
    (RESPONSES, {"type": "response.output_item.added"}),
    (RESPONSES, {"type": "response.a_new_event"}),
    (GEMINI, {"candidates": [{"content": {"parts": [{"text": "x"}]}}]}),
    (GEMINI, {"candidates": [{"finishReason": "SAFETY"}]}),
    (GEMINI, {"promptFeedback": {"blockReason": "SAFETY"}}),
]


@pytest.mark.parametrize(("operation", "value"), GREETINGS)
def test_a_greeting_is_no_answer(operation: Operation, value: object) -> None:
    assert Opening(operation).feed(event(value)) is False
    assert Opening(operation).feed(b": a comment\n\n" + event(value)) is False


@pytest.mark.parametrize(("operation", "value"), BEGINNINGS)
def test_anything_else_begins_the_answer(operation: Operation, value: object) -> None:
    greetings = b"".join(event(each) for of, each in GREETINGS if of is operation)
    assert Opening(operation).feed(greetings + event(value)) is True


ERRORS: list[tuple[Operation, object, int]] = [
    (MESSAGES, {"type": "error", "error": {"type": "overloaded_error", "message": "no"}}, 529),
    (MESSAGES, {"type": "error", "error": {"type": "rate_limit_error", "message": "no"}}, 429),
    (MESSAGES, {"type": "error", "error": {"type": "a_new_error", "message": "no"}}, 500),
    (CHAT, {"error": {"message": "no", "type": "server_error", "code": None}}, 500),
    (CHAT, {"error": {"message": "no", "code": 503}}, 503),
    (CHAT, {"error": {"message": "no", "code": "insufficient_quota"}, "choices": []}, 429),
    (CHAT, {"error": {"message": "no", "code": "invalid_prompt"}}, 400),
    (CHAT, {"error": {"message": "no", "code": "context_length_exceeded"}}, 400),
    (CHAT, {"error": "no"}, 500),
    (RESPONSES, {"type": "error", "code": "server_error", "message": "no", "param": None}, 500),
    (RESPONSES, {"type": "error", "error": {"message": "no", "code": "rate_limit_exceeded"}}, 429),
    (
        RESPONSES,
        {
            "type": "response.failed",
            "response": {"error": {"code": "server_error", "message": "no"}},
        },
        500,
    ),
    (GEMINI, {"error": {"code": 503, "message": "no", "status": "UNAVAILABLE"}}, 503),
]


@pytest.mark.parametrize(("operation", "value", "status"), ERRORS)
def test_an_early_error_gets_its_status(operation: Operation, value: object, status: int) -> None:
    with pytest.raises(UpstreamRefused) as caught:
        Opening(operation).feed(event(value))
    assert caught.value.status == status
    assert caught.value.message == "no"
    if caught.value.body:
        assert json.loads(caught.value.body) == value


def test_an_anthropic_error_keeps_its_body() -> None:
    told = {"type": "error", "error": {"type": "overloaded_error", "message": "no"}, "new": 1}
    with pytest.raises(UpstreamRefused) as caught:
        Opening(MESSAGES).feed(event(told))
    assert json.loads(caught.value.body) == told


@pytest.mark.parametrize("code", ["context_length_exceeded", "invalid_prompt"])
def test_a_failed_response_that_the_caller_can_mend_stays_an_event(code: str) -> None:
    told = {"type": "response.failed", "response": {"error": {"code": code, "message": "no"}}}
    assert Opening(RESPONSES).feed(event(told)) is True


@given(st.sampled_from(OPERATIONS), st.binary(max_size=80))
def test_garbage_never_breaks_a_stream(operation: Operation, data: bytes) -> None:
    assert Opening(operation).feed(data + b"\n\n") in {True, False}
