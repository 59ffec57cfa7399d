from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from conversations import PROVIDER, events_of, view

from dragoman import fold, ir, sse
from dragoman.errors import UpstreamDied, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.sequencer import Sequencer
from dragoman.wire.openai_chat import stream_decoder, stream_encoder

ORIGIN = ir.Origin(PROVIDER, Protocol.CHAT)


def decode(*deltas: dict[str, Any], finish: str = "stop") -> ir.Response:
    decoder, sequencer = stream_decoder(ORIGIN), Sequencer()
    chunks: list[Any] = [{"id": "c", "choices": [{"index": 0, "delta": d}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    datas = [json.dumps(chunk).encode() for chunk in chunks] + [b"[DONE]"]
    loose = [event for data in datas for event in decoder.feed(sse.Event(b"", data))]
    return fold.fold(strict for event in loose for strict in sequencer.feed(event))


def encode(*events: ir.Event, **more: Any) -> list[Any]:
    encoder = stream_encoder(view(Protocol.CHAT, **more))
    return events_of(b"".join(map(encoder.feed, events)))


def call(**members: Any) -> dict[str, Any]:
    return {"tool_calls": [members]}


def test_a_name_that_comes_late_is_waited_for() -> None:
    response = decode(
        call(index=0, id="a"),
        call(index=0, function={"arguments": '{"x"'}),
        call(index=0, function={"name": "f", "arguments": ":1}"}),
    )
    assert response.parts == (ir.ToolCall("a", "f", '{"x":1}'),)


def test_a_call_without_id_gets_one() -> None:
    response = decode(call(index=0, function={"name": "f", "arguments": "{}"}))
    assert response.parts == (ir.ToolCall("call_c_0", "f", "{}"),)


def test_custom_calls() -> None:
    response = decode(
        call(index=0, id="a", custom={"name": "exec", "input": "l"}),
        call(index=0, custom={"input": "s"}),
    )
    assert response.parts == (ir.ToolCall("a", "exec", "ls", kind=ir.ToolKind.CUSTOM),)


def test_text_after_a_call_is_a_part_of_its_own() -> None:
    response = decode(
        {"content": "a"}, call(index=0, id="a", function={"name": "f"}), {"content": "b"}
    )
    assert response.parts == (ir.Text("a"), ir.ToolCall("a", "f", "{}"), ir.Text("b"))


def test_details_that_come_in_pieces_are_joined() -> None:
    response = decode(
        {
            "reasoning": "h",
            "reasoning_details": [{"type": "reasoning.text", "text": "h", "index": 0}],
        },
        {
            "reasoning": "m",
            "reasoning_details": [
                {"type": "reasoning.text", "text": "m", "index": 0, "signature": "s"},
                {"type": "reasoning.encrypted", "data": "x", "index": 1},
            ],
        },
        {"content": "So."},
    )
    (thought, _) = response.parts
    assert isinstance(thought, ir.Thinking)
    assert thought.sealed is not None
    assert thought.text == "hm"
    assert json.loads(thought.sealed.value) == [
        {"type": "reasoning.text", "text": "hm", "index": 0, "signature": "s"},
        {"type": "reasoning.encrypted", "data": "x", "index": 1},
    ]


def test_mistral_s_chunks_of_content() -> None:
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    response = decode({"content": [thinking]}, {"content": "So."})
    assert [getattr(part, "text", None) for part in response.parts] == ["hm", "So."]


def test_other_choices_are_nobody_s_business() -> None:
    decoder = stream_decoder(ORIGIN)
    chunk = {"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]}
    (start,) = decoder.feed(sse.Event(b"", json.dumps(chunk).encode()))
    assert isinstance(start, ir.Start)
    (error,) = decoder.feed(sse.Event(b"", b"[DONE]"))
    assert isinstance(error, ir.StreamError)


@pytest.mark.parametrize("data", [b"{", b"[1]", b'{"choices":1}', b"\xff", b"DONE"])
def test_garbage_ends_the_stream(data: bytes) -> None:
    decoder = stream_decoder(ORIGIN)
    (event,) = decoder.feed(sse.Event(b"", data))
    assert isinstance(event, ir.StreamError)
    assert isinstance(event.error, UpstreamDied)
    assert list(decoder.feed(sse.Event(b"", b"[DONE]"))) == list(decoder.close()) == []


@pytest.mark.parametrize(("code", "status"), [(429, 429), ("rate_limited", 502), (7, 502)])
def test_errors_keep_their_message_and_status(code: object, status: int) -> None:
    data = json.dumps({"error": {"message": "No", "code": code}}).encode()
    (event,) = stream_decoder(ORIGIN).feed(sse.Event(b"", data))
    assert isinstance(event, ir.StreamError)
    assert isinstance(event.error, UpstreamRefused)
    assert (event.error.message, event.error.status) == ("No", status)


def test_every_chunk_has_the_same_head() -> None:
    events = encode(
        ir.Start(),
        ir.PartStart(0, ir.Text("Hi")),
        ir.PartEnd(0),
        ir.Finished(ir.Finish(ir.FinishReason.LENGTH)),
    )
    *chunks, done = events
    assert done == "[DONE]"
    heads = {(c["id"], c["object"], c["created"], c["model"]) for c in chunks}
    assert heads == {("chatcmpl-abc123", "chat.completion.chunk", 1_700_000_000, "acme:m-1")}
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[1]["choices"][0]["delta"] == {"content": "Hi"}
    assert chunks[2]["choices"][0]["finish_reason"] == "length"


def test_odd_model_names_stay_json() -> None:
    quoted = 'a"b\\'
    encoder = stream_encoder(msgspec.structs.replace(view(Protocol.CHAT), model=quoted))
    (event,) = events_of(encoder.feed(ir.Start()))
    assert event["model"] == quoted


def test_citations_stand_over_their_part() -> None:
    citation = ir.Citation(url="https://x", title="X")
    events = encode(
        ir.Start(),
        ir.PartStart(0, ir.Text("ab")),
        ir.PartEnd(0),
        ir.PartStart(1, ir.Text("")),
        ir.Delta(1, "cde"),
        ir.Cited(1, citation),
        ir.Cited(1, ir.Citation(quote="no page")),
        ir.PartEnd(1),
    )
    (annotation,) = events[-1]["choices"][0]["delta"]["annotations"]
    cited = annotation["url_citation"]
    assert (cited["start_index"], cited["end_index"], cited["url"]) == (2, 5, "https://x")


def test_whole_calls_and_words_of_others() -> None:
    events = encode(
        ir.Start(),
        ir.PartStart(0, ir.ToolCall("a", "f", '{"x":1}')),
        ir.PartEnd(0),
        ir.PartStart(1, ir.Opaque({}, Protocol.MESSAGES, text="words")),
        ir.PartEnd(1),
    )
    (called,) = events[1]["choices"][0]["delta"]["tool_calls"]
    assert called["function"] == {"name": "f", "arguments": '{"x":1}'}
    assert events[2]["choices"][0]["delta"] == {"content": "words"}


def test_what_cannot_be_shown_is_recorded() -> None:
    encoder = stream_encoder(view(Protocol.CHAT))
    sealed = ir.Sealed("s", ir.Origin("g", Protocol.GEMINI))
    for event in (
        ir.Start(),
        ir.PartStart(0, ir.Media(ir.MediaKind.IMAGE)),
        ir.PartEnd(0),
        ir.PartStart(1, ir.Text("", sealed=sealed)),
    ):
        encoder.feed(event)
    assert len(encoder.losses) == 2


def test_a_classifier_s_refusal_is_told() -> None:
    finish = ir.Finish(ir.FinishReason.REFUSAL, category="bio", explanation="Too risky.")
    *_, refusal, last, done = encode(ir.Start(), ir.Finished(finish))
    assert refusal["choices"][0]["delta"] == {"refusal": "Too risky."}
    assert last["choices"][0]["finish_reason"] == "content_filter"
    assert done == "[DONE]"


def test_keep_alives_are_comments() -> None:
    assert stream_encoder(view(Protocol.CHAT)).feed(ir.KeepAlive()) == sse.PING
