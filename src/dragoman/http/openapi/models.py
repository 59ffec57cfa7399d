"""The gateway's own answers to GET: its health and the models that it offers."""

from __future__ import annotations

from dragoman.http.openapi.route import Answer, Parameter, Route
from dragoman.http.openapi.schema import (
    Schema,
    array,
    boolean,
    const,
    integer,
    nullable,
    obj,
    ref,
    string,
)

TAG = "Models"
HEALTH_TAG = "Health"

_LARGEST_COUNT = 999_999_999

SCHEMAS: dict[str, Schema] = {
    "ModelName": string(
        "`provider:model`, split at the first colon, or an alias. A bare model id will do where "
        "exactly one enabled provider has it. Behind a provider's path it is always the bare id.",
        minLength=1,
    ),
    "StreamSwitch": nullable(
        {"type": "boolean", "description": "Whether to send the answer as server-sent events."}
    ),
    "Health": obj(
        {
            "status": const("ok"),
            "version": string("The gateway's version."),
            "timestamp": string("The gateway's clock."),
        },
        required="status version timestamp",
    ),
    "Model": obj(
        {
            "id": string("`provider:model`, to be used as `model` in requests."),
            "object": const("model"),
            "type": const("model"),
            "name": string(),
            "display_name": string("The same as `name`, under Anthropic's name."),
            "created": integer("Unix time in seconds; 0 where it is not known."),
            "created_at": string("The same time, as Anthropic writes it."),
            "owned_by": string(),
            "provider": string("The provider's id."),
            "provider_type": string("The provider's type, such as `openai` or `anthropic`."),
            "context_length": integer("The most tokens that it reads and writes, where known."),
            "max_input_tokens": integer("The same, under Anthropic's name."),
            "max_tokens": integer("The most tokens that it writes, where known."),
        },
        required="id object type name display_name created created_at owned_by provider "
        "provider_type",
        description="One model, in OpenAI's words and Anthropic's at once.",
    ),
    "ModelList": obj(
        {
            "object": const("list"),
            "data": array(ref("Model")),
            "total": integer("How many models there are, on all pages together."),
            "has_more": boolean(),
            "first_id": nullable(string()),
            "last_id": nullable(string()),
        },
        required="object data total has_more first_id last_id",
    ),
}

_MODEL = {
    "id": "anthropic:claude-opus-4-5",
    "object": "model",
    "type": "model",
    "name": "Claude Opus 4.5",
    "display_name": "Claude Opus 4.5",
    "created": 1763942400,
    "created_at": "2025-11-24T00:00:00Z",
    "owned_by": "anthropic",
    "provider": "anthropic",
    "provider_type": "anthropic",
}

ROUTES = (
    Route(
        name="getHealth",
        path="/health",
        tag=HEALTH_TAG,
        method="get",
        summary="Ask whether the gateway runs",
        description="Needs no key.",
        answer=Answer(
            "Health",
            {"status": "ok", "version": "0.1.0", "timestamp": "2026-11-05T16:00:00Z"},
        ),
        by_provider=False,
        reaches_provider=False,
        needs_key=False,
    ),
    Route(
        name="listModels",
        path="/v1/models",
        tag=TAG,
        method="get",
        summary="List the models",
        description="The models of all enabled providers that the key may use.",
        answer=Answer(
            "ModelList",
            {
                "object": "list",
                "data": [_MODEL],
                "total": 1,
                "has_more": False,
                "first_id": "anthropic:claude-opus-4-5",
                "last_id": "anthropic:claude-opus-4-5",
            },
        ),
        parameters=(
            Parameter("providerType", "query", "Only models of providers of this type.", string()),
            Parameter(
                "limit",
                "query",
                "How many to return; all by default.",
                integer(minimum=1, maximum=_LARGEST_COUNT),
                100,
            ),
            Parameter(
                "offset",
                "query",
                "How many to leave out first.",
                integer(minimum=0, maximum=_LARGEST_COUNT),
                0,
            ),
            Parameter(
                "after_id",
                "query",
                "Go on after this model, as Anthropic's clients turn pages.",
                string(),
            ),
        ),
        reaches_provider=False,
    ),
    Route(
        name="getModel",
        path="/v1/models/{id}",
        tag=TAG,
        method="get",
        summary="Show one model",
        description="The same entry as in the list.",
        answer=Answer("Model", _MODEL),
        parameters=(
            Parameter(
                "id",
                "path",
                "`provider:model`. A slash inside it may be written `%2F`.",
                string(minLength=1),
                "anthropic:claude-opus-4-5",
            ),
        ),
        by_provider=False,
        reaches_provider=False,
    ),
)
