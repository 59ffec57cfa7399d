"""OpenAI Chat Completions: `POST /v1/chat/completions`.

Fields are those of the API reference as openai-python 3.57 has them, and `reasoning_content`,
which DeepSeek, vLLM and others send and some want back.
"""

from __future__ import annotations

from typing import Any

from dragoman.http.openapi.route import Answer, Route, Stream
from dragoman.http.openapi.schema import (
    Schema,
    any_of,
    array,
    boolean,
    const,
    enum,
    integer,
    kinds,
    nullable,
    number,
    obj,
    ref,
    string,
    text_or,
)
from dragoman.protocols import CHAT

TAG = "Chat Completions"
EFFORTS = "none minimal low medium high xhigh max"

_FINISH_REASONS = "stop length tool_calls content_filter function_call"
_STREAM_OPTIONS = obj(
    {
        "include_usage": boolean(
            "Adds a last chunk with the token counts and an empty `choices` array."
        ),
        "include_obfuscation": boolean("Pads chunks so that their length gives nothing away."),
    }
)
STOP = nullable(text_or(string(), "Up to four texts at which the model stops writing."))

_REQUEST_PARTS: dict[str, Schema] = {
    "ChatTextPart": obj({"type": const("text"), "text": string()}, required="type text"),
    "ChatImagePart": obj(
        {
            "type": const("image_url"),
            "image_url": obj(
                {
                    "url": string("An https URL, or a `data:` URL that holds the image."),
                    "detail": enum("auto low high original"),
                },
                required="url",
            ),
        },
        required="type image_url",
    ),
    "ChatAudioPart": obj(
        {
            "type": const("input_audio"),
            "input_audio": obj(
                {"data": string("Base64."), "format": enum("wav mp3")}, required="data format"
            ),
        },
        required="type input_audio",
    ),
    "ChatFilePart": obj(
        {
            "type": const("file"),
            "file": obj(
                {
                    "file_data": string("A `data:` URL that holds the file."),
                    "file_id": string("A file that the provider holds already."),
                    "filename": string(),
                }
            ),
        },
        required="type file",
    ),
    "ChatPart": kinds(
        {
            "text": "ChatTextPart",
            "image_url": "ChatImagePart",
            "input_audio": "ChatAudioPart",
            "file": "ChatFilePart",
        },
        description="One part of a message.",
    ),
    "ChatToolCall": obj(
        {
            "id": string("Names the call; the tool message that answers it repeats it."),
            "type": const("function"),
            "function": obj(
                {"name": string(), "arguments": string("JSON, as the model wrote it.")},
                required="name arguments",
            ),
        },
        required="id type function",
    ),
    "ChatOtherToolCall": obj(
        {
            "id": string(),
            "type": const("custom"),
            "custom": obj({"name": string(), "input": string()}, required="name input"),
        },
        required="id type custom",
    ),
    "ChatMessage": any_of(
        ref("ChatInstructionMessage"),
        ref("ChatUserMessage"),
        ref("ChatAssistantMessage"),
        ref("ChatToolMessage"),
    ),
    "ChatInstructionMessage": obj(
        {
            "role": enum("system developer", "`developer` is the newer word for `system`."),
            "content": text_or(ref("ChatPart")),
            "name": string(),
        },
        required="role content",
    ),
    "ChatUserMessage": obj(
        {"role": const("user"), "content": text_or(ref("ChatPart")), "name": string()},
        required="role content",
    ),
    "ChatAssistantMessage": obj(
        {
            "role": const("assistant"),
            "content": nullable(text_or(ref("ChatPart"))),
            "refusal": nullable(string()),
            "tool_calls": array(kinds({"function": "ChatToolCall", "custom": "ChatOtherToolCall"})),
            "reasoning_content": nullable(
                string("The model's thinking, for providers that want it back.")
            ),
            "name": string(),
        },
        required="role",
    ),
    "ChatToolMessage": obj(
        {
            "role": const("tool"),
            "tool_call_id": string("The `id` of the tool call that this answers."),
            "content": text_or(ref("ChatPart")),
        },
        required="role tool_call_id content",
    ),
    "ChatTool": obj(
        {
            "type": const("function"),
            "function": obj(
                {
                    "name": string(),
                    "description": string("Tells the model when and how to use the tool."),
                    "parameters": obj(description="JSON Schema of the arguments."),
                    "strict": nullable(boolean("Makes the arguments follow the schema exactly.")),
                },
                required="name",
            ),
        },
        required="type function",
    ),
    "ChatCustomTool": obj(
        {
            "type": const("custom"),
            "custom": obj(
                {
                    "name": string(),
                    "description": string(),
                    "format": obj(description="Free text, or a grammar that the input follows."),
                },
                required="name",
            ),
        },
        required="type custom",
    ),
    "ChatToolChoice": any_of(
        enum("none auto required"),
        obj(
            {"type": string(), "function": obj({"name": string()}, required="name")},
            required="type",
        ),
        description="Whether, and which, tools are called.",
    ),
    "ChatResponseFormat": obj(
        {
            "type": enum("text json_object json_schema"),
            "json_schema": obj(
                {
                    "name": string(),
                    "description": string(),
                    "schema": obj(),
                    "strict": nullable(boolean()),
                },
                required="name",
            ),
        },
        required="type",
        description="Plain text, any JSON object, or JSON that follows a schema.",
    ),
}

