"""Error answers: one response per status in each protocol's shape.

The bodies are written by the same encoder that writes them when an error happens, from the same
error tree, so that status, code and shape cannot differ from what is sent.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman.errors import (
    BudgetExceeded,
    DragomanError,
    InvalidApiKey,
    InvalidJson,
    InvalidModelFormat,
    InvalidRequest,
    ModelNotAllowed,
    ModelNotFound,
    Overloaded,
    PreviousResponseNotFound,
    ProviderNotFound,
    RateLimitExceeded,
    RequestTimeout,
    RequestTooLarge,
    UnsupportedEncoding,
    UnsupportedProviderType,
    Untranslatable,
    UpstreamDied,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from dragoman.http.openapi.schema import Schema, any_of, const, integer, nullable, obj, ref, string
from dragoman.protocols import ErrorShape
from dragoman.wire.error_bodies import encode_error

REQUEST_ID = "req_0b7c1d0e5f5a4c5f9d0a6f1f"

SCHEMAS: dict[str, Schema] = {
    "OpenAIError": obj(
        {
            "error": obj(
                {
                    "message": string("What is wrong and what to do."),
                    "type": nullable(string()),
                    "param": nullable(string("The field at fault.")),
                    "code": nullable(
                        any_of(string(), integer(), description="The error's stable name.")
                    ),
                },
                required="message",
            )
        },
        required="error",
    ),
    "AnthropicError": obj(
        {
            "type": const("error"),
            "error": obj(
                {
                    "type": string(),
                    "message": string("What is wrong and what to do."),
                    "details": nullable(obj({"error_code": string("The error's stable name.")})),
                },
                required="type message",
            ),
            "request_id": nullable(string()),
        },
        required="type error",
    ),
    "GeminiError": obj(
        {
            "error": obj(
                {
                    "code": integer("The HTTP status."),
                    "message": string("What is wrong and what to do."),
                    "status": string("The name of a gRPC status."),
                },
                required="code message status",
            )
        },
        required="error",
    ),
}

_SCHEMA_OF = {
    ErrorShape.OPENAI: "OpenAIError",
    ErrorShape.ANTHROPIC: "AnthropicError",
    ErrorShape.GEMINI: "GeminiError",
}

_MALFORMED = (
    InvalidJson("The request body is not valid JSON: it is empty."),
    InvalidRequest("`stream` must be true or false.", param="stream"),
)
_ERRORS: dict[str, tuple[str, tuple[DragomanError, ...]]] = {
    "400": (
        "The request cannot be served as it was sent.",
        (
            *_MALFORMED,
            InvalidModelFormat(
                "`gpt-4o` is offered by more than one provider: write `provider:model`.",
                param="model",
            ),
            UnsupportedProviderType("The provider `anthropic` makes no embeddings."),
            Untranslatable("`seed` cannot be carried to the provider's protocol.", paths=("seed",)),
            PreviousResponseNotFound(
                "Nobody here remembers the response `resp_1`: send the whole conversation.",
                param="previous_response_id",
            ),
        ),
    ),
    "401": (
        "No key, or a wrong one; or the provider refused the gateway's own credentials, in which "
        "case the message names the provider.",
        (InvalidApiKey("Send a gateway key, for example as `Authorization: Bearer KEY`."),),
    ),
    "403": (
        "The key may not do this.",
        (ModelNotAllowed("This key may not use `anthropic:claude-opus-4-5`.", param="model"),),
    ),
    "404": (
        "No such provider or model.",
        (
            ProviderNotFound("There is no enabled provider `my-opnai`.", param="model"),
            ModelNotFound("The provider `my-openai` has no model `gpt-99`.", param="model"),
        ),
    ),
    "408": ("The request arrived too slowly.", (RequestTimeout("The body did not arrive."),)),
    "413": (
        "The request is too large.",
        (RequestTooLarge("The body is larger than `server.max_body_mb` allows."),),
    ),
    "415": (
        "The body is compressed in a way that the gateway does not read.",
        (UnsupportedEncoding("Send the body uncompressed."),),
    ),
    "429": (
        "A limit of the key is reached, or one of the provider's.",
        (
            RateLimitExceeded("This key may send 60 requests a minute.", retry_after=12),
            BudgetExceeded("This key has spent its budget of 5 USD a day.", retry_after=3600),
        ),
    ),
    "502": (
        "The provider failed, or could not be reached.",
        (
            UpstreamRefused("The provider `my-openai` answered with status 502.", status=502),
            UpstreamDied("The provider `my-openai` broke off its answer."),
            UpstreamUnreachable("The provider `my-openai` cannot be reached."),
        ),
    ),
    "503": (
        "More requests are under way than the gateway takes.",
        (Overloaded("The gateway is busy: try again.", retry_after=1),),
    ),
    "504": (
        "The provider was silent for too long.",
        (UpstreamTimeout("The provider `my-openai` sent nothing for 600 s."),),
    ),
    "default": (
        "Any other error. An error of the provider's keeps its status, its message and its "
        "`retry-after`.",
        (UpstreamRefused("The provider is overloaded.", status=529),),
    ),
}
_WITHOUT_BODY = ("400", "401", "403", "404", "429", "503", "default")


def error_components() -> dict[str, Any]:
    """`components.responses`: each status in each shape."""
    return {
        _component(shape, status): _describe(shape, description, errors)
        for shape in ErrorShape
        for status, (description, errors) in _ERRORS.items()
    }


def error_references(shape: ErrorShape, *, with_body: bool) -> dict[str, Any]:
    """The `responses` that an operation adds to its successful one; a request without a body
    cannot be too large, and no provider is asked."""
    return {
        status: {"$ref": f"#/components/responses/{_component(shape, status)}"}
        for status in (_ERRORS if with_body else _WITHOUT_BODY)
    }


def _component(shape: ErrorShape, status: str) -> str:
    return f"{_SCHEMA_OF[shape]}-{status}"


def _describe(
    shape: ErrorShape, description: str, errors: tuple[DragomanError, ...]
) -> dict[str, Any]:
    headers = {"x-request-id": {"$ref": "#/components/headers/RequestId"}}
    if any(error.retry_after for error in errors) or errors[0].status == 529:
        headers["retry-after"] = {"$ref": "#/components/headers/RetryAfter"}
    examples = {
        f"{error.code}-{number}": {
            "summary": error.code,
            "value": msgspec.json.decode(encode_error(shape, error, REQUEST_ID)),
        }
        for number, error in enumerate(errors, 1)
    }
    content = {"application/json": {"schema": ref(_SCHEMA_OF[shape]), "examples": examples}}
    return {"description": description, "headers": headers, "content": content}
