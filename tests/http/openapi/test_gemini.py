"""openapi.gemini: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

import pytest
from google.genai import types
from pydantic import BaseModel

from dragoman.http.openapi import gemini

GENERATE, STREAM, COUNT = gemini.ROUTES


@pytest.mark.parametrize(
    ("schema", "model"),
    [
        ("GeminiContent", types.Content),
        ("GeminiPart", types.Part),
        ("GeminiTool", types.Tool),
        ("GeminiFunction", types.FunctionDeclaration),
        ("GeminiToolConfig", types.ToolConfig),
        ("GeminiGenerationConfig", types.GenerationConfig),
        ("GeminiAnswer", types.GenerateContentResponse),
        ("GeminiCandidate", types.Candidate),
        ("GeminiUsage", types.GenerateContentResponseUsageMetadata),
        ("GeminiTokens", types.CountTokensResponse),
    ],
)
def test_fields_are_those_of_the_library(schema: str, model: type[BaseModel]) -> None:
    known = {field.alias or name for name, field in model.model_fields.items()}
    assert gemini.SCHEMAS[schema]["properties"].keys() <= known


def test_the_library_reads_the_answers() -> None:
    assert GENERATE.answer is not None
    answer = types.GenerateContentResponse.model_validate(GENERATE.answer.example)
    assert answer.text == "Paris."
    assert COUNT.answer is not None
    assert types.CountTokensResponse.model_validate(COUNT.answer.example).total_tokens == 8


def test_the_library_reads_the_stream() -> None:
    assert STREAM.stream is not None
    pieces = [
        types.GenerateContentResponse.model_validate(piece) for _, piece in STREAM.stream.example
    ]
    assert "".join(piece.text or "" for piece in pieces) == "Paris."
    candidates = pieces[-1].candidates
    assert candidates is not None
    assert candidates[0].finish_reason is types.FinishReason.STOP
