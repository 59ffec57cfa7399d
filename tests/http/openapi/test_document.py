"""openapi.document: valid OpenAPI, every inference route, examples that obey their own schemas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from fastapi import APIRouter, FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from dragoman import errors, sse
from dragoman.http.openapi import document, inference_document, merge
from dragoman.protocols import OPERATIONS, Operation, Protocol

DOCUMENT = inference_document("1.2.3")
SCHEMAS = DOCUMENT["components"]["schemas"]

# What the contract promises, beside the operations of `protocols`.
OWN_PATHS = {
    "/health": "get",
    "/v1/models": "get",
    "/v1/models/{id}": "get",
    "/v1/responses/{id}": "get",
}
BY_PROVIDER = ("/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1/embeddings")


def path_of(operation: Operation) -> str:
    version = "/v1beta" if operation.protocol is Protocol.GEMINI else "/v1"
    return version + operation.path


DESCRIBED = {
    f"{method} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
each_operation = pytest.mark.parametrize("name", list(DESCRIBED))


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """`schema` as it is read inside the document, whose components it refers to."""
    return Draft202012Validator({"components": {"schemas": SCHEMAS}} | schema)


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: Any = DOCUMENT
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def request_schema(path: str) -> dict[str, Any]:
    body = DOCUMENT["paths"][path]["post"]["requestBody"]
    return body["content"]["application/json"]["schema"]


def test_is_valid_openapi() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert DOCUMENT["info"]["version"] == "1.2.3"
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_describes_every_operation(operation: Operation) -> None:
    described = DOCUMENT["paths"][path_of(operation)]["post"]
    assert ("text/event-stream" in described["responses"]["200"]["content"]) == (
        operation.streams != "never"
    )


def test_describes_the_gateways_own_routes_and_those_behind_a_provider() -> None:
    for path, method in OWN_PATHS.items():
        assert method in DOCUMENT["paths"][path]
    for path in BY_PROVIDER:
        assert "post" in DOCUMENT["paths"]["/{provider}" + path]
    assert "get" in DOCUMENT["paths"]["/{provider}/v1/models"]


def test_every_component_is_used_and_every_reference_leads_somewhere() -> None:
    used = set(references(DOCUMENT))
    defined = {
        f"#/components/{section}/{name}"
        for section, named in DOCUMENT["components"].items()
        if section != "securitySchemes"
        for name in named
    }
    unused = defined - used
    assert used <= defined
    # A shape has all statuses, though no route of that shape may need one of them.
    assert {name for name in unused if "/responses/" not in name} == set()


def test_operation_ids_are_unique_and_tags_are_described() -> None:
    described = DESCRIBED.values()
    names = [operation["operationId"] for operation in described]
    assert len(set(names)) == len(names)
    assert {tag for operation in described for tag in operation["tags"]} == {
        tag["name"] for tag in DOCUMENT["tags"]
    }


@each_operation
def test_path_parameters_are_declared(name: str) -> None:
    declared = {
        parameter["name"]
        for parameter in map(resolve, DESCRIBED[name]["parameters"])
        if parameter["in"] == "path" and parameter["required"]
    }
    assert declared == set(re.findall(r"{(\w+)}", name))


@each_operation
def test_examples_obey_their_schemas(name: str) -> None:
    operation = DESCRIBED[name]
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    for described in [*bodies, *map(resolve, operation["responses"].values())]:
        media = described["content"].get("application/json")
        if media is None:
            continue
        examples = [example["value"] for example in media.get("examples", {}).values()]
        examples += [media["example"]] if "example" in media else []
        assert examples
        for example in examples:
            validator(media["schema"]).validate(example)


@each_operation
def test_example_streams_are_events_that_obey_their_schema(name: str) -> None:
    media = DESCRIBED[name]["responses"]["200"]["content"].get("text/event-stream")
    if media is None:
        return
    reader = sse.Reader()
    events = [*reader.feed(media["example"].encode()), *reader.close()]
    check = validator(media["schema"]["properties"]["data"]["contentSchema"])
    payloads = [event.data for event in events if event.data != b"[DONE]"]
    assert payloads
    for payload in payloads:
        check.validate(msgspec.json.decode(payload))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_requests_that_the_gateway_refuses_are_invalid(operation: Operation) -> None:
    media = DOCUMENT["paths"][path_of(operation)]["post"]["requestBody"]["content"]
    example = next(iter(media["application/json"]["examples"].values()))["value"]
    check = validator(request_schema(path_of(operation)))
    assert check.is_valid(example | {"a_field_of_next_year": {"x": [1]}})
    assert not check.is_valid([example])
    if operation.protocol is Protocol.GEMINI:
        assert not check.is_valid(example | {"contents": "hello"})
        return
    assert not check.is_valid({name: example[name] for name in example if name != "model"})
    for model in ("", None, 7, ["my-openai:gpt-4o"]):
        assert not check.is_valid(example | {"model": model})
    if operation.streams == "body":
        assert check.is_valid(example | {"stream": None})
        assert not check.is_valid(example | {"stream": "true"})
    if "messages" in example:
        assert not check.is_valid({name: example[name] for name in example if name != "messages"})
        assert not check.is_valid(example | {"messages": "hello"})


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if "{provider}" in path])
def test_behind_a_provider_the_model_is_its_bare_id(path: str) -> None:
    body = DOCUMENT["paths"][path].get("post", {}).get("requestBody")
    if body is None:
        return
    for example in body["content"]["application/json"]["examples"].values():
        assert ":" not in example["value"]["model"]


def test_models_are_named_with_their_provider_elsewhere() -> None:
    for path, methods in DOCUMENT["paths"].items():
        body = methods.get("post", {}).get("requestBody")
        if body is None or path.startswith(("/{provider}", "/v1beta")):
            continue
        for example in body["content"]["application/json"]["examples"].values():
            assert ":" in example["value"]["model"]


def all_errors(kind: type[errors.DragomanError]) -> Iterator[type[errors.DragomanError]]:
    for child in kind.__subclasses__():
        yield child
        yield from all_errors(child)


def test_error_examples_have_the_codes_of_the_contract() -> None:
    known = {(str(kind.status), kind.code) for kind in all_errors(errors.DragomanError)}
    operation = DOCUMENT["paths"]["/v1/chat/completions"]["post"]
    shown = {
        (status, example["value"]["error"]["code"])
        for status, response in operation["responses"].items()
        if status not in ("200", "default")
        for example in resolve(response)["content"]["application/json"]["examples"].values()
    }
    assert shown <= known
    assert shown >= {
        ("400", "invalid_json"),
        ("400", "invalid_request"),
        ("400", "invalid_model_format"),
        ("400", "unsupported_provider_type"),
        ("400", "untranslatable"),
        ("401", "invalid_api_key"),
        ("403", "model_not_allowed"),
        ("404", "provider_not_found"),
        ("404", "model_not_found"),
        ("413", "request_too_large"),
        ("429", "rate_limit_exceeded"),
        ("429", "budget_exceeded"),
        ("502", "upstream_error"),
        ("502", "upstream_unreachable"),
        ("504", "upstream_timeout"),
    }


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_errors_have_the_shape_of_their_path(operation: Operation) -> None:
    described = DOCUMENT["paths"][path_of(operation)]["post"]["responses"]
    schemas = {
        resolve(response)["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        for status, response in described.items()
        if status != "200"
    }
    expected = {"openai": "OpenAIError", "anthropic": "AnthropicError", "gemini": "GeminiError"}
    assert schemas == {expected[operation.error_shape.value]}


def test_headers_of_requests_and_answers_are_described() -> None:
    operation = DOCUMENT["paths"]["/v1/messages"]["post"]
    assert set(operation["responses"]["200"]["headers"]) == {
        "x-request-id",
        "x-dragoman-provider",
        "x-dragoman-model",
        "x-dragoman-attempts",
        "x-dragoman-translation",
        "x-dragoman-dropped",
    }
    sent = {parameter["name"] for parameter in map(resolve, operation["parameters"])}
    assert sent == {"x-dragoman-strict", "x-request-id", "anthropic-version", "anthropic-beta"}


def test_every_route_but_health_takes_a_key() -> None:
    schemes = set(DOCUMENT["components"]["securitySchemes"])
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            offered = {name for choice in operation["security"] for name in choice}
            assert offered == (set() if path == "/health" else schemes)


class Widget(BaseModel):
    name: str


def management(path: str = "/admin/widgets") -> dict[str, Any]:
    """What FastAPI says of a small management API."""
    app = FastAPI(
        title="Management", openapi_tags=[{"name": "management", "description": "For owners."}]
    )
    router = APIRouter(tags=["management"])

    @router.post(path)
    def create_widget(widget: Widget) -> Widget:
        return widget

    app.include_router(router)
    return app.openapi()


def test_merged_document_is_valid_and_holds_both() -> None:
    merged = merge(management(), DOCUMENT)
    assert [str(error) for error in OpenAPIV31SpecValidator(merged).iter_errors()] == []
    assert merged["paths"].keys() == DOCUMENT["paths"].keys() | {"/admin/widgets"}
    assert "Widget" in merged["components"]["schemas"]
    assert merged["components"]["schemas"].keys() >= SCHEMAS.keys()
    assert merged["tags"] == [
        *DOCUMENT["tags"],
        {"name": "management", "description": "For owners."},
    ]
    assert merged["info"] == DOCUMENT["info"]


def test_merging_changes_neither_document() -> None:
    theirs, ours = management(), inference_document("1.2.3")
    merge(theirs, ours)["paths"].clear()
    assert theirs == management()
    assert ours == DOCUMENT


def test_merging_refuses_to_lose_a_path_or_a_schema() -> None:
    with pytest.raises(ValueError, match="path `/health`"):
        merge(management("/health"), DOCUMENT)
    theirs = management()
    theirs["components"]["schemas"]["Model"] = {"type": "object"}
    with pytest.raises(ValueError, match="schemas `Model`"):
        merge(theirs, DOCUMENT)


def test_a_management_api_without_components_merges() -> None:
    assert merge({"openapi": "3.1.0", "info": {}, "paths": {}}, DOCUMENT) == DOCUMENT


def test_no_schema_is_named_twice() -> None:
    modules = (
        document.models,
        document.chat,
        document.responses,
        document.messages,
        document.gemini,
        document.embeddings,
        document.completions,
        document.refusals,
    )
    assert sum(len(module.SCHEMAS) for module in modules) == len(SCHEMAS)
