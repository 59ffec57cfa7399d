"""What a provider says of itself."""

from __future__ import annotations

from dragoman import protocols
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Model, Provider


def test_a_model_may_have_fewer_protocols_than_its_provider() -> None:
    provider = Provider(
        id="p",
        type="new-api",
        name="P",
        base_urls={},
        protocols=frozenset({Protocol.CHAT, Protocol.MESSAGES}),
        auth=Auth.BEARER,
    )
    only_chat = Model("m", "m", protocols=frozenset({Protocol.CHAT, Protocol.GEMINI}))
    assert provider.speaks(protocols.MESSAGES)
    assert provider.speaks(protocols.MESSAGES, Model("m", "m"))
    assert provider.speaks(protocols.CHAT, only_chat)
    assert not provider.speaks(protocols.MESSAGES, only_chat)
    assert not provider.speaks(protocols.GENERATE_CONTENT, only_chat)


def test_a_thin_protocol_is_only_counted_in() -> None:
    provider = Provider(
        id="p",
        type="local",
        name="P",
        base_urls={},
        protocols=frozenset({Protocol.CHAT, Protocol.MESSAGES}),
        auth=Auth.BEARER,
        thin=frozenset({Protocol.MESSAGES}),
    )
    assert provider.speaks(protocols.CHAT)
    assert provider.speaks(protocols.COUNT_TOKENS)
    assert not provider.speaks(protocols.MESSAGES)
