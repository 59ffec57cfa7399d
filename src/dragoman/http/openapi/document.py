"""The OpenAPI 3.1 document of the inference routes, and its union with the management API's.

The inference endpoints are raw ASGI, so no framework describes them; the tables of this package
do. An event stream's schema describes one event, as OpenAPI 3.2 defines it and as tools already
read it in 3.1.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from dragoman import sse
from dragoman.http.openapi import (
    chat,
    completions,
    embeddings,
    gemini,
    messages,
    models,
    refusals,
    responses,
)
from dragoman.http.openapi.route import Answer, Parameter, Route, Stream
from dragoman.http.openapi.schema import Schema, boolean, integer, obj, ref, string

ROUTES: tuple[Route, ...] = (
    *chat.ROUTES,
    *responses.ROUTES,
    *messages.ROUTES,
    *gemini.ROUTES,
    *embeddings.ROUTES,
    *completions.ROUTES,
    *models.ROUTES,
)

_DESCRIPTION = """\
One local endpoint in front of every AI provider that is configured here.

**Models** are named `provider:model`, as `GET /v1/models` lists them, or by an alias. Any model
can be asked in any protocol: where its provider speaks the caller's protocol, the bytes go
through untouched, unknown fields included; elsewhere the gateway translates, and says in
`x-dragoman-dropped` what could not be carried over.

**Keys**: every route but `/health` takes a gateway key in one of the three ways that the button
*Authorize* lists.

**Paths**: those under `/v1` are accepted without `/v1` as well. Those under `/{provider}/v1` ask
that provider, with the bare model id as `model`.
"""

_TAGS = {
    chat.TAG: "OpenAI's protocol for conversations.",
    responses.TAG: "OpenAI's newer protocol, with items, server-side memory and more tools.",
    messages.TAG: "Anthropic's protocol for conversations.",
    gemini.TAG: "Google's protocol for conversations.",
    embeddings.TAG: "OpenAI's protocol for vectors.",
    completions.TAG: "OpenAI's oldest protocol.",
    models.TAG: "What can be asked.",
    models.HEALTH_TAG: "Whether the gateway runs.",
}
_BY_PROVIDER_TAG = "By provider"
_BY_PROVIDER = "The same routes with the provider in the path and the bare model id as `model`."

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A gateway key: `Authorization: Bearer sk-dragoman-...`",
    },
    "x-api-key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-api-key",
        "description": "The same key, as Anthropic's clients send it.",
    },
    "x-goog-api-key": {
        "type": "apiKey",
        "in": "header",
        "name": "x-goog-api-key",
        "description": "The same key, as Google's clients send it.",
    },
}

_REQUEST_HEADERS = {
    "Strict": Parameter(
        "x-dragoman-strict",
        "header",
        "With `true`, a request that would lose something in translation is refused with "
        "`untranslatable`, which names each part.",
        boolean(default=False),
    ),
    "RequestId": Parameter(
        "x-request-id", "header", "A name for the request, used in logs and returned.", string()
    ),
}
_PROVIDER = Parameter(
    "provider",
    "path",
    "The id of an enabled provider.",
    string(pattern="^[a-z0-9][a-z0-9._-]*$"),
    "my-openai",
)

_RESPONSE_HEADERS: dict[str, tuple[str, str, Schema, Any]] = {
    "RequestId": (
        "x-request-id",
        "The request's name: the caller's own, if it sent a sane one.",
        string(),
        refusals.REQUEST_ID,
    ),
    "Provider": ("x-dragoman-provider", "Which provider answered.", string(), "my-openai"),
    "Model": ("x-dragoman-model", "Which of its models answered.", string(), "gpt-4o"),
    "Attempts": (
        "x-dragoman-attempts",
        "How many attempts it took, over all providers and keys.",
        integer(minimum=1),
        1,
    ),
    "Translation": (
        "x-dragoman-translation",
        "`none` where the bytes went through untouched, else from which protocol to which.",
        string(),
        "messages->chat",
    ),
    "Dropped": (
        "x-dragoman-dropped",
        "What could not be carried over, as paths separated by commas; absent when nothing was "
        "lost.",
        string(),
        "seed,logit_bias",
    ),
    "RetryAfter": ("retry-after", "Seconds after which to try again.", string(), "12"),
}
_OF_A_PROVIDER = ("Provider", "Model", "Attempts", "Translation", "Dropped")


def inference_document(version: str) -> dict[str, Any]:
    """A whole OpenAPI 3.1 document of the inference routes of the gateway's `version`."""
    paths: dict[str, Any] = {}
    for route in _all_routes():
        paths.setdefault(route.path, {})[route.method] = _describe(route)
    tags = _TAGS | {_BY_PROVIDER_TAG: _BY_PROVIDER}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Dragoman", "version": version, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": refusals.error_components(),
            "headers": {name: _header(*header) for name, header in _RESPONSE_HEADERS.items()},
            "parameters": {name: _parameter(of) for name, of in _REQUEST_HEADERS.items()},
            "securitySchemes": _SECURITY_SCHEMES,
        },
        "tags": [{"name": name, "description": text} for name, text in tags.items()],
    }


