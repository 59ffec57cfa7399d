"""Each kind of provider gets its key where it looks for it, and nowhere else."""

from __future__ import annotations

import pytest

from dragoman.protocols import Protocol
from dragoman.providers.auth import auth_headers
from dragoman.providers.provider import Auth, Provider

KEY = "k-123"
BEARER = (b"authorization", b"Bearer k-123")


def provider(auth: Auth) -> Provider:
    return Provider(
        id="p", type="openai", name="P", base_urls={}, protocols=frozenset(Protocol), auth=auth
    )


@pytest.mark.parametrize(
    ("auth", "protocol", "expected"),
    [
        (Auth.BEARER, Protocol.CHAT, [BEARER]),
        (Auth.BEARER, Protocol.MESSAGES, [(b"x-api-key", b"k-123"), BEARER]),
        (Auth.BEARER, Protocol.GEMINI, [(b"x-goog-api-key", b"k-123")]),
        (Auth.X_API_KEY, Protocol.MESSAGES, [(b"x-api-key", b"k-123")]),
        (Auth.X_API_KEY, Protocol.CHAT, [BEARER]),
        (Auth.API_KEY, Protocol.RESPONSES, [(b"api-key", b"k-123")]),
        (Auth.API_KEY, Protocol.MESSAGES, [(b"x-api-key", b"k-123"), (b"api-key", b"k-123")]),
        (Auth.X_GOOG_API_KEY, Protocol.GEMINI, [(b"x-goog-api-key", b"k-123")]),
        (Auth.X_GOOG_API_KEY, Protocol.EMBEDDINGS, [BEARER]),
        (Auth.NONE, Protocol.CHAT, [BEARER]),
    ],
)
def test_the_key_goes_where_it_is_read(
    auth: Auth, protocol: Protocol, expected: list[tuple[bytes, bytes]]
) -> None:
    assert auth_headers(provider(auth), KEY, protocol) == expected


@pytest.mark.parametrize("auth", list(Auth))
@pytest.mark.parametrize("protocol", list(Protocol))
def test_no_key_means_no_header(auth: Auth, protocol: Protocol) -> None:
    assert auth_headers(provider(auth), None, protocol) == []
    assert auth_headers(provider(auth), "", protocol) == []


@pytest.mark.parametrize("protocol", list(Protocol))
def test_google_never_sees_two_credentials(protocol: Protocol) -> None:
    if protocol is not Protocol.MESSAGES:
        assert len(auth_headers(provider(Auth.X_GOOG_API_KEY), KEY, protocol)) == 1
