"""OpenAI Responses: `POST /v1/responses` and `/v1/responses/input_tokens`.

Fields, item types and event types are those of the API reference as openai-python 3.57 has them.
"""

from __future__ import annotations

from typing import Any

from dragoman.http.openapi.chat import EFFORTS
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
from dragoman.protocols import INPUT_TOKENS, RESPONSES

TAG = "Responses"

_ITEM_STATUS = enum("in_progress completed incomplete")

_PARTS: dict[str, Schema] = {
    "ResponsesInputText": obj({"type": const("input_text"), "text": string()}, "type text"),
    "ResponsesInputImage": obj(
        {
            "type": const("input_image"),
            "image_url": nullable(string("An https URL, or a `data:` URL that holds the image.")),
            "file_id": nullable(string()),
            "detail": string(),
        },
        required="type",
    ),
    "ResponsesInputFile": obj(
        {
            "type": const("input_file"),
            "file_data": string("A `data:` URL that holds the file."),
            "file_url": string(),
            "file_id": nullable(string()),
            "filename": string(),
        },
        required="type",
    ),
    "ResponsesOutputText": obj(
        {
            "type": const("output_text"),
            "text": string(),
            "annotations": array(obj(), "Sources of the text."),
            "logprobs": nullable(array(obj())),
        },
        required="type text",
    ),
    "ResponsesRefusal": obj(
        {"type": const("refusal"), "refusal": string("Why the model would not answer.")},
        required="type refusal",
    ),
    "ResponsesPart": kinds(
        {
            "input_text": "ResponsesInputText",
            "input_image": "ResponsesInputImage",
            "input_file": "ResponsesInputFile",
            "output_text": "ResponsesOutputText",
            "refusal": "ResponsesRefusal",
        },
        description="One part of a message or of a tool's output.",
    ),
}

_ITEMS: dict[str, Schema] = {
    "ResponsesMessage": obj(
        {
            "type": const("message"),
            "role": enum("user assistant system developer"),
            "content": text_or(ref("ResponsesPart")),
            "phase": nullable(string("`commentary` on the way, or `final_answer`.")),
        },
        required="role content",
        description="A message; `type` may be left out.",
    ),
    "ResponsesFunctionCall": obj(
        {
            "type": const("function_call"),
            "id": nullable(string()),
            "call_id": string("Names the call; its output repeats it."),
            "name": string(),
            "arguments": string("JSON, as the model wrote it."),
            "namespace": nullable(string("The group that the function belongs to.")),
            "status": nullable(_ITEM_STATUS),
        },
        required="type call_id name arguments",
    ),
    "ResponsesFunctionOutput": obj(
        {
            "type": const("function_call_output"),
            "call_id": string(),
            "output": text_or(ref("ResponsesPart")),
        },
        required="type call_id output",
    ),
    "ResponsesCustomCall": obj(
        {
            "type": const("custom_tool_call"),
            "id": nullable(string()),
            "call_id": string(),
            "name": string(),
            "input": string("Free text for the tool."),
            "namespace": nullable(string()),
        },
        required="type call_id name input",
    ),
    "ResponsesCustomOutput": obj(
        {
            "type": const("custom_tool_call_output"),
            "call_id": string(),
            "output": text_or(ref("ResponsesPart")),
        },
        required="type call_id output",
    ),
    "ResponsesReasoning": obj(
        {
            "type": const("reasoning"),
            "id": string(),
            "summary": array(obj({"type": string(), "text": string()})),
            "content": nullable(array(obj({"type": string(), "text": string()}))),
            "encrypted_content": nullable(
                string("The thinking in a form that only its provider can read; send it back.")
            ),
            "status": nullable(_ITEM_STATUS),
        },
        required="type",
    ),
    "ResponsesItemReference": obj(
        {"type": const("item_reference"), "id": string("An item of an earlier response.")},
        required="type id",
    ),
    "ResponsesItem": kinds(
        {
            "message": "ResponsesMessage",
            "function_call": "ResponsesFunctionCall",
            "function_call_output": "ResponsesFunctionOutput",
            "custom_tool_call": "ResponsesCustomCall",
            "custom_tool_call_output": "ResponsesCustomOutput",
            "reasoning": "ResponsesReasoning",
            "item_reference": "ResponsesItemReference",
        },
        description="One step of the conversation.",
    ),
}

