"""The types of provider: what a kind of server speaks, where, and how it wants its key.

A type says how to talk to any server of its kind; a preset (`presets`) says where one
particular service is. Both hold URLs in full, version segment included, so that what stands in
a row is what is called.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from dragoman.errors import ConfigError
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, BodyEdits

CHAT, RESPONSES, MESSAGES = Protocol.CHAT, Protocol.RESPONSES, Protocol.MESSAGES
GEMINI, EMBEDDINGS, COMPLETIONS = Protocol.GEMINI, Protocol.EMBEDDINGS, Protocol.COMPLETIONS


class ListStyle(StrEnum):
    """How a provider is asked for its models, and how it answers."""

    OPENAI = "openai"  # GET {base}/models; also answers with a bare array, as Together does
    ANTHROPIC = "anthropic"  # GET {base}/models?limit=1000, pages by `last_id`
    GEMINI = "gemini"  # GET {base}/models, pages by `nextPageToken`
    OLLAMA = "ollama"  # GET /api/tags beside the version segment
    AZURE = "azure"  # GET /openai/deployments: what can be called are deployments, not models


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderType:
    """One kind of provider.

    `base_url` is where the kind's own service is, or None where each user has another address.
    `example` then shows what such an address looks like; it also tells the version segment that
    is added to one without it. `base_urls` are the protocols that live elsewhere than the rest,
    seen from `base_url` or `example`. `root_suffix` is a path that users add to the address by
    habit and that is no part of it.
    """

    id: str
    name: str
    protocols: frozenset[Protocol]
    base_url: str | None = None
    example: str = ""
    base_urls: Mapping[Protocol, str] = field(default_factory=lambda: MappingProxyType({}))
    auth: Auth = Auth.BEARER
    listing: ListStyle = ListStyle.OPENAI
    edits: Mapping[Protocol, BodyEdits] = field(default_factory=lambda: MappingProxyType({}))
    root_suffix: str = ""


_ROWS = (
    ProviderType(
        id="openai",
        name="OpenAI",
        protocols=frozenset({CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS}),
        base_url="https://api.openai.com/v1",
    ),
    ProviderType(
        id="openai-compatible",
        name="OpenAI-compatible server",
        protocols=frozenset({CHAT, EMBEDDINGS, COMPLETIONS}),
        example="https://api.example.com/v1",
        # Not spoken unless `protocols` says so; then a shared base URL still finds its place.
        base_urls={GEMINI: "https://api.example.com/v1beta"},
    ),
    ProviderType(
        id="anthropic",
        name="Anthropic",
        protocols=frozenset({MESSAGES}),
        base_url="https://api.anthropic.com/v1",
        auth=Auth.X_API_KEY,
        listing=ListStyle.ANTHROPIC,
    ),
    ProviderType(
        id="azure-openai",
        name="Azure OpenAI",
        protocols=frozenset({CHAT, RESPONSES, EMBEDDINGS, COMPLETIONS}),
        example="https://RESOURCE.openai.azure.com/openai/v1",
        auth=Auth.API_KEY,
        listing=ListStyle.AZURE,
    ),
    ProviderType(
        id="gemini",
        name="Gemini",
        protocols=frozenset({GEMINI, EMBEDDINGS}),
        base_url="https://generativelanguage.googleapis.com/v1beta",
        # ai.google.dev/gemini-api/docs/openai: the OpenAI shape lives under /openai.
        base_urls={EMBEDDINGS: "https://generativelanguage.googleapis.com/v1beta/openai"},
        auth=Auth.X_GOOG_API_KEY,
        listing=ListStyle.GEMINI,
    ),
    ProviderType(
        id="ollama",
        name="Ollama",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, EMBEDDINGS}),
        base_url="http://localhost:11434/v1",
        auth=Auth.NONE,
        listing=ListStyle.OLLAMA,
        root_suffix="/api",
    ),
    ProviderType(
        id="new-api",
        name="New API",
        protocols=frozenset({CHAT, RESPONSES, MESSAGES, GEMINI, EMBEDDINGS, COMPLETIONS}),
        base_url="http://localhost:3000/v1",
        base_urls={GEMINI: "http://localhost:3000/v1beta"},
    ),
)

TYPES: Mapping[str, ProviderType] = MappingProxyType({row.id: row for row in _ROWS})


def find_type(name: str) -> ProviderType:
    """The type called `name`; raises ConfigError that names the nearest one."""
    found = TYPES.get(name)
    if found is None:
        nearest = difflib.get_close_matches(name, TYPES, n=1, cutoff=0.5)
        hint = f' Did you mean "{nearest[0]}"?' if nearest else ""
        raise ConfigError(
            f'There is no provider type "{name}".{hint} The types are {", ".join(TYPES)}.'
        )
    return found
