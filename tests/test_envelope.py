from __future__ import annotations

from base64 import b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import envelope, ir
from dragoman.protocols import Protocol

origins = st.builds(ir.Origin, st.text(), st.sampled_from(Protocol))
states = st.builds(ir.Sealed, st.text(), origins, st.none() | st.text())


@given(states, st.booleans())
def test_what_was_sealed_comes_out_again(sealed: ir.Sealed, follows: bool) -> None:
    assert envelope.unseal(envelope.seal(sealed, follows=follows)) == (sealed, follows)


@given(states)
def test_an_envelope_survives_a_client_that_keeps_bytes(sealed: ir.Sealed) -> None:
    as_bytes = b64decode(envelope.seal(sealed), validate=True)
    assert envelope.unseal(urlsafe_b64encode(as_bytes).decode()) == (sealed, False)
    unpadded = urlsafe_b64encode(as_bytes).decode().rstrip("=")
    assert envelope.unseal(unpadded) == (sealed, False)


@given(st.text())
def test_any_other_text_is_no_envelope(text: str) -> None:
    assert envelope.unseal(text) is None


@given(st.text() | st.text("ABCxyz019+/="))
def test_a_damaged_envelope_is_no_envelope_and_no_crash(rest: str) -> None:
    envelope.unseal(envelope.PREFIX + rest)


@pytest.mark.parametrize("text", ["", "EqQBCgIYAhIk"])
def test_a_foreign_signature_has_an_unknown_provider(text: str) -> None:
    sealed = envelope.open_or_foreign(text, Protocol.MESSAGES)
    assert sealed == ir.Sealed(text, ir.Origin("", Protocol.MESSAGES))
