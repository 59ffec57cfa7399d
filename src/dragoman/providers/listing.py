"""Asking a provider for its models, and reading what it answers; no I/O here.

Answers differ less than one might fear: an array of objects, bare or under `data`, `models` or
`result`, whose id is under `id`, `name` or `model`. What differs is which further facts stand
there and under which names; those that are known are read, the rest is ignored, and an entry
that cannot be read is left out rather than spoiling the list.

`created` needs care. vLLM, SGLang and llama.cpp fill it with the time at which they answer, so
that it changes with every request; such a time is no fact about the model and becomes 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import msgspec

from dragoman.errors import ConfigError, UpstreamError
from dragoman.protocols import Protocol
from dragoman.providers import urls
from dragoman.providers.auth import ANTHROPIC_VERSION, auth_headers
from dragoman.providers.provider import Model, Provider
from dragoman.providers.types import TYPES, ListStyle

_CLOCK_SLACK_S = 300.0

_ENDPOINT_PROTOCOLS = {
    # new-api, constant/endpoint_type.go
    "openai": (Protocol.CHAT, Protocol.COMPLETIONS),
    "openai-response": (Protocol.RESPONSES,),
    "anthropic": (Protocol.MESSAGES,),
    "gemini": (Protocol.GEMINI,),
    "embeddings": (Protocol.EMBEDDINGS,),
}
_ABILITIES = {
    "chat": "chat",
    "completion": "chat",
    "completion_chat": "chat",
    "generateContent": "chat",
    "language": "chat",
    "text-generation": "chat",
    "supports_chat": "chat",
    "embed": "embeddings",
    "embedding": "embeddings",
    "embeddings": "embeddings",
    "embedContent": "embeddings",
    "function_calling": "tools",
    "supports_tools": "tools",
    "tool-calling": "tools",
    "tool-use": "tools",
    "tool_calls": "tools",
    "tools": "tools",
    "image_input": "vision",
    "supports_image_input": "vision",
    "vision": "vision",
    "reasoning": "reasoning",
    "thinking": "reasoning",
    "rerank": "rerank",
}

Entry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One answer: its models, and the token that asks for the next page (None on the last)."""

    models: tuple[Model, ...]
    next_page: str | None = None


def list_request(
    provider: Provider, key: str | None, page: str | None = None
) -> tuple[str, list[tuple[bytes, bytes]]]:
    """URL and headers of the GET that lists the models, or their next page.

    Raises ConfigError for a provider that has no list.
    """
    if not provider.list_url:
        raise ConfigError(
            f'Provider "{provider.id}" has no list of its models; name them in `models`.'
        )
    style = _style(provider)
    query: dict[str, str] = {}
    protocol = Protocol.CHAT
    headers = {name.encode("latin-1"): value.encode("latin-1") for name, value in _own(provider)}
    if style is ListStyle.ANTHROPIC:
        protocol = Protocol.MESSAGES
        headers.setdefault(b"anthropic-version", ANTHROPIC_VERSION.encode())
        query = {"limit": "1000"} | ({"after_id": page} if page else {})
    elif style is ListStyle.GEMINI:
        protocol = Protocol.GEMINI
        query = {"pageSize": "1000"} | ({"pageToken": page} if page else {})
    elif page:
        query = {"page_token": page}
    for name, value in auth_headers(provider, key, protocol):
        headers.setdefault(name, value)
    return urls.with_query(provider.list_url, query), list(headers.items())


def parse_models(provider: Provider, body: bytes, now: float) -> ModelPage:
    """The models in an answer to `list_request`; `now` is Unix time.

    Raises UpstreamError when the answer is no list of models. Models that can neither generate
    nor embed are left out where the provider tells (Gemini).
    """
    document = _decode(provider, body)
    style = _style(provider)
    models: dict[str, Model] = {}
    for entry in _entries(provider, document):
        model = _read_gemini(entry) if style is ListStyle.GEMINI else _read(entry, now)
        if model is not None:
            models.setdefault(model.id, model)
    return ModelPage(tuple(models.values()), _next_page(document, style))


def _style(provider: Provider) -> ListStyle:
    return TYPES[provider.type].listing


def _own(provider: Provider) -> Iterable[tuple[str, str]]:
    return ((name.lower(), value) for name, value in provider.headers.items())


