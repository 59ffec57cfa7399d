"""Builders for JSON Schema (draft 2020-12, the dialect of OpenAPI 3.1), so that schemas read as
tables: a property a line, its type, its words.

Objects stay open: a field that no table names is relayed to the provider, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]


def string(description: str = "", **keywords: Any) -> Schema:
    return _typed("string", description, keywords)


def integer(description: str = "", **keywords: Any) -> Schema:
    return _typed("integer", description, keywords)


def number(description: str = "", **keywords: Any) -> Schema:
    return _typed("number", description, keywords)


def boolean(description: str = "", **keywords: Any) -> Schema:
    return _typed("boolean", description, keywords)


def enum(values: str, description: str = "") -> Schema:
    """One of the space-separated `values`."""
    return _typed("string", description, {"enum": values.split()})


def const(value: str) -> Schema:
    return {"type": "string", "const": value}


def array(items: Schema, description: str = "") -> Schema:
    return _typed("array", description, {"items": items})


def obj(
    properties: Mapping[str, Schema] | None = None, required: str = "", description: str = ""
) -> Schema:
    """An object that may have other properties too; `required` is a space-separated list."""
    keywords: dict[str, Any] = {}
    if properties:
        keywords["properties"] = dict(properties)
    if required:
        keywords["required"] = required.split()
    return _typed("object", description, keywords | {"additionalProperties": True})


def ref(name: str, description: str = "") -> Schema:
    """The component schema `name`; OpenAPI 3.1 allows a description beside the reference."""
    reference: Schema = {"$ref": f"#/components/schemas/{name}"}
    return reference | {"description": description} if description else reference


def any_of(*schemas: Schema, description: str = "") -> Schema:
    union: Schema = {"anyOf": list(schemas)}
    return union | {"description": description} if description else union


def nullable(schema: Schema) -> Schema:
    """`schema`, or null."""
    if "type" not in schema or "const" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    widened = schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        widened["enum"] = [*schema["enum"], None]
    return widened


def text_or(parts: Schema, description: str = "") -> Schema:
    """A plain string, or the long form: an array of `parts`."""
    return any_of(string(), array(parts), description=description)


def kinds(schemas: Mapping[str, str], *untyped: str, description: str = "") -> Schema:
    """Objects told apart by their `type`: which component schema each type has.

    A type that is not listed is allowed, since protocols grow faster than this document; schemas
    named in `untyped` do without a `type`.
    """
    names = dict.fromkeys([*untyped, *schemas.values()])
    other = obj(
        {"type": {"type": "string", "not": {"enum": list(schemas)}}},
        required="type",
        description="A type that is not described here; it is relayed as it is.",
    )
    return any_of(*map(ref, names), other, description=description)


def _typed(kind: str, description: str, keywords: Mapping[str, Any]) -> Schema:
    words = {"description": description} if description else {}
    return {"type": kind} | words | dict(keywords)
