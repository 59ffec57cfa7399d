"""sse: any byte split, every line end, comments, and bytes that stay as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import sse
from dragoman.sse import Event

LINES = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=20)
EVENTS = st.lists(
    st.builds(
        lambda name, data: Event(name.encode(), "\n".join(data).encode()),
        st.sampled_from(["", "message_start", "response.completed"]),
        st.lists(LINES, min_size=1, max_size=3),
    ),
    max_size=6,
)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """`data` in pieces of the given sizes, the last one being what is left."""
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def feed_all(chunks: list[bytes]) -> list[Event]:
    reader = sse.Reader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return [*events, *reader.close()]


@given(EVENTS, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 9)))
def test_what_was_encoded_is_read_back_under_any_split(
    events: list[Event], line_end: bytes, sizes: list[int]
) -> None:
    stream = b"".join(sse.encode(event.data, event.name) for event in events)
    stream = stream.replace(b"\n", line_end)
    assert feed_all(cut(stream, sizes)) == events
    assert feed_all([bytes([byte]) for byte in stream]) == events


@given(st.binary(max_size=200), st.lists(st.integers(0, 9)))
def test_any_bytes_give_the_same_events_under_any_split(data: bytes, sizes: list[int]) -> None:
    assert feed_all(cut(data, sizes)) == feed_all([data])


@given(st.binary(max_size=200) | st.text("\r\nda: x").map(str.encode), st.lists(st.integers(0, 9)))
def test_the_splitter_changes_no_byte(data: bytes, sizes: list[int]) -> None:
    splitter = sse.Splitter()
    out = [splitter.feed(chunk) for chunk in cut(data, sizes)]
    assert b"".join(out) + splitter.rest == data


@given(EVENTS, st.sampled_from([b"\n", b"\r\n", b"\r"]), st.lists(st.integers(0, 9)))
def test_the_splitter_cuts_only_behind_whole_events(
    events: list[Event], line_end: bytes, sizes: list[int]
) -> None:
    stream = b"".join(sse.encode(event.data, event.name) for event in events)
    stream = stream.replace(b"\n", line_end)
    splitter = sse.Splitter()
    seen: list[Event] = []
    for chunk in cut(stream, sizes):
        reader = sse.Reader()
        seen += reader.feed(splitter.feed(chunk))
        assert reader.close() == []
    assert seen == events


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b": a comment\n\ndata: x\n\n", [Event(b"", b"x")]),
        (b"data:x\n\n", [Event(b"", b"x")]),
        (b"data:  x\n\n", [Event(b"", b" x")]),
        (b"data\n\n", [Event(b"", b"")]),
        (b"data: a\ndata: b\n\n", [Event(b"", b"a\nb")]),
        (b"event: e\nid: 7\nretry: 9\ndata: x\n\n", [Event(b"e", b"x")]),
        (b"event: only\n\ndata: x\n\n", [Event(b"", b"x")]),
        (b"\xef\xbb\xbfdata: x\n\n", [Event(b"", b"x")]),
        (b"\n\n\n\ndata: x\n\n\n\ndata: y\n\n", [Event(b"", b"x"), Event(b"", b"y")]),
        (b"data: cut off", [Event(b"", b"cut off")]),
        (b"data: x\r\n\r\ndata: y\r\r", [Event(b"", b"x"), Event(b"", b"y")]),
        (b"", []),
    ],
)
def test_lines_of_the_standard(stream: bytes, events: list[Event]) -> None:
    assert list(sse.read(stream)) == events
    assert feed_all([bytes([byte]) for byte in stream]) == events


def test_a_large_event_is_held_until_it_is_whole() -> None:
    splitter = sse.Splitter()
    assert splitter.feed(b"data: " + b"x" * 1000) == b""
    assert splitter.feed(b"y" * 1000) == b""
    assert splitter.feed(b"\n\ndata: z") == b"data: " + b"x" * 1000 + b"y" * 1000 + b"\n\n"
    assert splitter.rest == b"data: z"
