"""openapi.schema: what the builders build means what their names say."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dragoman.http.openapi import schema

COMPONENTS = {
    "Text": schema.obj({"type": schema.const("text"), "text": schema.string()}, "type text"),
    "Untyped": schema.obj({"role": schema.enum("user system")}, required="role"),
}


def is_valid(built: schema.Schema, value: Any) -> bool:
    inside = {"components": {"schemas": COMPONENTS}} | built
    Draft202012Validator.check_schema(inside)
    return Draft202012Validator(inside).is_valid(value)


@pytest.mark.parametrize(
    ("built", "value", "other"),
    [
        (schema.string(minLength=1), "a", ""),
        (schema.integer(minimum=0), 0, -1),
        (schema.number(), 0.5, "0.5"),
        (schema.boolean(), False, 0),
        (schema.enum("low high"), "high", "medium"),
        (schema.const("text"), "text", "image"),
        (schema.array(schema.integer()), [1], ["1"]),
        (schema.obj({"a": schema.integer()}, "a"), {"a": 1, "b": 2}, {"b": 2}),
        (schema.obj(), {"anything": None}, []),
        (schema.ref("Text"), {"type": "text", "text": ""}, {"type": "text"}),
        (schema.text_or(schema.ref("Text")), "hello", [{"type": "text"}]),
    ],
)
def test_accepts_what_it_names_and_nothing_else(
    built: schema.Schema, value: Any, other: Any
) -> None:
    assert is_valid(built, value)
    assert not is_valid(built, other)
    assert is_valid(schema.nullable(built), value)
    assert is_valid(schema.nullable(built), None)
    assert not is_valid(schema.nullable(built), other)
    assert not is_valid(built, None)


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        ({"type": "text", "text": "hello"}, True),
        ({"type": "text"}, False),
        ({"type": "a_type_of_next_year"}, True),
        ({"role": "user"}, True),
        ({"role": "nobody"}, False),
    ],
)
def test_kinds_are_told_apart_by_their_type(value: Any, *, valid: bool) -> None:
    assert is_valid(schema.kinds({"text": "Text"}, "Untyped"), value) is valid


def test_words_are_kept() -> None:
    assert schema.ref("Text", "Why.") == {
        "$ref": "#/components/schemas/Text",
        "description": "Why.",
    }
    assert schema.any_of(schema.ref("Text"), description="Why.")["description"] == "Why."
    assert schema.kinds({"text": "Text"}, description="Why.")["description"] == "Why."
    assert "description" not in schema.string()
