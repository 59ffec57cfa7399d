"""The vendors' own SDKs as judges of what Chat and Messages clients are told."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from conversations import translate_answer, translate_stream
from spoken_streams import ASK, CHAT, MESSAGES, MIXED, SIGNED, messages_stream, tool_block

CALLS = messages_stream(tool_block("a", "f", '{"x":', "1}"), tool_block("b", "g"))


def answering(body: bytes, media_type: str = "text/event-stream") -> httpx2.Client:
    """A client to which every request is answered with `body`."""
    headers = {"content-type": media_type}
    return httpx2.Client(
        transport=httpx2.MockTransport(
            lambda _: httpx2.Response(200, headers=headers, content=body)
        )
    )


def ask_anthropic(body: bytes) -> Any:
    client = anthropic.Anthropic(api_key="x", http_client=answering(body))
    with client.messages.stream(model="m", max_tokens=9, messages=ASK) as stream:  # type: ignore[arg-type]
        return stream.get_final_message()


def ask_openai(body: bytes) -> Any:
    client = openai.OpenAI(api_key="x", http_client=answering(body))
    options = {"include_usage": True}
    with client.chat.completions.stream(model="m", messages=ASK, stream_options=options) as stream:  # type: ignore[arg-type]
        return stream.get_final_completion()


def test_anthropic_s_stream_helper_understands_a_chat_provider() -> None:
    message = ask_anthropic(translate_stream(MIXED, CHAT, MESSAGES))
    thinking, text, first, second = message.content
    assert (thinking.thinking, text.text) == ("Let me see.", "Hello")
    assert (first.input, second.input) == ({"x": 1}, {})
    assert message.stop_reason == "tool_use"


def test_anthropic_s_sdk_sees_an_error_where_a_stream_was_cut() -> None:
    cut = MIXED[: MIXED.index(b"[DONE]") - len(b"data: ")]
    with pytest.raises(anthropic.APIStatusError, match="DONE"):
        ask_anthropic(translate_stream(cut, CHAT, MESSAGES))


def test_openai_s_stream_helper_understands_an_anthropic_provider() -> None:
    completion = ask_openai(translate_stream(CALLS, MESSAGES, CHAT, stream_usage=True))
    (choice,) = completion.choices
    assert [call.function.arguments for call in choice.message.tool_calls] == ['{"x":1}', "{}"]
    assert choice.finish_reason == "tool_calls"
    assert completion.usage.prompt_tokens == 7


def test_openai_s_sdk_sees_an_error_where_a_stream_was_cut() -> None:
    cut = SIGNED[: SIGNED.index(b"event: message_delta")]
    with pytest.raises(openai.APIError, match="message_stop"):
        ask_openai(translate_stream(cut, MESSAGES, CHAT))


def test_whole_answers() -> None:
    body = {
        "content": [{"type": "text", "text": "Hi"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    told = json.dumps(translate_answer(body, MESSAGES, CHAT)).encode()
    client = openai.OpenAI(api_key="x", http_client=answering(told, "application/json"))
    completion = client.chat.completions.create(model="m", messages=ASK)  # type: ignore[arg-type]
    assert completion.choices[0].message.content == "Hi"
    choice = {"index": 0, "message": {"content": "Hi"}, "finish_reason": "length"}
    told = json.dumps(translate_answer({"choices": [choice]}, CHAT, MESSAGES)).encode()
    asked = anthropic.Anthropic(api_key="x", http_client=answering(told, "application/json"))
    message = asked.messages.create(model="m", max_tokens=9, messages=ASK)  # type: ignore[arg-type]
    assert message.stop_reason == "max_tokens"
