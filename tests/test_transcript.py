"""transcript: the beginning of what was said, and no secret that can be known for one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.transcript import REDACTED, Transcript, View, redact

SECRETS = [
    "sk-dragoman-" + "a" * 43,
    "sk-ant-api03-abcdefghijklmnop",
    "gsk_abcdefghijklmnopqrst",
    "AIza" + "x" * 35,
    "AKIA" + "A1B2C3D4E5F6G7H8",
    "ghp_" + "a1" * 18,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\ncut off before its en",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_keys_are_known_by_their_look(secret: str) -> None:
    assert redact(f'{{"content": "it is {secret}"}}') in (
        f'{{"content": "it is {REDACTED}"}}',
        f'{{"content": "it is {REDACTED}',  # a key that was cut off takes the rest with it
    )


@pytest.mark.parametrize(
    "name", ["api_key", "apiKey", "x-api-key", "password", "client_secret", "access_token"]
)
def test_members_that_hold_secrets_are_known_by_their_names(name: str) -> None:
    told = json.dumps({"a": 1, name: 'x"y\\z', "b": 2})
    assert json.loads(redact(told)) == {"a": 1, name: REDACTED, "b": 2}
    # A tool's arguments are JSON within JSON.
    nested = json.dumps({"arguments": json.dumps({name: 'x"y\\z', "b": 2})})
    assert json.loads(json.loads(redact(nested))["arguments"]) == {name: REDACTED, "b": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://user:pass@host/db", f"postgres://{REDACTED}@host/db"),
        ("Authorization: Bearer abcdefgh12345", f"Authorization: Bearer {REDACTED}"),
    ],
)
def test_what_stands_around_a_secret_stays(text: str, told: str) -> None:
    assert redact(text) == told


@pytest.mark.parametrize(
    "text",
    [
        '{"max_tokens": 100, "total_tokens": 5}',
        '{"content": "Which password should I choose?"}',
        'data: {"choices": []}',
        "https://example.com/a?b=c",
        "task-oriented",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_the_secrets_of_the_provider_are_known_as_they_are() -> None:
    assert redact('my odd key, and ""', ["my odd key", ""]) == f'{REDACTED}, and ""'


@given(st.lists(st.binary(max_size=40)), st.integers(1, 60))
def test_a_view_keeps_the_beginning_and_the_size(pieces: list[bytes], limit: int) -> None:
    view = View(limit)
    for piece in pieces:
        view.add(piece)
    whole = b"".join(pieces)
    text = view.text(())
    assert view.size == len(whole)
    if not whole:
        assert text is None
    elif len(whole) <= limit:
        assert text == redact(whole.decode("utf-8", "replace"))
    else:
        assert text is not None
        assert text.endswith(f"\n[cut: {len(whole)} bytes in all]")


def test_the_latest_attempt_is_the_one_that_is_told() -> None:
    transcript = Transcript(100)
    transcript.client_request.add(b"asked")
    transcript.begin_attempt(b"first")
    transcript.upstream_response.add(b"broke")
    transcript.begin_attempt(b"second")
    transcript.upstream_response.add(b"answered")
    bodies = transcript.bodies(translated=True, secrets=())
    assert (bodies.upstream_request, bodies.upstream_response) == ("second", "answered")
    relayed = transcript.bodies(translated=False, secrets=())
    assert (relayed.client_request, relayed.upstream_request) == ("asked", None)
