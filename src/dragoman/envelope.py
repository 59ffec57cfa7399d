"""Sealed reasoning state in a form that any client hands back unread.

A provider's sealed state (a signature, encrypted content) must come back to that provider and to
no other. The gateway remembers nothing between requests, so the state travels through the
client: in whatever slot the client's protocol has for opaque text, wrapped with its origin.

An envelope is a prefix of 16 letters and digits and the base64 of a JSON array: provider,
protocol, value, item id or null, whether it belongs to the part that follows rather than to the
block it stands in. Prefix and all, it is base64 itself: Gemini's SDKs keep thought signatures as
bytes, decode the text on arrival and may encode it again in the URL-safe alphabet, so both
alphabets are read.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import NamedTuple

import msgspec

from dragoman import ir
from dragoman.protocols import Protocol

PREFIX = "dragomanSealed01"
"""A request body that holds this text may carry an envelope: do not relay it unread."""


class _Content(msgspec.Struct, array_like=True, frozen=True):
    provider: str
    protocol: Protocol
    value: str
    id: str | None
    follows: bool


class Opened(NamedTuple):
    """What an envelope held. `follows`: the state belongs to the next part of the message."""

    sealed: ir.Sealed
    follows: bool


_STANDARD = str.maketrans("-_", "+/")
_DECODER = msgspec.json.Decoder(_Content)


def seal(sealed: ir.Sealed, *, follows: bool = False) -> str:
    """`sealed` as one word of text."""
    origin = sealed.origin
    content = _Content(origin.provider, origin.protocol, sealed.value, sealed.id, follows)
    return PREFIX + b64encode(msgspec.json.encode(content)).decode()


def unseal(text: str) -> Opened | None:
    """What `text` holds, or None where it is not an envelope (or a damaged one)."""
    if not text.startswith(PREFIX):
        return None
    packed = text[len(PREFIX) :].rstrip("=")
    try:
        padded = packed + "=" * (-len(packed) % 4)
        content = _DECODER.decode(b64decode(padded.translate(_STANDARD), validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None
    origin = ir.Origin(content.provider, content.protocol)
    return Opened(ir.Sealed(content.value, origin, content.id), content.follows)


def open_or_foreign(text: str, protocol: Protocol) -> ir.Sealed:
    """The state in a slot of `protocol`: out of its envelope, or as it stands, from nobody knows
    which provider (the client got it elsewhere, or on a relay)."""
    opened = unseal(text)
    return opened.sealed if opened else ir.Sealed(text, ir.Origin("", protocol))
