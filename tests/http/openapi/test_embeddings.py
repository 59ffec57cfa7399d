"""openapi.embeddings: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

from openai.types import CreateEmbeddingResponse, EmbeddingCreateParams

from dragoman.http.openapi import embeddings

PARAMS = EmbeddingCreateParams.__annotations__


def test_request_fields_are_those_of_the_library() -> None:
    assert embeddings.SCHEMAS["EmbeddingRequest"]["properties"].keys() <= PARAMS.keys()


def test_the_library_reads_the_answer() -> None:
    (route,) = embeddings.ROUTES
    assert route.answer is not None
    answer = CreateEmbeddingResponse.model_validate(route.answer.example)
    assert [entry.index for entry in answer.data] == [0, 1]
