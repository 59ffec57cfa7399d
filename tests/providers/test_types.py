"""The table of types is complete and says what the contract says."""

from __future__ import annotations

import pytest

from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers import urls
from dragoman.providers.types import TYPES, ProviderType, find_type


def test_the_types_are_those_of_the_contract() -> None:
    assert set(TYPES) == {
        "openai",
        "openai-compatible",
        "anthropic",
        "azure-openai",
        "gemini",
        "ollama",
        "new-api",
    }


@pytest.mark.parametrize(
    ("name", "spoken"),
    [
        ("openai", {"chat", "responses", "embeddings", "completions"}),
        ("openai-compatible", {"chat", "embeddings", "completions"}),
        ("anthropic", {"messages"}),
        ("gemini", {"gemini", "embeddings"}),
        ("ollama", {"chat", "responses", "messages", "embeddings"}),
    ],
)
def test_native_protocols(name: str, spoken: set[str]) -> None:
    assert {str(protocol) for protocol in find_type(name).protocols} == spoken


@pytest.mark.parametrize("row", TYPES.values(), ids=lambda row: row.id)
def test_urls_stand_as_they_are_called(row: ProviderType) -> None:
    main = row.base_url or row.example
    for url in (main, *row.base_urls.values()):
        assert urls.normalize(url.lower()) == url.lower()
    assert all(isinstance(protocol, Protocol) for protocol in row.base_urls)


def test_an_unknown_type_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match='Did you mean "anthropic"'):
        find_type("antropic")
    with pytest.raises(ConfigError) as caught:
        find_type("zzzz")
    assert "Did you mean" not in caught.value.message
    assert "openai-compatible" in caught.value.message
