"""Reasoning in Chat's messages: `reasoning_content`, `reasoning_details`, call signatures.

The text of all thinking stands under `reasoning_content`. Sealed state that a client is to hand
back stands under `reasoning_details`, one entry for each block of thinking, with the block's own
text, since a signature holds for exactly that text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dragoman import envelope, ir
from dragoman.protocols import Protocol
from dragoman.wire.documents import encode
from dragoman.wire.fields import object_of, objects_of

TEXT_FIELDS = ("reasoning_content", "reasoning")
"""Where vendors put thinking text; the first one that is there counts."""

_FORMAT = "dragoman"
_UNKNOWN = ir.Origin("", Protocol.CHAT)


def read_thoughts(text: str | None, details: Any, at: str) -> tuple[ir.Thinking, ...]:
    """The thinking of an earlier assistant message, as a client hands it back: entries that this
    gateway wrote are taken apart again."""
    entries = objects_of(details)
    ours = [thought for entry in entries if (thought := _read_entry(entry, at)) is not None]
    return tuple(ours) or make_thoughts(text, entries, _UNKNOWN, at)


def make_thoughts(
    text: str | None, entries: list[dict[str, Any]], origin: ir.Origin, at: str = ""
) -> tuple[ir.Thinking, ...]:
    """The thinking in an answer of `origin`: its text, and its details as one state."""
    if not text and not entries:
        return ()
    value = encode(entries).decode() if entries else ""
    return (ir.Thinking(text or "", sealed=ir.Sealed(value, origin), at=at),)


def write_entry(thought: ir.Thinking, index: int) -> dict[str, Any] | None:
    """The `reasoning_details` entry for one block of thinking, None where it holds no state."""
    sealed = thought.sealed
    if sealed is None or not sealed.value:
        return None
    packed = envelope.seal(sealed)
    entry: dict[str, Any] = {"format": _FORMAT, "index": index}
    if thought.redacted or not thought.text:
        return {"type": "reasoning.encrypted", "data": packed, **entry}
    return {"type": "reasoning.text", "text": thought.text, "signature": packed, **entry}


def write_entries(thoughts: Sequence[ir.Thinking]) -> list[dict[str, Any]]:
    """The entries for all of a message's thinking that holds state."""
    entries = [write_entry(thought, index) for index, thought in enumerate(thoughts)]
    return [entry for entry in entries if entry is not None]


def replay(thoughts: Sequence[ir.Thinking]) -> dict[str, Any]:
    """The members that hand thinking back to the vendor that made it."""
    text = "\n\n".join(thought.text for thought in thoughts if thought.text)
    members: dict[str, Any] = {"reasoning_content": text}
    details: list[Any] = []
    for thought in thoughts:
        if thought.sealed is not None and thought.sealed.value:
            details += _own_details(thought.sealed.value)
    return members | {"reasoning_details": details} if details else members


def read_signature(extra_content: Any) -> str | None:
    """The thought signature that a tool call carries."""
    signature = object_of(object_of(extra_content).get("google")).get("thought_signature")
    return signature if isinstance(signature, str) else None


def write_signature(signature: str) -> dict[str, Any]:
    """The `extra_content` of a call that carries a signature, as Google's own endpoint for Chat
    words it."""
    return {"google": {"thought_signature": signature}}


def _read_entry(entry: dict[str, Any], at: str) -> ir.Thinking | None:
    packed = entry.get("signature") or entry.get("data")
    opened = envelope.unseal(packed) if isinstance(packed, str) else None
    if opened is None:
        return None
    text = entry.get("text")
    redacted = entry.get("type") == "reasoning.encrypted"
    return ir.Thinking(
        text if isinstance(text, str) else "", sealed=opened.sealed, redacted=redacted, at=at
    )


def _own_details(value: str) -> list[Any]:
    """A vendor's details as it wrote them."""
    try:
        return msgspec.json.decode(value, type=list[Any])
    except msgspec.MsgspecError:
        return []
