"""wire.overflow: every provider's words for a prompt that does not fit, and what clients get."""

from __future__ import annotations

import json

import pytest
from conversations import target, view
from hypothesis import given
from hypothesis import strategies as st

from dragoman import sse
from dragoman.errors import UpstreamRefused
from dragoman.protocols import ErrorShape, Protocol
from dragoman.wire.error_bodies import encode_error
from dragoman.wire.overflow import CODE, anthropic_words, recognise
from dragoman.wire.translation import StreamTranslation, translate_answer

TOLD = {
    "openai": (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in"
        " 140023 tokens. Please reduce the length of the messages.",
        (140023, 128000),
    ),
    "openai, split": (
        "This model's maximum context length is 8191 tokens, however you requested 10346 tokens"
        " (10341 in your prompt; 5 for the completion).",
        (10346, 8191),
    ),
    "openrouter": (
        "This endpoint's maximum context length is 1,048,576 tokens. However, you requested about"
        " 1,293,741 tokens (1,227,853 of text input, 65,535 in the output).",
        (1293741, 1048576),
    ),
    "responses": (
        "Your input exceeds the context window of this model. Please adjust your input and try"
        " again.",
        None,
    ),
    "anthropic": ("prompt is too long: 210000 tokens > 200000 maximum", (210000, 200000)),
    "gemini": (
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
        (1200000, 1048576),
    ),
    "llama.cpp": (
        "request (9000 tokens) exceeds the available context size (8192 tokens), try increasing it",
        (9000, 8192),
    ),
    "xai": (
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        (537812, 131072),
    ),
    "bedrock": ("Input is too long for requested model.", None),
}
OTHERS = [
    "`max_tokens` is too large: 200000. This model supports at most 16384 completion tokens.",
    "'max_tokens' is too large: 2000. This model's maximum context length is 4096 tokens and your"
    " request has 2104 input tokens (2000 > 4096 - 2104).",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
    "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 7000",
    "messages: at least one message is required",
]


def refused(message: str, **more: object) -> UpstreamRefused:
    return UpstreamRefused(message, **{"status": 400, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TOLD)
def test_each_provider_s_words_are_recognised(name: str) -> None:
    message, numbers = TOLD[name]
    found = recognise(refused(message, status=413, param="messages"))
    assert (found.code, found.status, found.message) == (CODE, 400, message)
    assert not found.retryable
    if numbers is None:
        assert anthropic_words(message) == f"prompt is too long: {message}"
    else:
        expected = "prompt is too long: {} tokens > {} maximum".format(*numbers)
        assert anthropic_words(message) == expected


@pytest.mark.parametrize("message", OTHERS)
def test_other_refusals_stay_as_they_are(message: str) -> None:
    error = refused(message)
    assert recognise(error) is error


def test_a_limit_of_requests_is_no_overflow() -> None:
    error = refused(TOLD["openai"][0], status=429)
    assert recognise(error) is error


def test_a_code_alone_is_enough() -> None:
    error = refused("Too much.", code="exceed_context_size_error")
    assert recognise(error).code == CODE


def test_the_provider_s_body_is_kept_where_clients_understand_it() -> None:
    coded = b'{"error":{"message":"...","code":"context_length_exceeded"}}'
    assert recognise(refused(TOLD["openai"][0], body=coded)).body == coded
    assert recognise(refused(TOLD["openai"][0], body=b'{"error":{"code":null}}')).body == b""


def test_what_each_family_of_clients_is_told() -> None:
    error = recognise(refused(TOLD["gemini"][0]))
    openai = json.loads(encode_error(ErrorShape.OPENAI, error, "r"))["error"]
    assert (openai["type"], openai["code"]) == ("invalid_request_error", CODE)
    anthropic = json.loads(encode_error(ErrorShape.ANTHROPIC, error, "r"))["error"]
    assert anthropic == {
        "type": "invalid_request_error",
        "message": "prompt is too long: 1200000 tokens > 1048576 maximum",
    }
    gemini = json.loads(encode_error(ErrorShape.GEMINI, error, "r"))["error"]
    assert (gemini["code"], gemini["status"]) == (400, "INVALID_ARGUMENT")


def test_an_overflow_in_a_stream() -> None:
    translation = StreamTranslation(target(Protocol.CHAT), view(Protocol.MESSAGES))
    failure = {"error": {"message": TOLD["openai"][0], "code": 400, "type": "BadRequestError"}}
    written = translation.feed(sse.Event(b"", json.dumps(failure).encode()))
    (event,) = sse.read(written)
    told = json.loads(event.data)["error"]
    assert told["message"] == "prompt is too long: 140023 tokens > 128000 maximum"


def test_an_overflow_in_an_answer() -> None:
    failed = {"status": "failed", "error": {"code": "invalid_prompt", "message": TOLD["xai"][0]}}
    body = json.dumps(failed).encode()
    with pytest.raises(UpstreamRefused) as caught:
        translate_answer(body, target(Protocol.RESPONSES), view(Protocol.CHAT))
    assert caught.value.code == CODE


@given(st.text())
def test_any_message_has_an_answer(message: str) -> None:
    assert anthropic_words(message).startswith("prompt is too long") or "prompt" in message
    recognise(refused(message))
