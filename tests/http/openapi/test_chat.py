"""openapi.chat: the fields that the official library knows, and answers that it can read."""

from __future__ import annotations

from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params

from dragoman.http.openapi import chat

PARAMS = completion_create_params.CompletionCreateParamsNonStreaming.__annotations__


def test_request_fields_are_those_of_the_library() -> None:
    assert chat.SCHEMAS["ChatRequest"]["properties"].keys() <= PARAMS.keys()


def test_the_library_reads_the_answer() -> None:
    (route,) = chat.ROUTES
    assert route.answer is not None
    completion = ChatCompletion.model_validate(route.answer.example)
    assert completion.choices[0].message.content == "Paris."
    assert completion.usage is not None


def test_the_library_reads_the_stream() -> None:
    (route,) = chat.ROUTES
    assert route.stream is not None
    *chunks, (_, last) = route.stream.example
    read = [ChatCompletionChunk.model_validate(chunk) for _, chunk in chunks]
    texts = [choice.delta.content or "" for chunk in read for choice in chunk.choices]
    assert "".join(texts) == "Paris."
    assert read[-1].choices == []
    assert read[-1].usage is not None
    assert last == "[DONE]"
