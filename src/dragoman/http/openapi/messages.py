"""Anthropic Messages: `POST /v1/messages` and `/v1/messages/count_tokens`.

Fields, block types and event types are those of the API reference as anthropic-python 2.13 has
them, with the sampling parameters of the version `2023-06-01`, which `2026-10-21` refuses.
"""

from __future__ import annotations

from typing import Any

from dragoman.http.openapi.route import Answer, Events, Parameter, Route, Stream
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
from dragoman.protocols import COUNT_TOKENS, MESSAGES, ErrorShape

TAG = "Messages"

_CACHE = nullable(ref("MessagesCacheControl"))

_BLOCKS: dict[str, Schema] = {
    "MessagesCacheControl": obj(
        {"type": const("ephemeral"), "ttl": enum("5m 1h")},
        required="type",
        description="Asks the provider to cache the prompt up to here.",
    ),
    "MessagesTextBlock": obj(
        {
            "type": const("text"),
            "text": string(),
            "citations": nullable(array(obj(), "Sources of the text.")),
            "cache_control": _CACHE,
        },
        required="type text",
    ),
    "MessagesSource": obj(
        {
            "type": string("`base64`, `url`, `text`, `file` ..."),
            "media_type": string("With `base64` and `text`: `image/png`, `application/pdf` ..."),
            "data": string(),
            "url": string(),
        },
        required="type",
        description="Where the bytes of an image or a document are.",
    ),
    "MessagesImageBlock": obj(
        {"type": const("image"), "source": ref("MessagesSource"), "cache_control": _CACHE},
        required="type source",
    ),
    "MessagesDocumentBlock": obj(
        {
            "type": const("document"),
            "source": ref("MessagesSource"),
            "title": nullable(string()),
            "context": nullable(string()),
            "citations": nullable(obj({"enabled": boolean()})),
            "cache_control": _CACHE,
        },
        required="type source",
    ),
    "MessagesThinkingBlock": obj(
        {
            "type": const("thinking"),
            "thinking": string(),
            "signature": string("Send it back unchanged; only its provider can check it."),
        },
        required="type thinking",
    ),
    "MessagesRedactedThinkingBlock": obj(
        {"type": const("redacted_thinking"), "data": string("Send it back unchanged.")},
        required="type data",
    ),
    "MessagesToolUseBlock": obj(
        {
            "type": const("tool_use"),
            "id": string("Names the call; its result repeats it."),
            "name": string(),
            "input": obj(description="The arguments."),
            "cache_control": _CACHE,
        },
        required="type id name input",
    ),
    "MessagesToolResultBlock": obj(
        {
            "type": const("tool_result"),
            "tool_use_id": string(),
            "content": text_or(ref("MessagesBlock")),
            "is_error": boolean(),
            "cache_control": _CACHE,
        },
        required="type tool_use_id",
    ),
    "MessagesBlock": kinds(
        {
            "text": "MessagesTextBlock",
            "image": "MessagesImageBlock",
            "document": "MessagesDocumentBlock",
            "thinking": "MessagesThinkingBlock",
            "redacted_thinking": "MessagesRedactedThinkingBlock",
            "tool_use": "MessagesToolUseBlock",
            "tool_result": "MessagesToolResultBlock",
        },
        description="One block of a message.",
    ),
}

_TOOLS: dict[str, Schema] = {
    "MessagesTool": obj(
        {
            "type": const("custom"),
            "name": string(),
            "description": string("Tells the model when and how to use the tool."),
            "input_schema": obj(description="JSON Schema of the arguments."),
            "strict": boolean("Makes the arguments follow the schema exactly."),
            "defer_loading": boolean("Leaves the tool out until a search finds it."),
            "cache_control": _CACHE,
        },
        required="name input_schema",
        description="A tool of the caller's; `type` may be left out.",
    ),
    "MessagesToolChoice": obj(
        {
            "type": enum("auto any tool none"),
            "name": string("Which tool, where `type` is `tool`."),
            "disable_parallel_tool_use": boolean(),
        },
        required="type",
        description="Whether, and which, tools are called.",
    ),
    "MessagesThinking": obj(
        {
            "type": enum("enabled disabled adaptive between_tools"),
            "budget_tokens": integer("With `enabled`: the most tokens of thinking."),
            "display": nullable(enum("summarized omitted")),
        },
        required="type",
    ),
}