def _decode(provider: Provider, body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_list(provider, "is no JSON") from error


def _entries(provider: Provider, document: object) -> list[Entry]:
    if isinstance(document, dict):
        fields = cast("Entry", document)
        found = next(
            (fields[name] for name in ("data", "models", "result") if name in fields), None
        )
        if found is None and "error" in fields:
            raise _no_list(provider, "is an error")
        # llama.cpp and Ollama say null for "none"; protobuf's JSON leaves an empty list out.
        if found is None and (
            not fields or fields.keys() & {"data", "models", "result", "nextPageToken"}
        ):
            return []
    else:
        found = document
    if not isinstance(found, list):
        raise _no_list(provider, "holds no list")
    items = cast("list[object]", found)
    return [cast("Entry", item) for item in items if isinstance(item, dict)]


def _no_list(provider: Provider, what: str) -> UpstreamError:
    return UpstreamError(
        f'The answer of provider "{provider.id}" to a request for its models {what}; check its '
        "base URL and type, or name its models in `models`."
    )


def _next_page(document: object, style: ListStyle) -> str | None:
    if not isinstance(document, dict):
        return None
    fields = cast("Entry", document)
    if style is ListStyle.ANTHROPIC:
        return _text(fields, "last_id") or None if fields.get("has_more") is True else None
    return _text(fields, "nextPageToken", "next_page_token") or None


def _read(entry: Entry, now: float) -> Model | None:
    """A model as OpenAI, Anthropic, Ollama, Azure and their kin describe it."""
    model_id = _text(entry, "id", "model", "name")
    if not model_id or entry.get("active") is False:
        return None
    limits = _within(entry, "limits", "meta", "top_provider") | _within(
        _within(entry, "capabilities"), "limits"
    )
    context = (
        "context_length", "context_window", "max_context_length", "max_model_len",
        "max_input_tokens", "max_context_window_tokens", "inputTokenLimit", "n_ctx", "n_ctx_train",
    )  # fmt: skip
    output = ("max_completion_tokens", "max_output_tokens", "max_tokens", "outputTokenLimit")
    return Model(
        id=model_id,
        name=_text(entry, "display_name", "name") or model_id,
        created=_created(entry, now),
        owned_by=_text(entry, "owned_by", "publisher", "organization", "vendor"),
        context_length=_count(entry, *context) or _count(limits, *context),
        max_output=_count(limits, *output) or _count(entry, *output),
        abilities=_abilities(entry),
        protocols=frozenset(
            protocol
            for kind in _words(entry.get("supported_endpoint_types"))
            for protocol in _ENDPOINT_PROTOCOLS.get(kind, ())
        ),
    )


def _read_gemini(entry: Entry) -> Model | None:
    """A model of the Gemini API; its id goes without the collection's name."""
    model_id = _text(entry, "name", "id").removeprefix("models/")
    methods = _words(entry.get("supportedGenerationMethods"))
    if not model_id or (methods and not {"generateContent", "embedContent"} & set(methods)):
        return None
    abilities = {_ABILITIES[method] for method in methods if method in _ABILITIES}
    if entry.get("thinking") is True:
        abilities.add("reasoning")
    return Model(
        id=model_id,
        name=_text(entry, "displayName") or model_id,
        owned_by="google",
        context_length=_count(entry, "inputTokenLimit"),
        max_output=_count(entry, "outputTokenLimit"),
        abilities=frozenset(abilities),
    )


def _abilities(entry: Entry) -> frozenset[str]:
    """What the entry says the model can do, in the words of `Model.abilities`."""
    capabilities = entry.get("capabilities")
    words = [
        *_words(entry.get("type")),
        *_words(entry.get("endpoints")),
        *_words(entry.get("tags")),
        *_words(entry.get("supported_parameters")),
        *_words(capabilities),
        *(name for name, value in entry.items() if value is True),
    ]
    if isinstance(capabilities, dict):
        facts = cast("Entry", capabilities)
        words += [*_words(facts.get("type")), *_flags(facts), *_flags(_within(facts, "supports"))]
    found = {_ABILITIES[word] for word in words if word in _ABILITIES}
    modalities = _within(entry, "architecture") | dict(entry)
    if "image" in _words(
        modalities.get("input_modalities") or entry.get("supported_input_modalities")
    ):
        found.add("vision")
    return frozenset(found)


def _flags(facts: Entry) -> list[str]:
    """Names that are true, or whose object says `supported: true` (Anthropic)."""
    return [
        name
        for name, value in facts.items()
        if value is True
        or (isinstance(value, dict) and cast("Entry", value).get("supported") is True)
    ]


def _created(entry: Entry, now: float) -> int:
    for name in ("created", "created_at", "modified_at"):
        moment = _moment(entry.get(name))
        if moment > 0:
            return moment if moment < now - _CLOCK_SLACK_S else 0
    return 0


def _moment(value: object) -> int:
    """Unix seconds of a number or an RFC 3339 text, 0 where it is neither."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float):
        return int(value) if 0 < value < 1e11 else 0
    if not isinstance(value, str):
        return 0
    try:
        moment = datetime.fromisoformat(value)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0


def _text(entry: Entry, *names: str) -> str:
    for name in names:
        value = entry.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def _count(entry: Entry, *names: str) -> int | None:
    for name in names:
        value = entry.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e12:
            return int(value)
    return None


def _words(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        return [item for item in cast("list[object]", value) if isinstance(item, str)]
    return ()


def _within(entry: Entry, *names: str) -> dict[str, object]:
    """The members of the first object among `names`, none where there is no such object."""
    for name in names:
        value = entry.get(name)
        if isinstance(value, dict):
            return dict(cast("Entry", value))
    return {}
