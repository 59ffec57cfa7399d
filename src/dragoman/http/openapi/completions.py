"""OpenAI's older text completions: `POST /v1/completions`, fields as openai-python 3.57 has them.

Nothing is translated here: the route serves the providers that have it.
"""

from __future__ import annotations

from typing import Any

from dragoman.http.openapi.chat import STOP
from dragoman.http.openapi.route import Answer, Route, Stream
from dragoman.http.openapi.schema import (
    Schema,
    any_of,
    array,
    boolean,
    const,
    integer,
    nullable,
    number,
    obj,
    ref,
    string,
)
from dragoman.protocols import COMPLETIONS

TAG = "Completions"

SCHEMAS: dict[str, Schema] = {
    "CompletionRequest": obj(
        {
            "model": ref("ModelName"),
            "prompt": nullable(
                any_of(
                    string(),
                    array(string()),
                    array(integer(), "Token ids."),
                    array(array(integer())),
                )
            ),
            "suffix": nullable(string("What comes after the text to write.")),
            "stream": ref("StreamSwitch"),
            "stream_options": nullable(obj({"include_usage": boolean()})),
            "max_tokens": nullable(integer("The most tokens to write.")),
            "temperature": nullable(number()),
            "top_p": nullable(number()),
            "n": nullable(integer()),
            "best_of": nullable(integer()),
            "echo": nullable(boolean("Repeats the prompt before the text.")),
            "logprobs": nullable(integer()),
            "logit_bias": nullable(obj()),
            "presence_penalty": nullable(number()),
            "frequency_penalty": nullable(number()),
            "seed": nullable(integer()),
            "stop": STOP,
            "user": string(),
        },
        required="model prompt",
        description="The gateway itself checks `model` and `stream`.",
    ),
    "Completion": obj(
        {
            "id": string(),
            "object": const("text_completion"),
            "created": integer("Unix time in seconds."),
            "model": string(),
            "choices": array(
                obj(
                    {
                        "index": integer(),
                        "text": string(),
                        "finish_reason": nullable(string()),
                        "logprobs": nullable(obj()),
                    },
                    required="text",
                )
            ),
            "usage": nullable(ref("ChatUsage")),
        },
        required="choices",
        description="A whole answer, or one event of a stream, which ends with `[DONE]`.",
    ),
}


def _completion(text: str, finish_reason: str | None) -> dict[str, Any]:
    return {
        "id": "cmpl-7QyqpwdfhqwajicIEznoc6Q4",
        "object": "text_completion",
        "created": 1793894400,
        "model": "gpt-3.5-turbo-instruct",
        "choices": [{"index": 0, "text": text, "finish_reason": finish_reason, "logprobs": None}],
    }


ROUTES = (
    Route(
        name="createCompletion",
        path=f"/v1{COMPLETIONS.path}",
        tag=TAG,
        summary="Continue a text",
        description="The protocol before Chat Completions, relayed to providers that have it and "
        "refused with `unsupported_provider_type` elsewhere.",
        request="CompletionRequest",
        examples={
            "A sentence": {
                "model": "my-openai:gpt-3.5-turbo-instruct",
                "prompt": "Once upon a",
                "max_tokens": 8,
            }
        },
        answer=Answer(
            "Completion",
            _completion(" time", "stop")
            | {"usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
        ),
        stream=Stream(
            "Completion",
            "`stream` is true",
            (
                ("", _completion(" time", None)),
                ("", _completion("", "stop")),
                ("", "[DONE]"),
            ),
        ),
    ),
)
