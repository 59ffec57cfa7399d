"""Streams of Gemini, and for its clients."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from conversations import PROVIDER, events_of, view

from dragoman import fold, ir, sse
from dragoman.errors import UpstreamDied, UpstreamError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.sequencer import Sequencer
from dragoman.wire.gemini.streams import stream_decoder, stream_encoder

UPSTREAM = ir.Origin(PROVIDER, Protocol.GEMINI)
USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2}


def chunk(*parts: dict[str, Any], **members: Any) -> dict[str, Any]:
    candidate = {"content": {"role": "model", "parts": list(parts)}} | members
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "m-1"}


def last(*parts: dict[str, Any], reason: str = "STOP", **members: Any) -> dict[str, Any]:
    return chunk(*parts, finishReason=reason, **members) | {"usageMetadata": USAGE}


def decode(*chunks: Any) -> list[ir.Event]:
    decoder, sequencer = stream_decoder(UPSTREAM), Sequencer()
    events: list[ir.Event] = []

    def take(loose: Iterable[ir.Event]) -> None:
        for each in loose:
            events.extend(sequencer.feed(each))

    for value in chunks:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        take(decoder.feed(sse.Event(b"", data)))
    take(decoder.close())
    return events


def read(*chunks: Any) -> ir.Response:
    return fold.fold(decode(*chunks))


def write(*events: ir.Event) -> list[Any]:
    encoder = stream_encoder(view(Protocol.GEMINI))
    return events_of(b"".join(encoder.feed(event) for event in events))


def parts_of(chunks: list[Any]) -> list[Any]:
    return [each["candidates"][0]["content"]["parts"][0] for each in chunks]


def test_text_and_thinking_grow_over_chunks() -> None:
    answer = read(
        chunk({"text": "I ", "thought": True}),
        chunk({"text": "think", "thought": True}, {"text": "Hel"}),
        chunk({"text": "lo"}),
        last({"text": ""}),
    )
    assert answer.parts == (
        ir.Thinking("I think", sealed=ir.Sealed("", UPSTREAM)),
        ir.Text("Hello"),
    )
    assert (answer.id, answer.model) == ("r1", "m-1")
    assert answer.usage == ir.Usage(input=3, output=2)


def test_text_is_handed_on_as_it_comes() -> None:
    decoder = stream_decoder(UPSTREAM)
    events = decoder.feed(sse.Event(b"", json.dumps(chunk({"text": "Hel"})).encode()))
    assert events[-1] == ir.Delta(0, "Hel")


def test_calls_are_whole_and_parallel_ones_apart() -> None:
    calls = [{"functionCall": {"name": name, "args": {"x": name}}} for name in ("f", "g")]
    signed = {**calls[0], "thoughtSignature": "s"}
    answer = read(chunk({"text": "a"}), chunk(signed, calls[1]), last())
    _, first, second = answer.parts
    assert isinstance(first, ir.ToolCall)
    assert isinstance(second, ir.ToolCall)
    assert (first.arguments, first.sealed) == ('{"x":"f"}', ir.Sealed("s", UPSTREAM))
    assert second.sealed is None
    assert first.id != second.id
    assert answer.finish.reason is ir.FinishReason.TOOL_CALLS


def test_state_at_the_end_is_a_part_of_its_own() -> None:
    answer = read(chunk({"text": "a"}), last({"text": "", "thoughtSignature": "s"}))
    state = ir.Thinking("", sealed=ir.Sealed("s", UPSTREAM), redacted=True)
    assert answer.parts == (ir.Text("a"), state)


def test_a_signature_ends_the_thinking_that_it_holds_for() -> None:
    answer = read(
        chunk({"text": "a", "thought": True}),
        chunk({"text": "b", "thought": True, "thoughtSignature": "s"}),
        chunk({"text": "c", "thought": True}),
        last(),
    )
    assert answer.parts == (
        ir.Thinking("ab", sealed=ir.Sealed("s", UPSTREAM)),
        ir.Thinking("c", sealed=ir.Sealed("", UPSTREAM)),
    )


def test_citations_behind_the_text_and_its_state_reach_the_text() -> None:
    grounding = {
        "groundingChunks": [{"web": {"uri": "https://a.example"}}],
        "groundingSupports": [
            {"segment": {"startIndex": 2, "endIndex": 4}, "groundingChunkIndices": [0]}
        ],
    }
    answer = read(
        chunk({"text": "Ü"}),
        chunk({"text": "ber"}, groundingMetadata=grounding),
        last({"text": "", "thoughtSignature": "s"}, groundingMetadata=grounding),
    )
    text = answer.parts[0]
    assert isinstance(text, ir.Text)
    assert text.citations == (ir.Citation(url="https://a.example", start=1, end=3),)


def test_log_probabilities_come_with_their_text() -> None:
    result = {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]}
    answer = read(chunk({"text": "a"}, logprobsResult=result), last())
    (text,) = answer.parts
    assert isinstance(text, ir.Text)
    assert text.logprobs == (ir.Logprob("a", -0.5),)


def test_only_the_first_candidate_has_a_place() -> None:
    both = chunk({"text": "a"})
    both["candidates"].append({"index": 1, "content": {"parts": [{"text": "b"}]}})
    assert read(both, last()).parts == (ir.Text("a"),)


def test_usage_may_come_behind_the_finish() -> None:
    answer = read(chunk({"text": "a"}, finishReason="STOP"), {"usageMetadata": USAGE})
    assert answer.usage == ir.Usage(input=3, output=2)
    answer = read(chunk({"text": "a"}, finishReason="STOP"), b"[DONE]")
    assert answer.parts == (ir.Text("a"),)


def test_a_blocked_prompt_is_a_filtered_answer() -> None:
    answer = read({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": USAGE})
    assert answer.finish.reason is ir.FinishReason.CONTENT_FILTER
    assert read({"promptFeedback": {}}, last({"text": "a"})).parts == (ir.Text("a"),)


def failure_of(*chunks: Any) -> UpstreamError:
    event = decode(*chunks)[-1]
    assert isinstance(event, ir.StreamError)
    assert isinstance(event.error, UpstreamError)
    return event.error


def test_a_stream_without_a_finish_reason_has_died() -> None:
    assert isinstance(failure_of(chunk({"text": "a"})), UpstreamDied)
    assert isinstance(failure_of(), UpstreamDied)
    assert isinstance(failure_of(chunk({"text": "a"}), b"[DONE]"), UpstreamDied)


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: [error]])
def test_an_error_event_keeps_its_status_and_message(wrap: Any) -> None:
    told = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}
    error = failure_of(chunk({"text": "a"}), wrap(told))
    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.message) == (429, "Slow down.")


def test_a_failure_before_the_first_word_is_an_error() -> None:
    assert "MALFORMED_FUNCTION_CALL" in failure_of(last(reason="MALFORMED_FUNCTION_CALL")).message
    answer = read(chunk({"text": "a"}), last(reason="MALFORMED_FUNCTION_CALL"))
    assert answer.finish.reason is ir.FinishReason.ERROR


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"error":"x"}', b'{"candidates":3}'])
def test_garbage_is_an_error(data: bytes) -> None:
    assert failure_of(data).status == 502


def test_nothing_comes_behind_the_end() -> None:
    events = decode(last({"text": "a"}), chunk({"text": "b"}))
    assert isinstance(events[-1], ir.Finished)


START = ir.Start(usage=ir.Usage(input=1))


def test_every_chunk_holds_a_part_and_the_last_one_the_totals() -> None:
    finished = ir.Finished(ir.Finish(ir.FinishReason.STOP), ir.Usage(input=1, output=2))
    chunks = write(
        START,
        ir.PartStart(0, ir.Text("")),
        ir.Delta(0, "Hel"),
        ir.Delta(0, ""),
        ir.KeepAlive(),
        ir.Delta(0, "lo"),
        ir.PartEnd(0),
        finished,
    )
    assert parts_of(chunks) == [
        {"text": "Hel"},
        {"text": "", "thought": True},
        {"text": "lo"},
        {"text": ""},
    ]
    assert all(each["modelVersion"] == "acme:m-1" for each in chunks)
    assert all(each["responseId"] == "abc123" for each in chunks)
    assert [each["candidates"][0].get("finishReason") for each in chunks] == [
        *(None, None, None),
        "STOP",
    ]
    assert chunks[-1]["usageMetadata"]["totalTokenCount"] == 3


def test_a_call_is_written_once_its_arguments_are_whole() -> None:
    chunks = write(
        START,
        ir.PartStart(0, ir.ToolCall("a", "f", "")),
        ir.Delta(0, '{"x"'),
        ir.Delta(0, ":1}"),
        ir.Sealing(0, ir.Sealed("s", ir.Origin("", Protocol.GEMINI))),
        ir.PartEnd(0),
        ir.Finished(ir.Finish(ir.FinishReason.TOOL_CALLS)),
    )
    assert parts_of(chunks)[0] == {
        "functionCall": {"id": "a", "name": "f", "args": {"x": 1}},
        "thoughtSignature": "s",
    }
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"


def test_state_that_comes_behind_a_text_follows_it() -> None:
    chunks = write(
        START,
        ir.PartStart(0, ir.Text("a")),
        ir.Sealing(0, ir.Sealed("s", ir.Origin("", Protocol.GEMINI))),
        ir.PartEnd(0),
        ir.Finished(ir.Finish(ir.FinishReason.STOP)),
    )
    assert parts_of(chunks)[:2] == [{"text": "a"}, {"text": "", "thoughtSignature": "s"}]


def test_what_a_stream_cannot_show_is_lost_aloud() -> None:
    encoder = stream_encoder(view(Protocol.GEMINI))
    opaque = ir.Opaque({"type": "server_tool_use"}, Protocol.MESSAGES)
    assert encoder.feed(ir.PartStart(0, opaque)) + encoder.feed(ir.PartEnd(0)) == b""
    assert [loss.path for loss in encoder.losses] == ["response"]


def test_an_error_is_told_in_googles_words() -> None:
    (event,) = write(ir.StreamError(UpstreamDied("It broke off.")))
    assert event == {"error": {"code": 502, "message": "It broke off.", "status": "INTERNAL"}}