# What a request and a count of its tokens have in common.
_PROMPT: dict[str, Schema] = {
    "model": ref("ModelName"),
    "messages": array(ref("MessagesMessage"), "The conversation, oldest message first."),
    "system": text_or(ref("MessagesTextBlock"), "What the model is told before everything else."),
    "tools": array(
        kinds({"custom": "MessagesTool"}), "Tools of the caller's, and tools of the provider's."
    ),
    "tool_choice": ref("MessagesToolChoice"),
    "thinking": ref("MessagesThinking"),
    "output_config": obj(
        {
            "effort": nullable(enum("low medium high xhigh max", "How hard to think.")),
            "format": nullable(
                obj({"type": const("json_schema"), "schema": obj()}, required="type schema")
            ),
        }
    ),
    "cache_control": _CACHE,
}

_REQUEST: dict[str, Schema] = {
    "MessagesRequest": obj(
        _PROMPT
        | {
            "max_tokens": integer("The most tokens to write, thinking included."),
            "stream": ref("StreamSwitch"),
            "stop_sequences": array(string(), "Texts at which the model stops writing."),
            "temperature": number("Randomness; not under the version 2026-10-21."),
            "top_p": number("Not under the version 2026-10-21."),
            "top_k": integer("Not under the version 2026-10-21."),
            "metadata": obj({"user_id": nullable(string("A stable, anonymous id."))}),
            "service_tier": string("The provider's speed and price class."),
            "speed": nullable(enum("standard fast")),
            "container": nullable(any_of(string(), obj())),
            "context_management": nullable(obj(description="What may be left out of a long chat.")),
            "mcp_servers": array(obj()),
            "thread": nullable(
                obj(
                    description="A conversation that Anthropic keeps. Elsewhere it is refused with "
                    "the `error_code` `thread_unsupported_request`, on which Anthropic's libraries "
                    "send the whole conversation."
                )
            ),
        },
        required="model messages max_tokens",
        description="The gateway itself checks `model`, `messages` and `stream`; the rest is for "
        "the provider to judge.",
    ),
    "MessagesTokensRequest": obj(
        _PROMPT,
        required="model messages",
        description="The part of a request that the model reads.",
    ),
    "MessagesMessage": obj(
        {
            "role": enum("user assistant system"),
            "content": text_or(ref("MessagesBlock")),
        },
        required="role content",
    ),
}

_ANSWER: dict[str, Schema] = {
    "MessagesUsage": obj(
        {
            "input_tokens": nullable(integer("Tokens read afresh, without those from the cache.")),
            "cache_creation_input_tokens": nullable(integer()),
            "cache_read_input_tokens": nullable(integer()),
            "output_tokens": integer("Tokens written, thinking included."),
            "output_tokens_details": nullable(obj({"thinking_tokens": integer()})),
            "server_tool_use": nullable(obj()),
            "service_tier": nullable(string()),
        },
    ),
    "Message": obj(
        {
            "id": string(),
            "type": const("message"),
            "role": const("assistant"),
            "model": string("The model that answered, as its provider calls it."),
            "content": array(ref("MessagesBlock")),
            "stop_reason": nullable(
                string(
                    "Why the model stopped: end_turn, max_tokens, stop_sequence, tool_use, "
                    "pause_turn, refusal or model_context_window_exceeded."
                )
            ),
            "stop_sequence": nullable(string("Which stop sequence was written.")),
            "stop_details": nullable(obj()),
            "usage": ref("MessagesUsage"),
        },
        required="id type role content",
    ),
    "MessagesTokens": obj({"input_tokens": integer()}, required="input_tokens"),
}

