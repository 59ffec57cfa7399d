"""openapi.responses: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

from openai.types.responses import (
    Response,
    ResponseStreamEvent,
    input_token_count_params,
    response_create_params,
)
from openai.types.responses.input_token_count_response import InputTokenCountResponse
from pydantic import TypeAdapter

from dragoman.http.openapi import responses

PARAMS = response_create_params.ResponseCreateParamsNonStreaming.__annotations__
COUNT_PARAMS = input_token_count_params.InputTokenCountParams.__annotations__
EVENTS = TypeAdapter[ResponseStreamEvent](ResponseStreamEvent)

CREATE, COUNT, *_ = responses.ROUTES


def test_request_fields_are_those_of_the_library() -> None:
    schemas = responses.SCHEMAS
    assert schemas["ResponsesRequest"]["properties"].keys() <= PARAMS.keys()
    assert schemas["ResponsesTokensRequest"]["properties"].keys() <= COUNT_PARAMS.keys()


def test_the_library_reads_the_answers() -> None:
    assert CREATE.answer is not None
    assert Response.model_validate(CREATE.answer.example).output_text == "Paris."
    assert COUNT.answer is not None
    assert InputTokenCountResponse.model_validate(COUNT.answer.example).input_tokens == 14


def test_the_library_reads_the_stream() -> None:
    assert CREATE.stream is not None
    events = [EVENTS.validate_python(event) for _, event in CREATE.stream.example]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events] == [name for name, _ in CREATE.stream.example]
    texts = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(texts) == "Paris."
    last = events[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "Paris."


def test_event_types_are_those_of_the_library() -> None:
    described = {
        name
        for schema in responses.SCHEMAS.values()
        for name in schema.get("properties", {}).get("type", {}).get("enum", ())
        if name.startswith("response.")
    }
    union = ResponseStreamEvent.__origin__  # type: ignore[attr-defined]
    known = str([event.model_fields["type"].annotation for event in union.__args__])
    assert described
    assert {name for name in described if f"'{name}'" not in known} == set()
