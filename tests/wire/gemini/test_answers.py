"""Whole answers of Gemini, and for its clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, view

from dragoman import ir
from dragoman.errors import UpstreamError
from dragoman.protocols import Protocol
from dragoman.wire.gemini.answers import decode_response, encode_response

UPSTREAM = ir.Origin(PROVIDER, Protocol.GEMINI)


def read(*parts: dict[str, Any], reason: str = "STOP", **more: Any) -> ir.Response:
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": reason}
    return read_body(candidates=[candidate | more.pop("candidate", {})], **more)


def read_body(**members: Any) -> ir.Response:
    body = {"responseId": "r1", "modelVersion": "m-1", **members}
    return decode_response(json.dumps(body).encode(), UPSTREAM)


def write(*parts: ir.AnyPart, **more: Any) -> tuple[dict[str, Any], list[str]]:
    finish = more.pop("finish", ir.Finish(ir.FinishReason.STOP))
    response = ir.Response(parts=parts, finish=finish, **more)
    encoded = encode_response(response, view(Protocol.GEMINI))
    return json.loads(encoded.body), [loss.path for loss in encoded.losses]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("STOP", ir.FinishReason.STOP),
        ("MAX_TOKENS", ir.FinishReason.LENGTH),
        ("SAFETY", ir.FinishReason.CONTENT_FILTER),
        ("RECITATION", ir.FinishReason.CONTENT_FILTER),
        ("PROHIBITED_CONTENT", ir.FinishReason.CONTENT_FILTER),
        ("MALFORMED_FUNCTION_CALL", ir.FinishReason.ERROR),
        ("OTHER", ir.FinishReason.ERROR),
        ("SOMETHING_NEW", ir.FinishReason.STOP),
    ],
)
def test_finish_reasons(word: str, reason: ir.FinishReason) -> None:
    assert read({"text": "x"}, reason=word).finish.reason is reason


def test_a_turn_with_a_call_ends_for_it() -> None:
    answer = read({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}})
    assert answer.finish == ir.Finish(ir.FinishReason.TOOL_CALLS)
    assert [part.id for part in answer.parts if isinstance(part, ir.ToolCall)] == [
        "call_r1_0_0",
        "call_r1_0_1",
    ]


def test_calls_get_an_id_of_their_own_where_the_answer_has_none() -> None:
    first, second = (
        read_body(
            responseId="",
            candidates=[{"content": {"parts": [{"functionCall": {"name": name}}]}}],
        ).parts[0]
        for name in ("f", "g")
    )
    assert isinstance(first, ir.ToolCall)
    assert isinstance(second, ir.ToolCall)
    assert first.id != second.id


def test_a_failure_before_the_first_word_is_an_error_and_later_a_finish() -> None:
    with pytest.raises(UpstreamError, match="MALFORMED_FUNCTION_CALL: bad call") as raised:
        read(reason="MALFORMED_FUNCTION_CALL", candidate={"finishMessage": "bad call"})
    assert raised.value.retryable
    answer = read({"text": "x"}, reason="MALFORMED_FUNCTION_CALL")
    assert answer.finish == ir.Finish(ir.FinishReason.ERROR, None, "MALFORMED_FUNCTION_CALL")


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    answer = read_body(promptFeedback={"blockReason": "SAFETY"})
    assert answer.parts == ()
    assert answer.finish == ir.Finish(
        ir.FinishReason.CONTENT_FILTER, None, "SAFETY", "The prompt was blocked: SAFETY."
    )


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"candidates": []},
        {"promptFeedback": {}},
        {"candidates": "x"},
        {"candidates": [{"content": {"parts": [{"text": 1}]}}]},
    ],
)
def test_what_is_no_answer_is_the_providers_fault(members: dict[str, Any]) -> None:
    with pytest.raises(UpstreamError):
        read_body(**members)


def test_thinking_that_eats_the_cap_leaves_an_empty_answer() -> None:
    candidate = {"content": {"role": "model"}, "finishReason": "MAX_TOKENS"}
    answer = read_body(candidates=[candidate], usageMetadata={"thoughtsTokenCount": 9})
    assert (answer.parts, answer.finish.reason) == ((), ir.FinishReason.LENGTH)
    assert answer.usage == ir.Usage(reasoning=9)


def test_citations_reach_the_part_that_they_name() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [
            {
                "segment": {"partIndex": 2, "startIndex": 0, "endIndex": 2},
                "groundingChunkIndices": [0],
            }
        ],
    }
    answer = read(
        {"text": "hm", "thought": True},
        {"text": "first"},
        {"text": "Über"},
        candidate={"groundingMetadata": grounding},
    )
    texts = [part for part in answer.parts if isinstance(part, ir.Text)]
    citation = ir.Citation(url="https://a.example", title="A", start=0, end=1)
    assert [part.citations for part in texts] == [(), (citation,)]


def test_citations_of_an_answer_without_text_are_no_crash() -> None:
    grounding = {"groundingChunks": [{"web": {"uri": "https://a.example"}}]}
    answer = read({"functionCall": {"name": "f"}}, candidate={"groundingMetadata": grounding})
    assert len(answer.parts) == 1


@pytest.mark.parametrize(
    ("finish", "written"),
    [
        (ir.Finish(ir.FinishReason.STOP_SEQUENCE, "END"), {"finishReason": "STOP"}),
        (ir.Finish(ir.FinishReason.CONTEXT_WINDOW), {"finishReason": "MAX_TOKENS"}),
        (
            ir.Finish(ir.FinishReason.REFUSAL, None, "cyber", "I can't."),
            {"finishReason": "SAFETY", "finishMessage": "I can't."},
        ),
        (ir.Finish(ir.FinishReason.PAUSE), {"finishReason": "OTHER"}),
        (
            ir.Finish(ir.FinishReason.CONTENT_FILTER, None, "SPII"),
            {"finishReason": "SPII"},
        ),
    ],
)
def test_finishes_of_others(finish: ir.Finish, written: dict[str, str]) -> None:
    body, lost = write(ir.Text("x"), finish=finish)
    (candidate,) = body["candidates"]
    assert written.items() <= candidate.items()
    assert ("finishMessage" in candidate) == ("finishMessage" in written)
    assert lost == (["response.stop_sequence"] if finish.sequence else [])


def test_usage_adds_up() -> None:
    usage = ir.Usage(
        input=1, cache_read=2, cache_write=3, cache_write_long=4, output=5, reasoning=6
    )
    body, _ = write(ir.Text("x"), usage=usage)
    assert body["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "totalTokenCount": 21,
        "cachedContentTokenCount": 2,
        "thoughtsTokenCount": 6,
    }


def test_what_an_answer_cannot_show_is_lost_aloud() -> None:
    opaque = ir.Opaque({"type": "server_tool_use"}, Protocol.MESSAGES)
    body, lost = write(
        ir.Refusal("No."), opaque, ir.Opaque({"type": "x"}, Protocol.MESSAGES, text="words")
    )
    (candidate,) = body["candidates"]
    assert candidate["content"]["parts"] == [{"text": "No."}, {"text": "words"}]
    assert lost == ["response.1"]
