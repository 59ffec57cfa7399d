"""Every field of the published request schemas, with a sample, and what becomes of it.

The schemas are those of the vendors' own SDKs: a field that they add later fails the tests until
it has a sample here and a codec carries it, records it as lost, or refuses it.

Run as a script, this writes the tables of docs/translation.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anthropic.types.beta.message_create_params import (
    MessageCreateParamsBase as BetaMessageParams,
)
from anthropic.types.message_create_params import MessageCreateParamsBase as MessageParams
from conversations import target
from google.genai import types
from openai.types.chat.completion_create_params import CompletionCreateParamsBase as ChatParams
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.wire import codec

CHAT, MESSAGES = Protocol.CHAT, Protocol.MESSAGES
RESPONSES, GEMINI = Protocol.RESPONSES, Protocol.GEMINI
PAGE = Path(__file__).parent.parent / "docs" / "translation.md"
MODELS = {
    CHAT: "gpt-5.6",
    RESPONSES: "gpt-5.6",
    MESSAGES: "claude-opus-4-5",
    GEMINI: "gemini-3-pro",
}
"""Which model each protocol is asked for, since some fields depend on it."""

_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
_JSON = "application/json"


@dataclass(frozen=True)
class Published:
    """One protocol's request: `names` as its SDK declares them (dotted where nested), a sample of
    each in `samples`, what a sample needs `beside` it, and a request without any of them."""

    names: frozenset[str]
    samples: dict[str, Any]
    base: dict[str, Any]
    beside: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


def _gemini_names() -> Iterator[str]:
    config = types.GenerationConfig.model_fields
    nested = {info.alias or name for name, info in config.items()}
    yield from (f"generationConfig.{name}" for name in nested)
    # Options of the client, what Vertex alone has, and `tools`, which every sample holds.
    apart = {
        *("http_options", "should_return_http_response", "automatic_function_calling"),
        *("automatic_continuation", "generation_output_config", "image_config", "tools"),
    }
    for name, info in types.GenerateContentConfig.model_fields.items():
        if name not in apart and (info.alias or name) not in nested:
            yield info.alias or name


# The model is the target's; beta flags are a header; who streams usage is settled on each side.
_APART = {"model", "betas", "stream_options"}

PUBLISHED: dict[Protocol, Published] = {
    CHAT: Published(
        names=frozenset(ChatParams.__annotations__) - _APART,
        base={
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [
                {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
            ],
        },
        samples={
            "audio": {"voice": "x", "format": "wav"},
            "frequency_penalty": 0.5,
            "function_call": "auto",
            "functions": [{"name": "f"}],
            "logit_bias": {"1": 1},
            "logprobs": True,
            "max_completion_tokens": 77,
            "max_tokens": 77,
            "messages": [{"role": "user", "content": "Ho"}],
            "metadata": {"a": "b"},
            "modalities": ["audio"],
            "moderation": {"some": "value"},
            "n": 2,
            "parallel_tool_calls": False,
            "prediction": {"type": "content", "content": "x"},
            "presence_penalty": 0.5,
            "prompt_cache_key": "k",
            "prompt_cache_options": {"ttl": "12h"},
            "prompt_cache_retention": "24h",
            "reasoning_effort": "high",
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "n", "schema": _SCHEMA},
            },
            "safety_identifier": "s",
            "seed": 0,
            "service_tier": "flex",
            "stop": ["END"],
            "store": True,
            "temperature": 0.5,
            "tool_choice": "required",
            "tools": [],
            "top_logprobs": 2,
            "top_p": 0.5,
            "user": "u",
            "verbosity": "low",
            "web_search_options": {},
        },
    ),
    MESSAGES: Published(
        names=frozenset({**MessageParams.__annotations__, **BetaMessageParams.__annotations__})
        - _APART,
        base={
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "max_tokens": 3000,
            "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        },
        samples={
            "cache_control": {"type": "ephemeral", "ttl": "1h"},
            "max_tokens": 77,
            "messages": [{"role": "user", "content": "Ho"}],
            "metadata": {"user_id": "u"},
            "output_config": {"format": {"type": "json_schema", "schema": _SCHEMA}},
            "service_tier": "standard_only",
            "stop_sequences": ["END"],
            "system": "Be brief.",
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "tool_choice": {"type": "any"},
            "tools": [],
        },
    ),
    RESPONSES: Published(
        names=frozenset(ResponseCreateParamsBase.__annotations__) - {"model"},
        base={
            "model": "m",
            "input": [{"role": "user", "content": "Hello"}],
            "tools": [
                {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
            ],
        },
        samples={
            "access_programs": {"cyber": "standard"},
            "background": True,
            "background_options": {"completion_window": "2h"},
            "context_management": [{"type": "compaction", "compact_threshold": 1000}],
            "conversation": {"id": "conv_1"},
            "image": {"context_compression": "enabled"},
            "include": ["file_search_call.results"],
            "input": [{"role": "user", "content": "Something else"}],
            "instructions": "Be brief.",
            "max_output_tokens": 100,
            "max_tool_calls": 3,
            "metadata": {"a": "b"},
            "moderation": {"model": "omni-moderation-latest"},
            "parallel_tool_calls": False,
            "previous_response_id": "resp_1",
            "prompt": {"id": "pmpt_1"},
            "prompt_cache_key": "k",
            "prompt_cache_options": {"ttl": "12h"},
            "prompt_cache_retention": "24h",
            "reasoning": {"effort": "high"},
            "safety_identifier": "s",
            "service_tier": "flex",
            "store": True,
            "stream_options": {"include_obfuscation": True},
            "temperature": 0.5,
            "text": {"format": {"type": "json_object"}},
            "tool_choice": "required",
            "tools": [{"type": "function", "name": "g", "parameters": {"type": "object"}}],
            "top_logprobs": 3,
            "top_p": 0.5,
            "truncation": "auto",
            "user": "u",
        },
    ),
    GEMINI: Published(
        names=frozenset(_gemini_names()),
        base={
            "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
            "tools": [
                {
                    "functionDeclarations": [
                        {"name": "f", "parametersJsonSchema": {"type": "object"}}
                    ]
                }
            ],
        },
        samples={
            "cachedContent": "cachedContents/1",
            "continuationToken": "dG9rZW4=",
            "generationConfig.audioTimestamp": True,
            "generationConfig.audioTranscriptionConfig": {"languageCodes": ["en"]},
            "generationConfig.candidateCount": 2,
            "generationConfig.enableAffectiveDialog": True,
            "generationConfig.enableEnhancedCivicAnswers": True,
            "generationConfig.frequencyPenalty": 0.5,
            "generationConfig.logprobs": 3,
            "generationConfig.maxOutputTokens": 100,
            "generationConfig.mediaResolution": "MEDIA_RESOLUTION_LOW",
            "generationConfig.modelSelectionConfig": {"featureSelectionPreference": "BALANCED"},
            "generationConfig.presencePenalty": 0.5,
            "generationConfig.responseFormat": [{"text": {"mimeType": "APPLICATION_JSON"}}],
            "generationConfig.responseJsonSchema": {"type": "object"},
            "generationConfig.responseLogprobs": True,
            "generationConfig.responseMimeType": _JSON,
            "generationConfig.responseModalities": ["IMAGE"],
            "generationConfig.responseSchema": {"type": "OBJECT"},
            "generationConfig.routingConfig": {"manualMode": {"modelName": "m"}},
            "generationConfig.seed": 7,
            "generationConfig.speechConfig": {"languageCode": "en"},
            "generationConfig.stopSequences": ["END"],
            "generationConfig.temperature": 0.5,
            "generationConfig.thinkingConfig": {"thinkingLevel": "HIGH"},
            "generationConfig.topK": 5,
            "generationConfig.topP": 0.96,
            "generationConfig.translationConfig": {"targetLanguageCode": "en"},
            "labels": {"a": "b"},
            "modelArmorConfig": {"promptTemplateName": "t"},
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
            "serviceTier": "flex",
            "store": True,
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
        },
        beside={
            "generationConfig.responseSchema": {"responseMimeType": _JSON},
            "generationConfig.responseJsonSchema": {"responseMimeType": _JSON},
            "generationConfig.logprobs": {"responseLogprobs": True},
        },
    ),
}

_UNKNOWN = {"some": "value"}


def fate(caller: Protocol, name: str, destination: Protocol) -> str:
    """What becomes of the field `name` of `caller` at `destination`: `carried`, `changed` (sent in
    another form, and noted), `noted` (not sent, and noted) or `refused`.

    Raises AssertionError where it is dropped in silence, or blamed on another field.
    """
    published = PUBLISHED[caller]
    outer, _, inner = name.rpartition(".")
    sample = published.samples.get(name, _UNKNOWN)
    beside = published.beside.get(name, {})
    without, with_it = dict(published.base), dict(published.base)
    if outer:
        without[outer], with_it[outer] = beside, {**beside, inner: sample}
    else:
        with_it[inner] = sample
    before, _ = _translate(caller, without, destination)
    try:
        after, lost = _translate(caller, with_it, destination)
    except DragomanError as error:
        assert error.status == 400
        assert (error.param or "").startswith(name), error
        return "refused"
    if any(path == name or path.startswith(f"{name}.") for path in lost):
        return "changed" if after != before else "noted"
    assert after != before, f"{name} is dropped in silence"
    return "carried"


def _translate(
    caller: Protocol, body: dict[str, Any], destination: Protocol
) -> tuple[bytes, list[str]]:
    asked = codec(caller).decode_request(json.dumps(body).encode())
    place = target(destination, MODELS[destination], genuine=True)
    encoded = codec(destination).encode_request(asked, place)
    return encoded.body, [loss.path for loss in encoded.losses]


def table(caller: Protocol) -> str:
    """The fates of all fields of `caller`, as a table in Markdown."""
    others = [protocol for protocol in PUBLISHED if protocol is not caller]
    lines = [
        "| field | " + " | ".join(f"to {protocol}" for protocol in others) + " |",
        "|---" * (len(others) + 1) + "|",
    ]
    for name in sorted(PUBLISHED[caller].names):
        fates = [fate(caller, name, protocol) for protocol in others]
        lines.append(f"| `{name}` | " + " | ".join(fates) + " |")
    return "\n".join(lines) + "\n"


def marked(caller: Protocol) -> tuple[str, str]:
    """What stands before and behind the table of `caller` on the page."""
    return f"<!-- fields of {caller} -->\n", "<!-- end -->"


def write_tables() -> None:
    """Puts the tables as they are now into the page."""
    text = PAGE.read_text()
    for caller in PUBLISHED:
        start, end = marked(caller)
        head, _, rest = text.partition(start)
        text = head + start + table(caller) + end + rest.partition(end)[2]
    PAGE.write_text(text)


if __name__ == "__main__":
    write_tables()
