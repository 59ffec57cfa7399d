"""No field of the published request schemas is dropped in silence, in any direction.

The schemas are those of the vendors' own SDKs: a field that they add later fails here until a
codec carries it, records it as lost, or refuses it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types.beta.message_create_params import (
    MessageCreateParamsBase as BetaMessageParams,
)
from anthropic.types.message_create_params import MessageCreateParamsBase as MessageParams
from conversations import target
from openai.types.chat.completion_create_params import CompletionCreateParamsBase as ChatParams

from dragoman.errors import InvalidRequest, Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import codec

CHAT, MESSAGES = Protocol.CHAT, Protocol.MESSAGES
TARGETS = (CHAT, MESSAGES, Protocol.RESPONSES, Protocol.GEMINI)
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}
ASK = [{"role": "user", "content": "Hi"}]
BASES: dict[Protocol, dict[str, Any]] = {
    CHAT: {"model": "m", "messages": ASK, "tools": [FUNCTION]},
    MESSAGES: {
        "model": "m",
        "messages": ASK,
        "max_tokens": 3000,
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    },
}
SAMPLES: dict[Protocol, dict[str, Any]] = {
    CHAT: {
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
        "n": 2,
        "parallel_tool_calls": False,
        "presence_penalty": 0.5,
        "prompt_cache_key": "k",
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
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
    MESSAGES: {
        "cache_control": {"type": "ephemeral", "ttl": "1h"},
        "max_tokens": 77,
        "messages": [{"role": "user", "content": "Ho"}],
        "metadata": {"user_id": "u"},
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "service_tier": "standard_only",
        "stop_sequences": ["END"],
        "system": "Be brief.",
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tool_choice": {"type": "any"},
        "tools": [],
    },
}
# The model is the target's; beta headers are no members of the body; whether usage is streamed is
# between the gateway and each side.
APART = {"model", "betas", "stream_options"}
FIELDS = [
    *((CHAT, field) for field in ChatParams.__annotations__),
    *(
        (MESSAGES, field)
        for field in {**MessageParams.__annotations__, **BetaMessageParams.__annotations__}
    ),
]


@pytest.mark.parametrize("destination", TARGETS)
@pytest.mark.parametrize(("caller", "field"), FIELDS)
def test_a_field_is_carried_recorded_or_refused(
    caller: Protocol, field: str, destination: Protocol
) -> None:
    if field in APART or caller is destination:
        pytest.skip("settled elsewhere")
    base = BASES[caller]
    sample = SAMPLES[caller].get(field, {"some": "value"})

    def send(body: dict[str, Any]) -> tuple[Any, set[str]]:
        asked = codec(caller).decode_request(json.dumps(body).encode())
        encoded = codec(destination).encode_request(asked, target(destination))
        return json.loads(encoded.body), {loss.path for loss in encoded.losses}

    plain, _ = send(base)
    try:
        sent, lost = send(base | {field: sample})
    except Untranslatable:
        return
    except InvalidRequest as refusal:  # for any other field, the sample itself is wrong
        assert (field, refusal.param) == ("thread", "thread")
        return
    recorded = any(path == field or path.startswith(f"{field}.") for path in lost)
    assert sent != plain or recorded
