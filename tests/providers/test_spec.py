"""What a person may write, and what is refused at once."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from dragoman.protocols import Protocol
from dragoman.providers.spec import ModelSpec, ProviderSpec


def test_the_contract_s_example_is_understood() -> None:
    spec = ProviderSpec.model_validate(
        {
            "id": "my-openai",
            "type": "openai",
            "name": "My OpenAI",
            "base_url": "https://api.openai.com/v1",
            "api_keys": ["k"],
            "models": ["gpt-4", {"id": "gpt-4o", "name": "GPT-4o"}],
            "protocols": ["chat", "responses", "embeddings"],
            "headers": {"x-team": "a"},
            "enabled": True,
            "timeout": {"connect_s": 10, "first_byte_s": 600, "idle_s": 300},
        }
    )
    assert spec.protocols == [Protocol.CHAT, Protocol.RESPONSES, Protocol.EMBEDDINGS]
    assert spec.models == ["gpt-4", ModelSpec(id="gpt-4o", name="GPT-4o")]


@pytest.mark.parametrize("bad", ["", "a:b", "a/b", "-a", "A", "ü", "a b", "x" * 65])
def test_ids_never_hold_what_separates_them(bad: str) -> None:
    with pytest.raises(ValidationError):
        ProviderSpec(id=bad)


@pytest.mark.parametrize(
    "wrong",
    [
        {"api_kee": "k"},
        {"protocols": ["chatt"]},
        {"timeout": {"idle_s": 0}},
        {"models": [{"id": ""}]},
        {"models": [{"id": "m", "context_length": 0}]},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ProviderSpec.model_validate({"id": "p", **wrong})
