"""docs/management.md names every route, and its examples are what is sent and answered."""

from __future__ import annotations

import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import BaseModel, TypeAdapter

from dragoman import errors
from dragoman.http.admin import (
    keys,
    models,
    presets,
    prices,
    providers,
    requests,
    session,
    settings,
    status,
    usage,
)
from dragoman.providers.spec import Strict

PAGE = (Path(__file__).parents[3] / "docs/management.md").read_text(encoding="utf-8")
PARTS = (status, providers, presets, models, keys, usage, requests, prices, settings, session)
ROUTES = {
    f"{method} {route.path}": route
    for part in PARTS
    for route in part.router.routes
    for method in route.methods
}
SECTIONS = {
    heading: text.split("\n## ")[0]
    for heading, text in re.findall(r"^### `(.+?)`\n(.*?)(?=^### |\Z)", PAGE, re.DOTALL | re.M)
}


def _example(section: str, language: str) -> str | None:
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    return found[1] if found else None


def _body_model(endpoint: Any) -> type[BaseModel] | None:
    hints = inspect.get_annotations(endpoint, eval_str=True)
    found = [hint for hint in hints.values() if inspect.isclass(hint) and issubclass(hint, Strict)]
    return found[0] if found else None


def test_every_route_stands_there_and_no_other() -> None:
    assert SECTIONS.keys() == ROUTES.keys()


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_example_asks_what_its_heading_says(heading: str) -> None:
    command = _example(SECTIONS[heading], "sh")
    assert command is not None
    words = shlex.split(command)
    assert words[0] == "admin"
    has_body = "--data" in words
    default = "POST" if has_body else "GET"
    method = words[words.index("--request") + 1] if "--request" in words else default
    path = next(word for word in words if word.startswith("$DRAGOMAN")).removeprefix("$DRAGOMAN")
    pattern = re.sub(r"\{\w+\}", "[^/]+", heading.partition(" ")[2])
    path, _, query = path.partition("?")
    assert query == "" or method == "GET"
    assert (method, re.fullmatch(pattern, path) is not None) == (heading.partition(" ")[0], True)
    body_model = _body_model(ROUTES[heading].endpoint)
    assert has_body == (body_model is not None)
    if body_model is not None:
        body_model.model_validate_json(words[words.index("--data") + 1])


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_answer_is_one_that_is_given(heading: str) -> None:
    text = _example(SECTIONS[heading], "json")
    if text is None:
        return
    answer: TypeAdapter[BaseModel] = TypeAdapter(ROUTES[heading].response_model)
    shown = json.loads(text)
    assert json.loads(answer.validate_json(text).model_dump_json()) == shown


def test_every_error_code_is_one_of_the_tree() -> None:
    table = PAGE.split("| status | code | when |")[1].split("\n\n")[0]
    kinds = [kind for kind in vars(errors).values() if inspect.isclass(kind)]
    codes = {kind.code for kind in kinds if issubclass(kind, errors.DragomanError)}
    named = set(
        re.findall(r"`(\w+)`", "".join(row.split("|")[2] for row in table.splitlines()[2:]))
    )
    assert named <= codes


async def test_the_document_describes_every_route(admin: httpx2.AsyncClient) -> None:
    document = (await admin.get("/api-docs.json")).json()
    described = {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        if path.startswith("/admin")
        for method, operation in item.items()
    }
    assert described.keys() == ROUTES.keys()
    for heading, operation in described.items():
        assert operation["tags"] == ["management"], heading
        assert operation["summary"], heading
        assert operation["description"], heading
        assert {next(iter(scheme)) for scheme in operation["security"]} == {
            "bearer",
            "x-api-key",
            "x-goog-api-key",
            "session",
        }
        assert "422" not in operation["responses"]
        assert operation["responses"].keys() >= {"4XX", "5XX"}
    assert "management" in {tag["name"] for tag in document["tags"]}


async def test_no_two_schemas_have_one_name(admin: httpx2.AsyncClient) -> None:
    """FastAPI would call both by their modules, and every client's types would change."""
    document = (await admin.get("/api-docs.json")).json()
    assert [name for name in document["components"]["schemas"] if "__" in name] == []
