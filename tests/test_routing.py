"""routing: what a model name means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidModelFormat, ModelNotFound, ProviderNotFound
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Model, Provider
from dragoman.routing import Alias, Router, Strategy


def provider(name: str, models: list[str] | None = None, enabled: bool = True) -> Provider:
    return Provider(
        id=name,
        type="openai",
        name=name,
        base_urls={Protocol.CHAT: "http://127.0.0.1:1/v1"},
        protocols=frozenset({Protocol.CHAT}),
        auth=Auth.BEARER,
        models=None if models is None else tuple(Model(each, each) for each in models),
        enabled=enabled,
    )


def alias(*targets: str) -> Alias:
    return Alias(tuple((each, 1.0) for each in targets))


ROUTER = Router(
    [
        provider("openai", ["gpt-4", "shared"]),
        provider("ollama"),
        provider("off", ["gpt-4", "only-off"], enabled=False),
        provider("other", ["shared"]),
    ],
    lists={"ollama": (Model("llama3:8b", "Llama"),)},
    aliases={
        "fast": alias("openai:gpt-4"),
        "smart": alias("off:gpt-4", "ollama:llama3:8b", "openai:gpt-4"),
        "dead": alias("off:gpt-4"),
        "drawn": Alias((("openai:gpt-4", 3.0), ("other:shared", 1.0)), Strategy.WEIGHTED),
    },
)


def names(name: str) -> list[str]:
    return [target.name for target in ROUTER.resolve(name)]


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("openai:gpt-4", ["openai:gpt-4"]),
        ("ollama:llama3:8b", ["ollama:llama3:8b"]),
        ("ollama:not/listed:free", ["ollama:not/listed:free"]),
        ("gpt-4", ["openai:gpt-4"]),
        ("llama3:8b", ["ollama:llama3:8b"]),
        ("fast", ["openai:gpt-4"]),
        ("smart", ["ollama:llama3:8b", "openai:gpt-4"]),
    ],
)
def test_names_that_mean_something(name: str, targets: list[str]) -> None:
    assert names(name) == targets


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("openai:gpt-5", ModelNotFound, "Did you mean `openai:gpt-4`"),
        ("opnai:gpt-4", ProviderNotFound, "Did you mean `openai`"),
        ("off:gpt-4", ProviderNotFound, "is disabled"),
        ("shared", InvalidModelFormat, "`openai:shared`, `other:shared`"),
        ("only-off", InvalidModelFormat, "provider-id:model-id"),
        ("", InvalidModelFormat, "provider-id:model-id"),
        ("openai:", InvalidModelFormat, "is missing"),
        (":gpt-4", ProviderNotFound, "no provider"),
        ("dead", ProviderNotFound, "No provider of the alias"),
    ],
)
def test_names_that_mean_nothing(name: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ROUTER.resolve(name)


def test_targets_of_an_alias_have_weights_and_a_strategy() -> None:
    assert [target.weight for target in ROUTER.resolve("drawn")] == [3.0, 1.0]
    assert ROUTER.strategy("drawn") is Strategy.WEIGHTED
    assert ROUTER.strategy("smart") is ROUTER.strategy("openai:gpt-4") is Strategy.ORDER


def test_the_provider_in_the_path() -> None:
    assert [target.name for target in ROUTER.resolve_at("ollama", "a:b")] == ["ollama:a:b"]
    with pytest.raises(ProviderNotFound):
        ROUTER.resolve_at("nobody", "a")


@given(st.text(max_size=20))
def test_any_name_gives_targets_or_a_caller_error(name: str) -> None:
    try:
        assert ROUTER.resolve(name)
    except (InvalidModelFormat, ModelNotFound, ProviderNotFound) as error:
        assert error.param == "model"
