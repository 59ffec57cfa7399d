from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import PROVIDER, events_of, view

from dragoman import envelope, ir, sse
from dragoman.errors import UpstreamDied, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages import stream_decoder, stream_encoder

ORIGIN = ir.Origin(PROVIDER, Protocol.MESSAGES)


def decode(*events: dict[str, Any]) -> list[ir.Event]:
    decoder = stream_decoder(ORIGIN)
    return [
        found
        for event in events
        for found in decoder.feed(sse.Event(b"", json.dumps(event).encode()))
    ]


def encode(*events: ir.Event) -> list[Any]:
    encoder = stream_encoder(view(Protocol.MESSAGES))
    return events_of(b"".join(map(encoder.feed, events)))


def test_events_that_are_new_are_skipped_and_pings_kept() -> None:
    assert decode({"type": "brand_new", "x": 1}) == []
    assert decode({"type": "ping"}) == [ir.KeepAlive()]
    new = {"type": "content_block_delta", "index": 0, "delta": {"type": "brand_new"}}
    assert decode(new) == []


@pytest.mark.parametrize("data", [b"{", b'{"type":"content_block_delta"}', b"[1]", b'"x"', b"\xff"])
def test_garbage_ends_the_stream(data: bytes) -> None:
    decoder = stream_decoder(ORIGIN)
    (event,) = decoder.feed(sse.Event(b"", data))
    assert isinstance(event, ir.StreamError)
    assert isinstance(event.error, UpstreamDied)
    assert list(decoder.feed(sse.Event(b"", b'{"type":"ping"}'))) == []
    assert list(decoder.close()) == []


@pytest.mark.parametrize(
    ("kind", "status"), [("overloaded_error", 529), ("rate_limit_error", 429), ("new", 500)]
)
def test_errors_keep_their_meaning(kind: str, status: int) -> None:
    (event,) = decode({"type": "error", "error": {"type": kind, "message": "No"}})
    assert isinstance(event, ir.StreamError)
    assert isinstance(event.error, UpstreamRefused)
    assert (event.error.status, event.error.message) == (status, "No")


def test_blocks_of_server_tools_come_whole() -> None:
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    piece = {"type": "input_json_delta", "partial_json": '{"query":"x"}'}
    events = decode(
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "content_block_delta", "index": 0, "delta": piece},
        {"type": "content_block_stop", "index": 0},
    )
    whole = ir.Opaque(block | {"input": {"query": "x"}}, Protocol.MESSAGES)
    assert events == [ir.PartStart(0, whole), ir.PartEnd(0)]


def test_arguments_in_the_start_count_where_no_deltas_come() -> None:
    block = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
    (event,) = decode({"type": "content_block_start", "index": 0, "content_block": block})
    assert event == ir.PartStart(0, ir.ToolCall("a", "f", '{"x":1}'))


def test_citations_stream_too() -> None:
    citation = {"type": "char_location", "cited_text": "q"}
    delta = {"type": "citations_delta", "citation": citation}
    (event,) = decode({"type": "content_block_delta", "index": 0, "delta": delta})
    assert isinstance(event, ir.Cited)
    _, started, cited, _ = encode(ir.Start(), ir.PartStart(0, ir.Text("")), event, ir.PartEnd(0))
    assert started["content_block"] == {"type": "text", "text": ""}
    assert cited["delta"] == delta


def test_whole_parts_are_written_whole() -> None:
    sealed = ir.Sealed("s", ir.Origin("g", Protocol.GEMINI))
    events = encode(
        ir.Start(),
        ir.PartStart(0, ir.Thinking("", sealed=sealed, redacted=True)),
        ir.PartEnd(0),
        ir.PartStart(1, ir.ToolCall("a", "f", '{"x":1}', sealed=sealed)),
        ir.PartEnd(1),
        ir.Finished(ir.Finish(ir.FinishReason.STOP)),
    )
    starts = [event for event in events if event["type"] == "content_block_start"]
    kinds = [start["content_block"]["type"] for start in starts]
    assert kinds == ["redacted_thinking", "redacted_thinking", "tool_use"]
    assert [start["index"] for start in starts] == [0, 1, 2]
    assert envelope.unseal(starts[1]["content_block"]["data"]) == (sealed, True)
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert deltas == [{"type": "input_json_delta", "partial_json": '{"x":1}'}]


def test_what_cannot_be_shown_is_recorded_and_takes_no_index() -> None:
    encoder = stream_encoder(view(Protocol.MESSAGES))
    written = b"".join(
        map(
            encoder.feed,
            [
                ir.Start(),
                ir.PartStart(0, ir.Media(ir.MediaKind.IMAGE, data="aaaa")),
                ir.PartEnd(0),
                ir.PartStart(1, ir.Text("x")),
                ir.PartEnd(1),
            ],
        )
    )
    assert [loss.path for loss in encoder.losses] == ["response"]
    assert [event["index"] for event in events_of(written)[1:]] == [0, 0, 0]


def test_each_event_is_named() -> None:
    encoder = stream_encoder(view(Protocol.MESSAGES))
    written = encoder.feed(ir.Start()) + encoder.feed(ir.KeepAlive())
    for event in sse.read(written):
        assert json.loads(event.data)["type"].encode() == event.name
