"""Every field of the published request schema is carried, recorded or refused, never dropped."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import target
from openai.types.responses.response_create_params import ResponseCreateParamsBase

from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.wire import codec

INPUT = [{"role": "user", "content": "Hello"}]
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}

SAMPLES: dict[str, Any] = {
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
    "model": "another",
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
}


def fate(field: str, protocol: Protocol, model: str) -> str:
    """What becomes of `field` on its way to `protocol`."""
    to = target(protocol, model, genuine=True)

    def translate(**more: Any) -> tuple[bytes, list[str]]:
        body = {"model": "m", "input": INPUT, "tools": [TOOL], **more}
        encoded = codec(protocol).encode_request(
            codec(Protocol.RESPONSES).decode_request(json.dumps(body).encode()), to
        )
        return encoded.body, [loss.path for loss in encoded.losses]

    before, _ = translate()
    try:
        after, lost = translate(**{field: SAMPLES[field]})
    except DragomanError as error:
        assert error.status == 400
        assert error.param is not None
        assert error.param.partition(".")[0] == field
        return "refused"
    if any(path.partition(".")[0] == field for path in lost):
        return "changed" if after != before else "recorded"
    assert after != before or field == "model", f"{field} is dropped in silence"
    return "carried"


def test_every_published_field_has_a_sample() -> None:
    assert SAMPLES.keys() == ResponseCreateParamsBase.__annotations__.keys()


@pytest.mark.parametrize("field", SAMPLES)
@pytest.mark.parametrize(
    ("protocol", "model"),
    [
        (Protocol.CHAT, "gpt-5.6"),
        (Protocol.MESSAGES, "claude-opus-4-8"),
        (Protocol.GEMINI, "gemini-3-pro"),
        (Protocol.RESPONSES, "gpt-5.6"),
    ],
    ids=["chat", "messages", "gemini", "responses"],
)
def test_no_field_is_dropped_in_silence(field: str, protocol: Protocol, model: str) -> None:
    found = fate(field, protocol, model)
    if protocol is Protocol.RESPONSES:
        assert found == "carried"
