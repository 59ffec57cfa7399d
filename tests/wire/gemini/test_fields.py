"""Members of tools and parts are carried, recorded or refused, never dropped.

The fields of the request itself are in `wire/test_every_field`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from conversations import target
from google.genai import types

from dragoman.errors import DragomanError
from dragoman.protocols import Protocol
from dragoman.wire import codec

HI = [{"role": "user", "parts": [{"text": "Hello"}]}]
TOOL = {"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}}]}
BODY: dict[str, Any] = {"contents": HI, "tools": [TOOL]}

MODELS = {
    Protocol.CHAT: "gpt-5.6",
    Protocol.MESSAGES: "claude-opus-4-5",
    Protocol.RESPONSES: "gpt-5.6",
    Protocol.GEMINI: "gemini-3-flash",
}


def translate(protocol: Protocol, body: dict[str, Any]) -> tuple[bytes, list[str]]:
    encoded = codec(protocol).encode_request(
        codec(Protocol.GEMINI).decode_request(json.dumps(body).encode()),
        target(protocol, MODELS[protocol], genuine=True),
    )
    return encoded.body, [loss.path for loss in encoded.losses]


def fate(protocol: Protocol, place: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """What becomes of the field at `place`, which `after` has and `before` has not."""
    without, _ = translate(protocol, before)
    try:
        written, lost = translate(protocol, after)
    except DragomanError as error:
        assert error.status == 400
        assert error.param is not None
        assert place.startswith(error.param) or error.param.startswith(place)
        return "refused"
    if any(path.startswith(place) for path in lost):
        return "changed" if written != without else "recorded"
    assert written != without, f"{place} is dropped in silence"
    return "carried"


@pytest.mark.parametrize("protocol", MODELS)
@pytest.mark.parametrize(
    "field", sorted(types.Tool.model_fields.keys() - {"function_declarations"})
)
def test_no_tool_is_dropped_in_silence(field: str, protocol: Protocol) -> None:
    name = types.Tool.model_fields[field].alias or field
    after = {**BODY, "tools": [TOOL, {name: {"x": 1}}]}
    assert fate(protocol, f"tools.1.{name}", BODY, after) == (
        "carried" if protocol is Protocol.GEMINI else "recorded"
    )


PARTS: dict[str, Any] = {
    "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"},
    "videoMetadata": {"fps": 1},
    "partMetadata": {"a": 1},
}


@pytest.mark.parametrize("protocol", MODELS)
@pytest.mark.parametrize("field", PARTS)
def test_no_member_of_a_part_is_dropped_in_silence(field: str, protocol: Protocol) -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": "aaaa"}}
    before, after = (
        BODY | {"contents": [{"role": "user", "parts": [part]}]}
        for part in (image, {**image, field: PARTS[field]})
    )
    assert fate(protocol, f"contents.0.parts.0.{field}", before, after) == (
        "carried" if protocol is Protocol.GEMINI else "recorded"
    )
