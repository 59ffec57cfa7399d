from __future__ import annotations

from dragoman import envelope, ir
from dragoman.protocols import Protocol
from dragoman.wire.openai_chat.thoughts import (
    make_thoughts,
    read_signature,
    read_thoughts,
    replay,
    write_entries,
    write_signature,
)

ORIGIN = ir.Origin("acme", Protocol.MESSAGES)
SEALED = ir.Sealed("sig", ORIGIN)


def test_entries_hold_the_text_that_a_signature_is_for() -> None:
    signed = ir.Thinking("hm", sealed=SEALED)
    hidden = ir.Thinking("", sealed=SEALED, redacted=True)
    first, second = write_entries((signed, hidden))
    assert (first["type"], first["text"]) == ("reasoning.text", "hm")
    assert second["type"] == "reasoning.encrypted"
    assert read_thoughts("hm", [first, second], "") == (signed, hidden)


def test_thinking_without_state_needs_no_entry() -> None:
    assert write_entries((ir.Thinking("hm"), ir.Thinking("x", sealed=ir.Sealed("", ORIGIN)))) == []


def test_a_vendor_s_entries_are_one_state() -> None:
    entry = {"type": "reasoning.summary", "summary": "s"}
    (thought,) = make_thoughts("hm", [entry], ir.Origin("router", Protocol.CHAT))
    assert replay([thought]) == {"reasoning_content": "hm", "reasoning_details": [entry]}


def test_nothing_is_nothing() -> None:
    assert read_thoughts(None, None, "") == ()
    assert read_thoughts("", [{"signature": envelope.PREFIX + "?"}], "")[0].text == ""


def test_signatures_of_calls() -> None:
    assert read_signature(write_signature("s")) == "s"
    for other in (None, {}, {"google": 1}, {"google": {"thought_signature": 1}}):
        assert read_signature(other) is None


def test_state_that_is_no_longer_json_is_left_out() -> None:
    broken = ir.Thinking("hm", sealed=ir.Sealed("{", ir.Origin("router", Protocol.CHAT)))
    assert replay([broken]) == {"reasoning_content": "hm"}
