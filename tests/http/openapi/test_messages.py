"""openapi.messages: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

from anthropic.types import (
    Message,
    MessageCountTokensParams,
    MessageTokensCount,
    RawMessageStreamEvent,
)
from anthropic.types.beta import message_create_params
from pydantic import TypeAdapter

from dragoman.http.openapi import messages

PARAMS = message_create_params.MessageCreateParamsNonStreaming.__annotations__
COUNT_PARAMS = MessageCountTokensParams.__annotations__
# Fields of the protocol's version 2023-06-01, which most clients speak and the library left.
SAMPLING = {"temperature", "top_p", "top_k"}
EVENTS = TypeAdapter[RawMessageStreamEvent](RawMessageStreamEvent)

CREATE, COUNT = messages.ROUTES


def test_request_fields_are_those_of_the_library() -> None:
    schemas = messages.SCHEMAS
    assert schemas["MessagesRequest"]["properties"].keys() - SAMPLING <= PARAMS.keys()
    assert schemas["MessagesTokensRequest"]["properties"].keys() <= COUNT_PARAMS.keys()


def test_the_library_reads_the_answers() -> None:
    assert CREATE.answer is not None
    message = Message.model_validate(CREATE.answer.example)
    assert message.content[0].type == "text"
    assert message.stop_reason == "end_turn"
    assert COUNT.answer is not None
    assert MessageTokensCount.model_validate(COUNT.answer.example).input_tokens == 14


def test_the_library_reads_the_stream() -> None:
    assert CREATE.stream is not None
    named = [(name, event) for name, event in CREATE.stream.example if name != "ping"]
    events = [EVENTS.validate_python(event) for _, event in named]
    assert [event.type for event in events] == [name for name, _ in named]
    assert (events[0].type, events[-1].type) == ("message_start", "message_stop")
    texts = [
        event.delta.text
        for event in events
        if event.type == "content_block_delta" and event.delta.type == "text_delta"
    ]
    assert "".join(texts) == "Paris."
