"""openapi.models: entries that the libraries of OpenAI and Anthropic can both read."""

from __future__ import annotations

from openai.types import Model

from dragoman.http.openapi import models

HEALTH, LIST, SHOW = models.ROUTES


def test_an_entry_is_read_by_openais_library() -> None:
    assert SHOW.answer is not None
    assert Model.model_validate(SHOW.answer.example).id == "anthropic:claude-opus-4-5"


def test_an_entry_has_what_anthropics_clients_read() -> None:
    required = models.SCHEMAS["Model"]["required"]
    assert {"id", "type", "display_name", "created_at"} <= set(required)


def test_the_list_tells_where_it_ends() -> None:
    assert LIST.answer is not None
    example = LIST.answer.example
    assert (example["first_id"], example["last_id"]) == (
        example["data"][0]["id"],
        example["data"][-1]["id"],
    )
    assert {parameter.name for parameter in LIST.parameters} == {
        "providerType",
        "limit",
        "offset",
        "after_id",
    }


def test_health_needs_no_key() -> None:
    assert not HEALTH.needs_key