_REQUEST: dict[str, Schema] = {
    "ChatRequest": obj(
        {
            "model": ref("ModelName"),
            "messages": array(ref("ChatMessage"), "The conversation, oldest message first."),
            "stream": ref("StreamSwitch"),
            "stream_options": nullable(_STREAM_OPTIONS),
            "max_completion_tokens": nullable(
                integer("The most tokens to write, thinking included.")
            ),
            "max_tokens": nullable(integer("The older name of `max_completion_tokens`.")),
            "temperature": nullable(number("Randomness; 0 is the steadiest.")),
            "top_p": nullable(number("Keeps only the likeliest tokens, up to this probability.")),
            "n": nullable(integer("How many answers to write.")),
            "stop": STOP,
            "tools": array(kinds({"function": "ChatTool", "custom": "ChatCustomTool"})),
            "tool_choice": ref("ChatToolChoice"),
            "parallel_tool_calls": boolean("Whether one answer may call several tools."),
            "response_format": ref("ChatResponseFormat"),
            "reasoning_effort": nullable(enum(EFFORTS, "How hard to think.")),
            "verbosity": nullable(enum("low medium high", "How much to write.")),
            "logprobs": nullable(boolean("Adds the log probability of each token.")),
            "top_logprobs": nullable(integer("How many alternatives to report for each token.")),
            "logit_bias": nullable(obj(description="A bias by token id.")),
            "presence_penalty": nullable(number()),
            "frequency_penalty": nullable(number()),
            "seed": nullable(integer()),
            "modalities": nullable(array(enum("text audio"))),
            "audio": nullable(obj(description="The voice and format of a spoken answer.")),
            "prediction": nullable(obj(description="Text of which most is known beforehand.")),
            "web_search_options": obj(),
            "metadata": nullable(obj()),
            "store": nullable(boolean("Whether the provider keeps the completion.")),
            "service_tier": nullable(string("The provider's speed and price class.")),
            "prompt_cache_key": nullable(string()),
            "safety_identifier": nullable(string("A stable, anonymous id of the end user.")),
            "user": string("The older name of `safety_identifier`."),
        },
        required="model messages",
        description="The gateway itself checks `model`, `messages` and `stream`; the rest is for "
        "the provider to judge.",
    ),
}