_TOOLS: dict[str, Schema] = {
    "ResponsesFunctionTool": obj(
        {
            "type": const("function"),
            "name": string(),
            "description": nullable(string("Tells the model when and how to use the tool.")),
            "parameters": nullable(obj(description="JSON Schema of the arguments.")),
            "strict": nullable(boolean("Makes the arguments follow the schema exactly.")),
        },
        required="type name",
    ),
    "ResponsesCustomTool": obj(
        {
            "type": const("custom"),
            "name": string(),
            "description": string(),
            "format": obj(description="Free text, or a grammar that the input follows."),
        },
        required="type name",
    ),
    "ResponsesNamespaceTool": obj(
        {
            "type": const("namespace"),
            "name": string(),
            "description": string(),
            "tools": array(
                kinds({"function": "ResponsesFunctionTool", "custom": "ResponsesCustomTool"})
            ),
        },
        required="type name tools",
        description="A named group of tools.",
    ),
    "ResponsesTool": kinds(
        {
            "function": "ResponsesFunctionTool",
            "custom": "ResponsesCustomTool",
            "namespace": "ResponsesNamespaceTool",
        },
        description="A tool of the caller's, or one that the provider runs (`web_search` ...).",
    ),
    "ResponsesToolChoice": any_of(
        enum("none auto required"),
        obj({"type": string(), "name": string()}, required="type"),
        description="Whether, and which, tools are called.",
    ),
}

# What a request and a count of its tokens have in common.
_PROMPT: dict[str, Schema] = {
    "model": ref("ModelName"),
    "input": any_of(
        string(), array(ref("ResponsesItem")), description="A question, or the steps so far."
    ),
    "instructions": nullable(string("What the model is told before everything else.")),
    "previous_response_id": nullable(
        string(
            "Continues an earlier response, from the provider's memory or the gateway's; "
            "`previous_response_not_found` where neither has it."
        )
    ),
    "conversation": nullable(
        any_of(string(), obj({"id": string()}, required="id"), description="Held by the provider.")
    ),
    "tools": array(ref("ResponsesTool")),
    "tool_choice": ref("ResponsesToolChoice"),
    "parallel_tool_calls": nullable(boolean("Whether one answer may call several tools.")),
    "reasoning": nullable(
        obj(
            {
                "effort": nullable(enum(EFFORTS, "How hard to think.")),
                "summary": nullable(enum("auto concise detailed", "Asks for the thinking.")),
            }
        )
    ),
    "text": obj(
        {
            "format": obj(
                {
                    "type": enum("text json_object json_schema"),
                    "name": string(),
                    "schema": obj(),
                    "strict": nullable(boolean()),
                },
                required="type",
            ),
            "verbosity": nullable(enum("low medium high")),
        }
    ),
    "truncation": nullable(
        enum("auto disabled", "Whether the oldest input may be left out to make it fit.")
    ),
}

_REQUEST: dict[str, Schema] = {
    "ResponsesRequest": obj(
        _PROMPT
        | {
            "stream": ref("StreamSwitch"),
            "max_output_tokens": nullable(integer("The most tokens to write, thinking included.")),
            "max_tool_calls": nullable(integer()),
            "temperature": nullable(number("Randomness; 0 is the steadiest.")),
            "top_p": nullable(number()),
            "top_logprobs": nullable(integer()),
            "include": nullable(
                array(string(), "More to return, such as `reasoning.encrypted_content`.")
            ),
            "store": nullable(boolean("Whether the response can be continued by its id later.")),
            "background": nullable(boolean()),
            "stream_options": nullable(
                obj({"include_obfuscation": boolean("Pads events, so that lengths tell nothing.")})
            ),
            "context_management": nullable(
                array(obj({"type": string()}, "type"), "What is done when the input grows long.")
            ),
            "prompt": nullable(obj(description="A prompt that the provider keeps.")),
            "prompt_cache_key": nullable(string()),
            "metadata": nullable(obj()),
            "service_tier": nullable(string("The provider's speed and price class.")),
            "safety_identifier": nullable(string("A stable, anonymous id of the end user.")),
            "user": string("The older name of `safety_identifier`."),
        },
        required="model",
        description="The gateway itself checks `model`, `input` and `stream`; the rest is for the "
        "provider to judge.",
    ),
    "ResponsesTokensRequest": obj(
        _PROMPT, required="model", description="The part of a request that the model reads."
    ),
}

