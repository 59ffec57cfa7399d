"""openapi.refusals: every status in every shape, as the gateway words it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dragoman.http.openapi import refusals
from dragoman.protocols import ErrorShape

COMPONENTS = refusals.error_components()
STATUSES = {"400", "401", "403", "404", "413", "429", "502", "504", "default"}


def examples(shape: ErrorShape, status: str) -> dict[str, Any]:
    reference = refusals.error_references(shape, with_body=True)[status]["$ref"]
    response = COMPONENTS[reference.rpartition("/")[2]]
    return response["content"]["application/json"]["examples"]


@pytest.mark.parametrize("shape", ErrorShape)
def test_every_status_is_described_in_every_shape(shape: ErrorShape) -> None:
    assert refusals.error_references(shape, with_body=True).keys() >= STATUSES
    for status in STATUSES:
        assert examples(shape, status)


def test_a_request_without_a_body_cannot_be_too_large() -> None:
    statuses = refusals.error_references(ErrorShape.OPENAI, with_body=False).keys()
    assert "401" in statuses
    assert not statuses & {"413", "415", "502", "504"}


@pytest.mark.parametrize(
    ("shape", "place", "expected"),
    [
        (ErrorShape.OPENAI, "code", "invalid_api_key"),
        (ErrorShape.ANTHROPIC, "type", "authentication_error"),
        (ErrorShape.GEMINI, "status", "UNAUTHENTICATED"),
    ],
)
def test_examples_speak_the_words_of_their_protocol(
    shape: ErrorShape, place: str, expected: str
) -> None:
    (example,) = examples(shape, "401").values()
    assert example["value"]["error"][place] == expected


def test_limits_say_when_to_try_again() -> None:
    for shape in ErrorShape:
        reference = refusals.error_references(shape, with_body=True)["429"]["$ref"]
        assert "retry-after" in COMPONENTS[reference.rpartition("/")[2]]["headers"]


def test_shapes_are_told_apart() -> None:
    values = {shape: next(iter(examples(shape, "404").values()))["value"] for shape in ErrorShape}
    for name, shape in (("AnthropicError", "anthropic"), ("GeminiError", "gemini")):
        check = Draft202012Validator(refusals.SCHEMAS[name])
        valid = {other.value for other, value in values.items() if check.is_valid(value)}
        assert valid == {shape}
