"""Reads and changes the top level of a JSON request without touching the rest of its bytes.

A relayed body is parsed just far enough to know its members; each value stays the bytes that the
caller sent. An edit replaces, renames, removes or adds whole members by cutting the original
bytes, so that whitespace, key order, number formatting and escapes elsewhere survive.

msgspec checks the whole document's syntax while it skips values, and refuses NaN, Infinity and
lone surrogates; what it does not check inside skipped strings is UTF-8, so `parse` does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from dragoman.errors import InvalidJson, InvalidRequest

T = TypeVar("T")

_NAME = re.compile(rb'[ \t\r\n]*("(?:[^"\\]|\\.)*")[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_SEPARATOR = re.compile(rb"[ \t\r\n]*[,}]")


class _Name(str):
    """A member's name that equals only itself, so that a decoded dict keeps repeated names."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


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
            return msgspec.json.decode(raw, type=kind | None)
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
        body = self.body
        missing = dict(put)
        touched = {*put, *drop, *rename}
        pieces: list[bytes] = []
        kept = 0  # everything before this offset is in `pieces`, or was dropped
        position = body.index(b"{") + 1
        first = position
        dropped_last = False
        remaining = len(touched & self.members.keys())
        for name, raw in self.members.items():
            if not remaining:
                break
            found = _NAME.match(body, position)
            assert found is not None, "msgspec accepted the document"  # noqa: S101
            start = found.end()
            end = start + len(memoryview(raw))
            following = _SEPARATOR.match(body, end)
            assert following is not None, "msgspec accepted the document"  # noqa: S101
            if name in touched:
                remaining -= 1
                new_name = rename.get(name, name)
                gone = new_name in drop or (new_name != name and new_name in self.members)
                if gone:
                    pieces.append(body[kept:position])
                    kept = following.end() if body[following.end() - 1] == 0x2C else end
                    dropped_last = kept == end
                else:
                    if new_name != name:
                        pieces += (body[kept : found.start(1)], msgspec.json.encode(new_name))
                        kept = found.end(1)
                    if new_name in missing:
                        pieces += (body[kept:start], missing.pop(new_name))
                        kept = end
            position = following.end()
        pieces.append(body[kept:])
        edited = b"".join(pieces)
        if dropped_last:
            edited = _without_trailing_comma(edited, len(body) - kept)
        return _with_members(edited, first, missing) if missing else edited


def _without_trailing_comma(body: bytes, tail: int) -> bytes:
    """`body` minus the comma that a dropped last member leaves in front of its last `tail` bytes."""
    head = body[: len(body) - tail].rstrip(b" \t\r\n")
    return head.removesuffix(b",") + body[len(body) - tail :]


def _with_members(body: bytes, at: int, members: Mapping[str, bytes]) -> bytes:
    added = b",".join(msgspec.json.encode(name) + b":" + value for name, value in members.items())
    is_empty = body[at:].lstrip(b" \t\r\n").startswith(b"}")
    return b"".join((body[:at], added, b"" if is_empty else b",", body[at:]))


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
