"""Reads and changes the top level of a JSON request without touching the rest of its bytes.

A relayed body is parsed just far enough to know its members; each value stays the bytes that the
caller sent. An edit replaces, renames, removes or adds whole members by cutting the original
bytes, so that whitespace, key order, number formatting and escapes elsewhere survive.

msgspec checks the whole document's syntax while it skips values, and refuses NaN, Infinity and
lone surrogates; what it does not check inside skipped strings is UTF-8, so `parse` does.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import msgspec

from dragoman.errors import InvalidJson, InvalidRequest

T = TypeVar("T")

_NAME = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_SEPARATOR = re.compile(rb"[ \t\r\n]*[,}]")
_EMPTY = re.compile(rb"[ \t\r\n]*\}")
_TRAILING_COMMA = re.compile(rb",([ \t\r\n]*\}[ \t\r\n]*)\Z")


class _Name(str):
    """A member's name that equals only itself, so that a decoded dict keeps repeated names."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


class _Span(NamedTuple):
    """Offsets of a member: its name, its value, the value's end, and the next member's place."""

    name: str
    start: int
    value: int
    end: int
    next: int


_DECODER = msgspec.json.Decoder(dict[_Name, msgspec.Raw], dec_hook=lambda _, name: _Name(name))


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object: its bytes, and its top-level members in order as raw values."""

    body: bytes
    members: Mapping[str, msgspec.Raw]

    def read(self, name: str, kind: type[T], expected: str) -> T | None:
        """The member `name` as `kind`, or None where it is absent or null.

        Raises InvalidRequest, naming the member and what was `expected` ("a string").
        """
        raw = self.members.get(name)
        if raw is None:
            return None
        try:
            return _decoder(kind).decode(raw)
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise InvalidRequest(f"`{name}` must be {expected}.", param=name) from error

    def edit(
        self,
        put: Mapping[str, bytes],
        drop: Collection[str] = (),
        rename: Mapping[str, str] | None = None,
    ) -> bytes:
        """The body with members renamed, then dropped, then `put`: a name that is there has its
        value replaced where it stands, a new one comes first. Values are JSON bytes; a rename
        onto a name that is there as well is a drop."""
        rename = rename or {}
        missing = dict(put)
        remaining = len({*put, *drop, *rename} & self.members.keys())
        pieces: list[bytes] = []
        kept = 0  # what stands before this offset is in `pieces`, or was dropped
        for span in self._spans() if remaining else ():
            if span.name not in put and span.name not in drop and span.name not in rename:
                continue
            remaining -= 1
            name = rename.get(span.name, span.name)
            if name in drop or (name != span.name and name in self.members):
                pieces.append(self.body[kept : span.start])
                kept = span.next
            else:
                if name != span.name:
                    pieces += (self.body[kept : span.start], msgspec.json.encode(name), b":")
                    kept = span.value
                if name in missing:
                    pieces += (self.body[kept : span.value], missing.pop(name))
                    kept = span.end
            if not remaining:
                break
        edited = b"".join((*pieces, self.body[kept:]))
        edited = _TRAILING_COMMA.sub(rb"\1", edited) if drop or rename else edited
        return _with_members(edited, missing) if missing else edited

    def _spans(self) -> Iterator[_Span]:
        """Where each member stands in the body; its value's length is known from its raw value."""
        position = self.body.index(b"{") + 1
        for name, raw in self.members.items():
            start, value = _match(_NAME, self.body, position)
            end = value + len(memoryview(raw))
            _, position = _match(_SEPARATOR, self.body, end)
            closes = self.body[position - 1 : position] == b"}"
            yield _Span(name, start, value, end, position - 1 if closes else position)


@functools.cache
def _decoder(kind: type[T]) -> msgspec.json.Decoder[T | None]:
    return msgspec.json.Decoder(kind | None)


def _match(pattern: re.Pattern[bytes], body: bytes, position: int) -> tuple[int, int]:
    """Start of the first group (or of the match) and end of the match, which must be there, since
    msgspec has accepted the document."""
    found = pattern.match(body, position)
    if found is None:
        raise AssertionError(f"no {pattern.pattern!r} at offset {position} of an accepted document")
    return found.start(pattern.groups), found.end()


def _with_members(body: bytes, members: Mapping[str, bytes]) -> bytes:
    at = body.index(b"{") + 1
    added = b",".join(msgspec.json.encode(name) + b":" + value for name, value in members.items())
    comma = b"" if _EMPTY.match(body, at) else b","
    return b"".join((body[:at], added, comma, body[at:]))


def parse(body: bytes) -> Document:
    """The top level of a request body.

    Raises InvalidJson where it is no JSON (with the place), and InvalidRequest where it is not
    an object or names a member twice: two readers could take different values for it.
    """
    try:
        if not body.isascii():
            body.decode()
        pairs = _DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise InvalidRequest("The request body must be a JSON object.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidJson(f"The request body is not valid JSON: {_reason(error, body)}.") from error
    except RecursionError as error:
        raise InvalidJson("The request body is nested too deeply.") from error
    members = {str(name): raw for name, raw in pairs.items()}
    if len(members) != len(pairs):
        names = [str(name) for name in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest(f"The request body names `{twice}` more than once.", param=twice)
    return Document(body, members)


def _reason(error: Exception, body: bytes) -> str:
    if not body.strip():
        return "it is empty"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    text = str(error).removeprefix("JSON is malformed: ")
    if b"\\ud" in body.lower() and "truncated" in text:
        return "it ends early, or holds half of a surrogate pair"
    return text[:1].lower() + text[1:]