def merge(management: dict[str, Any], inference: dict[str, Any]) -> dict[str, Any]:
    """One document of both: `inference`, with the paths, components and tags of `management`.

    What else `management` has at the top (`servers`) is kept. Raises ValueError where both
    describe the same path or define the same component differently, since one of the two would
    be lost.
    """
    merged = copy.deepcopy(management | inference)
    merged["paths"] = _union("path", inference["paths"], management.get("paths", {}))
    parts: dict[str, Any] = merged["components"]
    for section, named in management.get("components", {}).items():
        parts[section] = _union(section, parts.get(section, {}), named)
    known = {tag["name"] for tag in inference["tags"]}
    merged["tags"] += [tag for tag in management.get("tags", []) if tag["name"] not in known]
    return merged


def _union(kind: str, ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    for name in ours.keys() & theirs.keys():
        if ours[name] != theirs[name]:
            raise ValueError(f"The two documents differ about the {kind} `{name}`.")
    return copy.deepcopy(ours | theirs)


def _all_routes() -> Iterator[Route]:
    yield from ROUTES
    yield from (_behind_provider(route) for route in ROUTES if route.by_provider)


def _behind_provider(route: Route) -> Route:
    """`route` as it stands under the path of one provider."""
    return replace(
        route,
        name=f"{route.name}ByProvider",
        path=f"/{{provider}}{route.path}",
        tag=_BY_PROVIDER_TAG,
        parameters=(_PROVIDER, *route.parameters),
        examples={
            title: body | {"model": body["model"].partition(":")[2]}
            for title, body in route.examples.items()
        },
    )


def _schemas() -> dict[str, Schema]:
    modules = (models, chat, responses, messages, gemini, embeddings, completions, refusals)
    return {name: schema for module in modules for name, schema in module.SCHEMAS.items()}


def _describe(route: Route) -> dict[str, Any]:
    """The operation object of `route`."""
    shared = ("Strict", "RequestId") if route.request else ("RequestId",)
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "description": route.description,
        "parameters": [
            *map(_parameter, route.parameters),
            *({"$ref": f"#/components/parameters/{name}"} for name in shared),
        ],
        "responses": {"200": _success(route)},
        "security": [{name: []} for name in _SECURITY_SCHEMES] if route.needs_key else [],
    }
    if route.request:
        operation["requestBody"] = {
            "required": True,
            "content": {
                "application/json": {
                    "schema": ref(route.request),
                    "examples": {
                        title.lower().replace(" ", "-"): {"summary": title, "value": body}
                        for title, body in route.examples.items()
                    },
                }
            },
        }
    if route.needs_key:
        errors = refusals.error_references(route.shape, with_body=bool(route.request))
        operation["responses"] |= errors
    return operation


def _success(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {}
    descriptions: list[str] = []
    if route.answer:
        content["application/json"] = _whole(route.answer)
        descriptions.append("The answer.")
    if route.stream:
        content["text/event-stream"] = _streamed(route.stream)
        descriptions.append(
            f"Server-sent events, where {route.stream.when}; the `data` of each is a "
            f"`{route.stream.schema}`."
        )
    names = ("RequestId", *_OF_A_PROVIDER) if route.reaches_provider else ("RequestId",)
    headers = {_RESPONSE_HEADERS[name][0]: _header_reference(name) for name in names}
    return {"description": " ".join(descriptions), "headers": headers, "content": content}


def _whole(answer: Answer) -> dict[str, Any]:
    return {"schema": ref(answer.schema), "example": answer.example}


def _streamed(stream: Stream) -> dict[str, Any]:
    event = obj(
        {
            "event": string("The event's name, in protocols that name their events."),
            "data": string(contentMediaType="application/json", contentSchema=ref(stream.schema)),
        },
        required="data",
        description="One event. Comments (`: ping`) may stand between events.",
    )
    return {"schema": event, "example": b"".join(map(_frame, stream.example)).decode()}


def _frame(event: tuple[str, Any]) -> bytes:
    name, data = event
    return sse.encode(
        data.encode() if isinstance(data, str) else msgspec.json.encode(data), name.encode()
    )


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": parameter.schema,
    }
    return described if parameter.example is None else described | {"example": parameter.example}


def _header(name: str, description: str, schema: Schema, example: Any) -> dict[str, Any]:
    return {
        "description": description,
        "required": name == "x-request-id",
        "schema": schema,
        "example": example,
    }


def _header_reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/headers/{name}"}
