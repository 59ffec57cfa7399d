"""openapi.completions: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

from openai.types import Completion, completion_create_params

from dragoman.http.openapi import completions

PARAMS = completion_create_params.CompletionCreateParamsNonStreaming.__annotations__


def test_request_fields_are_those_of_the_library() -> None:
    assert completions.SCHEMAS["CompletionRequest"]["properties"].keys() <= PARAMS.keys()


def test_the_library_reads_the_answer() -> None:
    (route,) = completions.ROUTES
    assert route.answer is not None
    assert Completion.model_validate(route.answer.example).choices[0].text == " time"