_ANSWER: dict[str, Schema] = {
    "ChatUsage": obj(
        {
            "prompt_tokens": integer("Tokens read, those from the cache included."),
            "completion_tokens": integer("Tokens written, thinking included."),
            "total_tokens": integer(),
            "prompt_tokens_details": nullable(
                obj({"cached_tokens": nullable(integer()), "audio_tokens": nullable(integer())})
            ),
            "completion_tokens_details": nullable(
                obj({"reasoning_tokens": nullable(integer()), "audio_tokens": nullable(integer())})
            ),
        },
    ),
    "ChatAnswerMessage": obj(
        {
            "role": const("assistant"),
            "content": nullable(string()),
            "refusal": nullable(string("Why the model would not answer.")),
            "reasoning_content": nullable(string("The model's thinking, where it is shown.")),
            "tool_calls": nullable(
                array(kinds({"function": "ChatToolCall", "custom": "ChatOtherToolCall"}))
            ),
            "annotations": nullable(array(obj(), "Sources of the text.")),
            "audio": nullable(obj()),
        },
        required="role",
    ),
    "ChatCompletion": obj(
        {
            "id": string(),
            "object": const("chat.completion"),
            "created": integer("Unix time in seconds."),
            "model": string("The model that answered, as its provider calls it."),
            "choices": array(
                obj(
                    {
                        "index": integer(),
                        "message": ref("ChatAnswerMessage"),
                        "finish_reason": nullable(
                            string(f"Why the model stopped: {_FINISH_REASONS.replace(' ', ', ')}.")
                        ),
                        "logprobs": nullable(obj()),
                    },
                    required="index message",
                )
            ),
            "usage": nullable(ref("ChatUsage")),
            "service_tier": nullable(string()),
            "system_fingerprint": nullable(string()),
        },
        required="choices",
    ),
    "ChatCompletionChunk": obj(
        {
            "id": string("The same in every chunk of an answer."),
            "object": const("chat.completion.chunk"),
            "created": integer(),
            "model": string(),
            "choices": array(
                obj(
                    {
                        "index": integer("Which of the `n` answers this belongs to."),
                        "delta": obj(
                            {
                                "role": nullable(string()),
                                "content": nullable(string()),
                                "refusal": nullable(string()),
                                "reasoning_content": nullable(string()),
                                "tool_calls": nullable(
                                    array(
                                        obj(
                                            {
                                                "index": integer("Which call this belongs to."),
                                                "id": nullable(string()),
                                                "function": obj(
                                                    {
                                                        "name": nullable(string()),
                                                        "arguments": nullable(
                                                            string("The next piece of JSON.")
                                                        ),
                                                    }
                                                ),
                                            },
                                            required="index",
                                        )
                                    )
                                ),
                            }
                        ),
                        "finish_reason": nullable(string()),
                    },
                    required="index delta",
                ),
                "Empty in the chunk that reports usage.",
            ),
            "usage": nullable(ref("ChatUsage")),
        },
        required="choices",
        description="One event. The stream ends with the text `[DONE]`; a failure after the first "
        "event arrives as an object with the member `error` instead.",
    ),
}

SCHEMAS: dict[str, Schema] = _REQUEST | _REQUEST_PARTS | _ANSWER

_USAGE = {
    "prompt_tokens": 14,
    "completion_tokens": 3,
    "total_tokens": 17,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}


def _chunk(delta: dict[str, Any], finish_reason: str | None = None) -> tuple[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return "", _chunk_of([choice])


def _chunk_of(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
        "object": "chat.completion.chunk",
        "created": 1793894400,
        "model": "gpt-4o",
        "choices": choices,
    }


_WEATHER_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}

ROUTES = (
    Route(
        name="createChatCompletion",
        path=f"/v1{CHAT.path}",
        tag=TAG,
        summary="Create a chat completion",
        description="Answers a conversation. Any configured model can be asked, whatever protocol "
        "its provider speaks.",
        request="ChatRequest",
        examples={
            "A question": {
                "model": "my-openai:gpt-4o",
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "What is the capital of France?"},
                ],
            },
            "A stream with token counts": {
                "model": "anthropic:claude-opus-4-5",
                "messages": [{"role": "user", "content": "Count to three."}],
                "max_completion_tokens": 256,
                "stream": True,
                "stream_options": {"include_usage": True},
            },
            "A tool": {
                "model": "gemini:gemini-2.5-flash",
                "messages": [{"role": "user", "content": "Is it raining in Oslo?"}],
                "tools": [_WEATHER_TOOL],
                "tool_choice": "auto",
            },
        },
        answer=Answer(
            "ChatCompletion",
            {
                "id": "chatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
                "object": "chat.completion",
                "created": 1793894400,
                "model": "gpt-4o",
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": "Paris.", "refusal": None},
                        "finish_reason": "stop",
                        "logprobs": None,
                    }
                ],
                "usage": _USAGE,
            },
        ),
        stream=Stream(
            "ChatCompletionChunk",
            "`stream` is true",
            (
                _chunk({"role": "assistant", "content": ""}),
                _chunk({"content": "Paris"}),
                _chunk({"content": "."}),
                _chunk({}, "stop"),
                ("", _chunk_of([]) | {"usage": _USAGE}),
                ("", "[DONE]"),
            ),
        ),
    ),
)