_ANSWER: dict[str, Schema] = {
    "ResponsesUsage": obj(
        {
            "input_tokens": integer("Tokens read, those from the cache included."),
            "input_tokens_details": obj(
                {"cached_tokens": integer(), "cache_write_tokens": integer()}
            ),
            "output_tokens": integer("Tokens written, thinking included."),
            "output_tokens_details": obj({"reasoning_tokens": integer()}),
            "total_tokens": integer(),
        }
    ),
    "Response": obj(
        {
            "id": string("What `previous_response_id` refers to."),
            "object": const("response"),
            "created_at": number("Unix time in seconds."),
            "completed_at": nullable(number()),
            "status": nullable(enum("completed failed in_progress cancelled queued incomplete")),
            "model": string("The model that answered, as its provider calls it."),
            "output": array(ref("ResponsesItem"), "What the model did, in order."),
            "error": nullable(obj({"code": string(), "message": string()})),
            "incomplete_details": nullable(obj({"reason": nullable(string())})),
            "instructions": nullable(any_of(string(), array(ref("ResponsesItem")))),
            "previous_response_id": nullable(string()),
            "parallel_tool_calls": nullable(boolean()),
            "tool_choice": ref("ResponsesToolChoice"),
            "tools": array(ref("ResponsesTool")),
            "reasoning": nullable(obj()),
            "temperature": nullable(number()),
            "top_p": nullable(number()),
            "usage": nullable(ref("ResponsesUsage")),
            "metadata": nullable(obj()),
        },
        required="id output",
    ),
    "ResponseDeleted": obj(
        {"id": string(), "object": const("response"), "deleted": boolean()},
        required="id object deleted",
    ),
    "ResponsesTokens": obj(
        {"object": const("response.input_tokens"), "input_tokens": integer()},
        required="input_tokens",
    ),
}

_LIFECYCLE = "created queued in_progress completed incomplete failed"
_DELTAS = (
    "output_text.delta refusal.delta function_call_arguments.delta custom_tool_call_input.delta "
    "reasoning_summary_text.delta reasoning_text.delta"
)
_ENDS = (
    "output_text.done refusal.done function_call_arguments.done custom_tool_call_input.done "
    "reasoning_summary_text.done reasoning_text.done"
)


def _events(names: str, schema: str) -> dict[str, str]:
    return dict.fromkeys([f"response.{name}" for name in names.split()], schema)


def _event(names: str, properties: dict[str, Schema], description: str) -> Schema:
    types = " ".join(_events(names, ""))
    return obj(
        {"type": enum(types), "sequence_number": integer("Counts the events.")} | properties,
        required=" ".join(("type", *properties)),
        description=description,
    )


_PLACE: dict[str, Schema] = {"item_id": string(), "output_index": integer()}

_EVENTS: dict[str, Schema] = {
    "ResponsesLifecycleEvent": _event(
        _LIFECYCLE,
        {"response": ref("Response")},
        "The response begins or ends. Every stream ends with `completed`, `incomplete`, `failed` "
        "or an `error` event.",
    ),
    "ResponsesItemEvent": _event(
        "output_item.added output_item.done",
        {"output_index": integer(), "item": ref("ResponsesItem")},
        "An item of the output begins, or is complete.",
    ),
    "ResponsesPartEvent": _event(
        "content_part.added content_part.done",
        _PLACE | {"content_index": integer(), "part": ref("ResponsesPart")},
        "A part of a message begins, or is complete.",
    ),
    "ResponsesDeltaEvent": _event(
        _DELTAS, _PLACE | {"delta": string()}, "The next piece of a text, of arguments or thinking."
    ),
    "ResponsesDoneEvent": _event(
        _ENDS, _PLACE, "A text, arguments or thinking is complete; the event holds all of it."
    ),
    "ResponsesErrorEvent": obj(
        {
            "type": const("error"),
            "sequence_number": integer(),
            "code": nullable(string()),
            "message": string(),
            "param": nullable(string()),
        },
        required="type message",
        description="The stream failed after its first event and ends here.",
    ),
    "ResponsesEvent": kinds(
        _events(_LIFECYCLE, "ResponsesLifecycleEvent")
        | _events("output_item.added output_item.done", "ResponsesItemEvent")
        | _events("content_part.added content_part.done", "ResponsesPartEvent")
        | _events(_DELTAS, "ResponsesDeltaEvent")
        | _events(_ENDS, "ResponsesDoneEvent")
        | {"error": "ResponsesErrorEvent"},
        description="One event; its name is the same as its `type`.",
    ),
}

SCHEMAS: dict[str, Schema] = _REQUEST | _ITEMS | _PARTS | _TOOLS | _ANSWER | _EVENTS

