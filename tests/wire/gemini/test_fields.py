"""Every field of the published request is carried, recorded or refused, never dropped."""

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
JSON = "application/json"

CONFIG: dict[str, Any] = {
    "audioTimestamp": True,
    "audioTranscriptionConfig": {"languageCodes": ["en"]},
    "candidateCount": 2,
    "enableAffectiveDialog": True,
    "enableEnhancedCivicAnswers": True,
    "frequencyPenalty": 0.5,
    "logprobs": 3,
    "maxOutputTokens": 100,
    "mediaResolution": "MEDIA_RESOLUTION_LOW",
    "modelSelectionConfig": {"featureSelectionPreference": "BALANCED"},
    "presencePenalty": 0.5,
    "responseFormat": [{"text": {"mimeType": "APPLICATION_JSON"}}],
    "responseJsonSchema": {"type": "object"},
    "responseLogprobs": True,
    "responseMimeType": JSON,
    "responseModalities": ["IMAGE"],
    "responseSchema": {"type": "OBJECT"},
    "routingConfig": {"manualMode": {"modelName": "m"}},
    "seed": 7,
    "speechConfig": {"languageCode": "en"},
    "stopSequences": ["END"],
    "temperature": 0.5,
    "thinkingConfig": {"thinkingLevel": "HIGH"},
    "topK": 5,
    "topP": 0.96,
    "translationConfig": {"targetLanguageCode": "en"},
}
TOP: dict[str, Any] = {
    "cachedContent": "cachedContents/1",
    "continuationToken": "dG9rZW4=",
    "labels": {"a": "b"},
    "modelArmorConfig": {"promptTemplateName": "t"},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "serviceTier": "flex",
    "store": True,
    "systemInstruction": {"parts": [{"text": "Be brief."}]},
    "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
}
BESIDE: dict[str, dict[str, Any]] = {
    "responseSchema": {"responseMimeType": JSON},
    "responseJsonSchema": {"responseMimeType": JSON},
    "logprobs": {"responseLogprobs": True},
}
"""What a field needs beside it to mean anything."""

ELSEWHERE = {
    "http_options",
    "should_return_http_response",
    "automatic_function_calling",
    "automatic_continuation",
    "generation_output_config",  # Vertex alone
    "image_config",  # an unknown member like the others
    "tools",
}
"""Options of the client, and what other tests show."""

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


def test_every_published_field_has_a_sample() -> None:
    fields = types.GenerationConfig.model_fields
    assert {fields[name].alias or name for name in fields} == CONFIG.keys()
    options = {
        info.alias or name
        for name, info in types.GenerateContentConfig.model_fields.items()
        if name not in ELSEWHERE
    }
    assert options - CONFIG.keys() == TOP.keys()


@pytest.mark.parametrize("protocol", MODELS)
@pytest.mark.parametrize("field", CONFIG)
def test_no_setting_is_dropped_in_silence(field: str, protocol: Protocol) -> None:
    beside = BESIDE.get(field, {})
    before = BODY | {"generationConfig": beside}
    after = BODY | {"generationConfig": {**beside, field: CONFIG[field]}}
    found = fate(protocol, f"generationConfig.{field}", before, after)
    if protocol is Protocol.GEMINI:
        assert found == "carried"


@pytest.mark.parametrize("protocol", MODELS)
@pytest.mark.parametrize("field", TOP)
def test_no_member_is_dropped_in_silence(field: str, protocol: Protocol) -> None:
    found = fate(protocol, field, BODY, {**BODY, field: TOP[field]})
    if protocol is Protocol.GEMINI:
        assert found == "carried"


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
