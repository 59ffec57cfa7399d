"""providers.vendors: who is the vendor of a protocol itself."""

from __future__ import annotations

import pytest

from dragoman.protocols import Protocol
from dragoman.providers.provider import Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.providers.vendors import is_genuine


@pytest.mark.parametrize(
    ("spec", "protocol", "genuine"),
    [
        (ProviderSpec(id="openai"), Protocol.RESPONSES, True),
        (ProviderSpec(id="openai"), Protocol.MESSAGES, False),
        (ProviderSpec(id="anthropic"), Protocol.MESSAGES, True),
        (ProviderSpec(id="gemini"), Protocol.GEMINI, True),
        (ProviderSpec(id="deepseek"), Protocol.MESSAGES, False),
        (ProviderSpec(id="x", type="openai", base_url="http://127.0.0.1:1"), Protocol.CHAT, False),
        (
            ProviderSpec(id="x", type="openai", base_url="https://evil-api.openai.com.x.dev"),
            Protocol.CHAT,
            False,
        ),
        (
            ProviderSpec(id="a", type="azure-openai", base_url="https://r.openai.azure.com"),
            Protocol.RESPONSES,
            True,
        ),
    ],
)
def test_genuine(spec: ProviderSpec, protocol: Protocol, genuine: bool) -> None:
    assert is_genuine(resolve(spec, Source.FILE), protocol) is genuine