_RESPONSE: dict[str, Any] = {
    "id": "resp_67ccd2bed1ec8190b14f964abc054267",
    "object": "response",
    "created_at": 1793894400,
    "status": "completed",
    "model": "gpt-4o",
    "output": [
        {
            "type": "message",
            "id": "msg_67ccd2bf17f0819081ff3bb2cf6508e6",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
        }
    ],
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "usage": {
        "input_tokens": 14,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 3,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 17,
    },
}


def _stream() -> Events:
    message: dict[str, Any] = _RESPONSE["output"][0]
    part: dict[str, Any] = message["content"][0]
    begun: dict[str, Any] = _RESPONSE | {"status": "in_progress", "output": [], "usage": None}
    place: dict[str, Any] = {"item_id": message["id"], "output_index": 0, "content_index": 0}
    events: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": begun}),
        ("in_progress", {"response": begun}),
        (
            "output_item.added",
            {"output_index": 0, "item": message | {"status": "in_progress", "content": []}},
        ),
        ("content_part.added", place | {"part": part | {"text": ""}}),
        ("output_text.delta", place | {"delta": "Paris", "logprobs": []}),
        ("output_text.delta", place | {"delta": ".", "logprobs": []}),
        ("output_text.done", place | {"text": "Paris.", "logprobs": []}),
        ("content_part.done", place | {"part": part}),
        ("output_item.done", {"output_index": 0, "item": message}),
        ("completed", {"response": _RESPONSE}),
    ]
    return tuple(
        (f"response.{name}", {"type": f"response.{name}", "sequence_number": number} | members)
        for number, (name, members) in enumerate(events)
    )


_ID = Parameter("id", "path", "The response's id.", string(minLength=1), _RESPONSE["id"])

ROUTES = (
    Route(
        name="createResponse",
        path=f"/v1{RESPONSES.path}",
        tag=TAG,
        summary="Create a response",
        description="Answers a conversation given as items. A WebSocket upgrade on this path is "
        "answered with 426, on which clients go on over plain HTTP.",
        request="ResponsesRequest",
        examples={
            "A question": {
                "model": "my-openai:gpt-4o",
                "instructions": "Be brief.",
                "input": "What is the capital of France?",
            },
            "A stream with thinking": {
                "model": "deepseek:deepseek-reasoner",
                "input": [{"role": "user", "content": "Is 91 a prime number?"}],
                "reasoning": {"effort": "medium", "summary": "auto"},
                "stream": True,
                "store": False,
            },
            "The output of a tool": {
                "model": "my-openai:gpt-4o",
                "input": [
                    {"role": "user", "content": "Is it raining in Oslo?"},
                    {
                        "type": "function_call",
                        "call_id": "call_1",
                        "name": "get_weather",
                        "arguments": '{"city":"Oslo"}',
                    },
                    {"type": "function_call_output", "call_id": "call_1", "output": "Rain, 4 °C"},
                ],
                "tools": [
                    {
                        "type": "function",
                        "name": "get_weather",
                        "parameters": {
                            "type": "object",
                            "properties": {"city": {"type": "string"}},
                        },
                        "strict": False,
                    }
                ],
            },
        },
        answer=Answer("Response", _RESPONSE),
        stream=Stream("ResponsesEvent", "`stream` is true", _stream()),
    ),
    Route(
        name="countResponseInputTokens",
        path=f"/v1{INPUT_TOKENS.path}",
        tag=TAG,
        summary="Count the input tokens of a response",
        description="Counts without asking the model. Where the provider has no such operation "
        "the gateway counts by itself and says so: `x-dragoman-estimate: true`.",
        request="ResponsesTokensRequest",
        examples={
            "A question": {
                "model": "my-openai:gpt-4o",
                "input": "What is the capital of France?",
            }
        },
        answer=Answer("ResponsesTokens", {"object": "response.input_tokens", "input_tokens": 14}),
    ),
    Route(
        name="getResponse",
        path="/v1/responses/{id}",
        tag=TAG,
        method="get",
        summary="Show a response that the gateway remembers",
        description="Those that it has translated itself and that this key has asked for, unless "
        "with `store: false`. Responses of providers that speak this protocol are not looked up.",
        answer=Answer("Response", _RESPONSE),
        parameters=(_ID,),
        by_provider=False,
        reaches_provider=False,
    ),
    Route(
        name="deleteResponse",
        path="/v1/responses/{id}",
        tag=TAG,
        method="delete",
        summary="Forget a response that the gateway remembers",
        description="Conversations that go on from it are then forgotten too.",
        answer=Answer(
            "ResponseDeleted", {"id": _RESPONSE["id"], "object": "response", "deleted": True}
        ),
        parameters=(_ID,),
        by_provider=False,
        reaches_provider=False,
    ),
)
