"""JSON Schema and Gemini's dialect: what both can say survives, every other change is told."""

from __future__ import annotations

from typing import Any

import pytest
from conversations import names, texts
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from dragoman.wire.gemini.schema import to_dialect, to_json_schema


def convert(schema: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    losses: dict[str, str] = {}
    return to_dialect(schema, lambda at, why: losses.update({at: why})), losses


described = st.fixed_dictionaries({}, optional={"description": texts, "title": texts})
leaves = st.one_of(
    st.builds(
        lambda more, kind: {"type": kind, **more},
        described,
        st.sampled_from(["string", "integer", "number", "boolean"]),
    ),
    st.builds(lambda kind: {"type": [kind, "null"]}, st.sampled_from(["string", "integer"])),
    st.builds(lambda values: {"type": "string", "enum": values}, st.lists(names, min_size=1)),
    st.builds(lambda least: {"type": "string", "minLength": least}, st.integers(0, 9)),
)
shared = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda items: {"type": "array", "items": items}, inner),
        st.builds(
            lambda properties: {
                "type": "object",
                "properties": properties,
                "required": list(properties),
            },
            st.dictionaries(names, inner, min_size=1, max_size=3),
        ),
        st.builds(lambda branches: {"anyOf": branches}, st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)


@given(shared)
def test_what_both_can_say_survives(schema: dict[str, Any]) -> None:
    dialect, losses = convert(schema)
    types.Schema.model_validate(dialect)
    assert losses == {}
    assert to_json_schema(dialect) == schema


def test_references_are_written_out() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/Name"}, "b": {"$ref": "#/$defs/Name"}},
        "$defs": {"Name": {"type": "string", "description": "A name."}},
        "$schema": "https://json-schema.org/draft/2020-12/schema",
    }
    name = {"type": "STRING", "description": "A name."}
    assert convert(schema) == ({"type": "OBJECT", "properties": {"a": name, "b": name}}, {})


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"type": "object", "properties": {"next": {"$ref": "#"}}},
        {"type": "object", "properties": {"next": {"allOf": [{"$ref": "#"}]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.org/schema"},
    ],
)
def test_references_without_an_end_are_told(schema: dict[str, Any]) -> None:
    dialect, losses = convert(schema)
    types.Schema.model_validate(dialect)
    assert losses


@pytest.mark.parametrize(
    ("schema", "dialect", "lost"),
    [
        ({"const": "a"}, {"enum": ["a"], "type": "STRING"}, set()),
        (
            {"type": "integer", "enum": [1, 2]},
            {"type": "INTEGER", "description": "One of: [1,2]"},
            {".enum"},
        ),
        (
            {"type": ["string", "null"], "enum": ["a", None]},
            {"type": "STRING", "nullable": True, "enum": ["a"]},
            set(),
        ),
        (
            {"type": ["string", "integer"]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
            set(),
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "d"},
            {"type": "STRING", "nullable": True, "description": "d"},
            set(),
        ),
        (
            {"oneOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]},
            {".oneOf"},
        ),
        ({"type": "string", "format": "uuid"}, {"type": "STRING"}, {".format"}),
        (
            {"type": "string", "format": "date-time"},
            {"type": "STRING", "format": "date-time"},
            set(),
        ),
        ({"type": "array"}, {"type": "ARRAY", "items": {"type": "STRING"}}, {".items"}),
        (
            {"type": "object", "additionalProperties": False},
            {"type": "OBJECT"},
            {".additionalProperties"},
        ),
        (
            {"type": "object", "properties": {"a": True}, "required": ["a", "b"]},
            {"type": "OBJECT", "properties": {"a": {}}, "required": ["a"]},
            {".required"},
        ),
        (
            {"type": "integer", "exclusiveMinimum": 0, "multipleOf": 2},
            {"type": "INTEGER"},
            {".exclusiveMinimum", ".multipleOf"},
        ),
        (
            {
                "allOf": [
                    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                    {"properties": {"b": {"type": "string"}}, "required": ["b"]},
                ]
            },
            {
                "type": "OBJECT",
                "properties": {"a": {"type": "STRING"}, "b": {"type": "STRING"}},
                "required": ["a", "b"],
            },
            set(),
        ),
        ({"type": "string", "examples": ["a", "b"]}, {"type": "STRING", "example": "a"}, set()),
        ({"type": "null"}, {"type": "NULL"}, set()),
    ],
)
def test_keywords(schema: dict[str, Any], dialect: dict[str, Any], lost: set[str]) -> None:
    found, losses = convert(schema)
    types.Schema.model_validate(found)
    assert (found, set(losses)) == (dialect, lost)


def test_a_loss_names_its_place() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"not": {}}}}}
    assert convert(schema)[1].keys() == {".properties.a.items.not"}


def test_the_dialect_in_either_spelling() -> None:
    dialect = {
        "type": "OBJECT",
        "properties": {
            "any_of": {"any_of": [{"type": "STRING"}, {"type": "NUMBER"}], "nullable": True},
            "n": {"type": "TYPE_UNSPECIFIED", "example": 1},
            "list": {"type": "ARRAY", "items": {"type": "INTEGER"}, "min_items": "2"},
            "e": {"type": "STRING", "enum": ["a"], "nullable": True},
        },
        "property_ordering": ["list", "any_of"],
        "additional_properties": {"type": "STRING"},
        "defs": {"X": {"type": "STRING"}},
    }
    found = to_json_schema(dialect)
    assert list(found["properties"]) == ["list", "any_of", "n", "e"]
    assert found == {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
            "any_of": {"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
            "n": {"examples": [1]},
            "e": {"type": ["string", "null"], "enum": ["a", None]},
        },
        "additionalProperties": {"type": "string"},
        "$defs": {"X": {"type": "string"}},
    }
    assert to_json_schema({"ref": "#/defs/X"}) == {"$ref": "#/$defs/X"}