_EVENTS: dict[str, Schema] = {
    "MessagesMessageStart": obj(
        {"type": const("message_start"), "message": ref("Message")}, required="type message"
    ),
    "MessagesBlockStart": obj(
        {
            "type": const("content_block_start"),
            "index": integer(),
            "content_block": ref("MessagesBlock"),
        },
        required="type index content_block",
    ),
    "MessagesBlockDelta": obj(
        {
            "type": const("content_block_delta"),
            "index": integer(),
            "delta": obj(
                {
                    "type": string(
                        "text_delta, input_json_delta, thinking_delta, signature_delta or "
                        "citations_delta."
                    ),
                    "text": string(),
                    "partial_json": string("The next piece of a tool's arguments."),
                    "thinking": string(),
                    "signature": string(),
                    "citation": obj(),
                },
                required="type",
            ),
        },
        required="type index delta",
    ),
    "MessagesBlockStop": obj(
        {"type": const("content_block_stop"), "index": integer()}, required="type index"
    ),
    "MessagesMessageDelta": obj(
        {
            "type": const("message_delta"),
            "delta": obj({"stop_reason": nullable(string()), "stop_sequence": nullable(string())}),
            "usage": ref("MessagesUsage"),
        },
        required="type delta",
    ),
    "MessagesMessageStop": obj({"type": const("message_stop")}, required="type"),
    "MessagesPing": obj(
        {"type": const("ping")}, required="type", description="Sent when 15 s pass in silence."
    ),
    "MessagesEvent": kinds(
        {
            "message_start": "MessagesMessageStart",
            "content_block_start": "MessagesBlockStart",
            "content_block_delta": "MessagesBlockDelta",
            "content_block_stop": "MessagesBlockStop",
            "message_delta": "MessagesMessageDelta",
            "message_stop": "MessagesMessageStop",
            "ping": "MessagesPing",
            "error": "AnthropicError",
        },
        description="One event; its name is the same as its `type`. A whole stream ends with "
        "`message_stop`, a failed one with `error`.",
    ),
}

SCHEMAS: dict[str, Schema] = _REQUEST | _BLOCKS | _TOOLS | _ANSWER | _EVENTS

_MESSAGE: dict[str, Any] = {
    "id": "msg_01XFDUDYJgAACzvnptvVoYEL",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-5",
    "content": [{"type": "text", "text": "Paris."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {
        "input_tokens": 14,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 5,
    },
}


def _stream() -> Events:
    begun: dict[str, Any] = _MESSAGE | {
        "content": [],
        "stop_reason": None,
        "usage": _MESSAGE["usage"] | {"output_tokens": 1},
    }
    events: list[tuple[str, dict[str, Any]]] = [
        ("message_start", {"message": begun}),
        ("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
        ("ping", {}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "Paris"}}),
        ("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": "."}}),
        ("content_block_stop", {"index": 0}),
        (
            "message_delta",
            {
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 5},
            },
        ),
        ("message_stop", {}),
    ]
    return tuple((name, {"type": name} | members) for name, members in events)


_HEADERS = (
    Parameter(
        "anthropic-version",
        "header",
        "The version of the protocol that the caller speaks; handed on to providers that speak it "
        "too.",
        string(),
        "2023-06-01",
    ),
    Parameter("anthropic-beta", "header", "Features to switch on, separated by commas.", string()),
)
_QUESTION = [{"role": "user", "content": "What is the capital of France?"}]

ROUTES = (
    Route(
        name="createMessage",
        path=f"/v1{MESSAGES.path}",
        tag=TAG,
        summary="Create a message",
        description="Answers a conversation. Any configured model can be asked, whatever protocol "
        "its provider speaks.",
        shape=ErrorShape.ANTHROPIC,
        request="MessagesRequest",
        examples={
            "A question": {
                "model": "anthropic:claude-opus-4-5",
                "max_tokens": 1024,
                "system": "Be brief.",
                "messages": _QUESTION,
            },
            "A stream from another provider": {
                "model": "my-openai:gpt-4o",
                "max_tokens": 1024,
                "messages": _QUESTION,
                "stream": True,
            },
            "A tool": {
                "model": "anthropic:claude-opus-4-5",
                "max_tokens": 1024,
                "messages": [{"role": "user", "content": "Is it raining in Oslo?"}],
                "tools": [
                    {
                        "name": "get_weather",
                        "description": "Current weather of a city.",
                        "input_schema": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                            "required": ["city"],
                        },
                    }
                ],
                "tool_choice": {"type": "auto"},
            },
        },
        answer=Answer("Message", _MESSAGE),
        stream=Stream("MessagesEvent", "`stream` is true", _stream()),
        parameters=_HEADERS,
    ),
    Route(
        name="countMessageTokens",
        path=f"/v1{COUNT_TOKENS.path}",
        tag=TAG,
        summary="Count the tokens of a message",
        description="Counts without asking the model. Where the provider has no such operation "
        "the gateway counts by itself and says so: `x-dragoman-estimate: true`.",
        shape=ErrorShape.ANTHROPIC,
        request="MessagesTokensRequest",
        examples={"A question": {"model": "anthropic:claude-opus-4-5", "messages": _QUESTION}},
        answer=Answer("MessagesTokens", {"input_tokens": 14}),
        parameters=_HEADERS,
    ),
)
