r"""Server-sent events as bytes: a reader for any byte split, a splitter that changes no byte.

The format is that of the HTML standard, section 9.2: lines end with LF, CR or CRLF; a blank line
ends an event; `data` lines are joined with LF; a line that starts with a colon is a comment; one
space after a field's colon is not part of its value; a byte order mark at the start is skipped.
Beyond the standard, an event that the end of the stream cuts off before its blank line is still
handed out by `Reader.close`: several providers leave the last blank line out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

PING = b": ping\n\n"
LONGEST_EVENT = 32 * 1024 * 1024
"""Bytes; pictures travel in events, but nothing that is longer than this has an end."""

_BOM = b"\xef\xbb\xbf"
# Two line ends in a row. The group is atomic, or CRLF would count as two.
_BLANK_LINE = re.compile(rb"(?>\r\n|\n|\r){2}")


class Event(NamedTuple):
    """One event; `name` is empty where the stream gave none."""

    name: bytes
    data: bytes


class Reader:
    """Turns chunks, split anywhere, into events; comments and unknown fields are skipped.

    `held_bytes` tells how much waits for the end of its event; whoever reads from strangers bounds
    it by `LONGEST_EVENT`.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []  # the beginning of an event that is not complete yet
        self.held_bytes = 0
        self._ends_with_cr = False
        self._at_start = True

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that `chunk` completes."""
        chunk = self._normalise(chunk)
        if not chunk:
            return []
        held = self._held
        if b"\n\n" not in chunk and not (held and held[-1].endswith(b"\n") and chunk[:1] == b"\n"):
            held.append(chunk)
            self.held_bytes += len(chunk)
            return []
        held.append(chunk)
        *blocks, rest = b"".join(held).split(b"\n\n")
        self._held = [rest] if rest else []
        self.held_bytes = len(rest)
        return [event for block in blocks if (event := _parse(block)) is not None]

    def close(self) -> list[Event]:
        """The event, if any, that the end of the stream left without its blank line."""
        event = _parse(b"".join(self._held))
        self._held = []
        return [] if event is None else [event]

    def _normalise(self, chunk: bytes) -> bytes:
        """`chunk` with LF line ends, minus the second half of a CRLF that a read has split."""
        if self._at_start and chunk:
            chunk = b"".join((*self._held, chunk))
            self._held = []
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._held = [chunk]
                return b""
            chunk = chunk.removeprefix(_BOM)
            self._at_start = False
        if self._ends_with_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._ends_with_cr = False
        if b"\r" in chunk:
            self._ends_with_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk


class Splitter:
    """Cuts a stream at event boundaries without changing a byte.

    What `feed` returned so far always ends behind a whole event, so that a comment or an error
    event can be put there; `rest` is the part of an event that is still held back, `held_bytes` its
    length.
    """

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self.held_bytes = 0

    def feed(self, chunk: bytes) -> bytes:
        """All bytes up to the end of the last event that is complete; may be empty."""
        if not self._held and b"\r" not in chunk and chunk.endswith(b"\n\n"):
            return chunk  # most reads hold whole events
        if self._held and not self._completes(chunk):
            self._held.append(chunk)
            self.held_bytes += len(chunk)
            return b""
        data = b"".join((*self._held, chunk))
        end = _last_boundary(data)
        self._held = [data[end:]] if end < len(data) else []
        self.held_bytes = len(data) - end
        return data[:end]

    @property
    def rest(self) -> bytes:
        """What was fed but not returned yet."""
        return b"".join(self._held)

    def _completes(self, chunk: bytes) -> bool:
        """Whether an event can end in `chunk`; spares joining what is held for each small read."""
        return b"\n" in chunk or b"\r" in chunk


def _last_boundary(data: bytes) -> int:
    if b"\r" not in data:
        return data.rfind(b"\n\n") + 2 if b"\n\n" in data else 0
    end = 0
    for match in _BLANK_LINE.finditer(data):
        end = match.end()
    return end


def read(data: bytes) -> Iterator[Event]:
    """The events of a whole stream."""
    reader = Reader()
    yield from reader.feed(data)
    yield from reader.close()


def encode(data: bytes, name: bytes = b"") -> bytes:
    """One event, framed. `data` must not hold CR; each LF in it starts another data line."""
    if b"\n" in data:
        data = data.replace(b"\n", b"\ndata: ")
    if name:
        return b"event: %b\ndata: %b\n\n" % (name, data)
    return b"data: %b\n\n" % data


def _parse(block: bytes) -> Event | None:
    """One event out of its lines, or None where they hold no data."""
    if block.startswith(b"data: ") and b"\n" not in block:
        return Event(b"", block[6:])
    name = b""
    data: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return Event(name, b"\n".join(data)) if data else None
