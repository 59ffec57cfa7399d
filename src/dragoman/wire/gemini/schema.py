"""JSON Schema and Gemini's dialect of it, each from the other.

The dialect is a subset of OpenAPI 3.0's schema object: types are in capitals and single,
`nullable` stands for null, references and most keywords are missing, enumerations hold strings
only, and an unknown keyword refuses the whole request. Source: the `Schema` type of the API
reference, and the errors that Google's servers give for the rest.

Google takes JSON Schema itself beside it, so that only copies of its API need `to_dialect`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from dragoman.wire.documents import encode
from dragoman.wire.fields import object_of, objects_of
from dragoman.wire.gemini.spelling import camel

Lose = Callable[[str, str], None]
"""Records a loss: the place inside the schema, and why."""

_FORMATS = frozenset({"enum", "date-time", "float", "double", "int32", "int64"})
_COPIED = frozenset(
    {
        "title",
        "description",
        "default",
        "pattern",
        "required",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minProperties",
        "maxProperties",
    }
)
_MEANINGLESS = frozenset({"$schema", "$id", "$comment", "$anchor", "$defs", "definitions"})


def to_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The dialect as JSON Schema. What neither knows stays as it is."""
    given = {camel(name): value for name, value in schema.items()}
    nullable = given.pop("nullable", None) is True
    ordering = given.pop("propertyOrdering", None)
    written: dict[str, Any] = {}
    for name, value in given.items():
        reader = _READERS.get(name)
        if reader is None:
            written[name] = value
        else:
            written |= reader(value)
    _order_properties(written, ordering)
    return _allow_null(written) if nullable else written


def to_dialect(schema: dict[str, Any], lose: Lose) -> dict[str, Any]:
    """JSON Schema in the dialect; `lose` hears of each change of meaning."""
    return _Writer(schema, lose).write(schema, "", ())


def _each_value(value: Any) -> dict[str, Any]:
    return {name: _inner(inner) for name, inner in object_of(value).items()}


def _inner(value: Any) -> Any:
    return to_json_schema(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


def _read_type(value: Any) -> dict[str, Any]:
    if not isinstance(value, str):
        return {"type": value}
    return {} if value.upper() == "TYPE_UNSPECIFIED" else {"type": value.lower()}


def _whole(value: Any) -> Any:
    """A count; protocol buffers write 64-bit numbers as strings."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


_READERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "type": _read_type,
    "properties": lambda value: {"properties": _each_value(value)},
    "items": lambda value: {"items": _inner(value)},
    "additionalProperties": lambda value: {"additionalProperties": _inner(value)},
    "anyOf": lambda value: {"anyOf": [to_json_schema(each) for each in objects_of(value)]},
    "defs": lambda value: {"$defs": _each_value(value)},
    "ref": lambda value: {"$ref": str(value).replace("#/defs/", "#/$defs/")},
    "example": lambda value: {"examples": [value]},
    "minItems": lambda value: {"minItems": _whole(value)},
    "maxItems": lambda value: {"maxItems": _whole(value)},
    "minLength": lambda value: {"minLength": _whole(value)},
    "maxLength": lambda value: {"maxLength": _whole(value)},
    "minProperties": lambda value: {"minProperties": _whole(value)},
    "maxProperties": lambda value: {"maxProperties": _whole(value)},
}


def _order_properties(schema: dict[str, Any], ordering: Any) -> None:
    properties = object_of(schema.get("properties"))
    if isinstance(ordering, list) and properties:
        first = [name for name in cast("list[Any]", ordering) if name in properties]
        schema["properties"] = {name: properties[name] for name in [*first, *properties]}


def _allow_null(schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if kind is None:
        branches = schema.get("anyOf")
        if isinstance(branches, list):
            return {**schema, "anyOf": [*cast("list[Any]", branches), {"type": "null"}]}
        return schema
    written = {**schema, "type": [kind, "null"]}
    if isinstance(schema.get("enum"), list):
        written["enum"] = [*schema["enum"], None]
    return written


class _Writer:
    """Writes the parts of one schema, `root`, in the dialect."""

    def __init__(self, root: dict[str, Any], lose: Lose) -> None:
        self._root = root
        self._lose = lose

    def write(self, schema: Any, at: str, open_refs: tuple[str, ...]) -> dict[str, Any]:
        """`schema` at the path `at`; `open_refs` are the references that led here."""
        if not isinstance(schema, dict):
            return {}  # `true`, which allows everything
        given = cast("dict[str, Any]", schema)
        ref = given.get("$ref")
        if isinstance(ref, str):
            if ref in open_refs or (target := self._find(ref)) is None:
                self._lose(f"{at}.$ref", "references that lead back to themselves have no form")
                return {"type": "OBJECT"}
            beside = {name: value for name, value in given.items() if name != "$ref"}
            return self.write({**target, **beside}, at, (*open_refs, ref))
        given, open_refs = self._merge_all(given, at, open_refs)
        written: dict[str, Any] = {}
        for name, value in given.items():
            self._write_member(name, value, written, at, open_refs)
        self._write_type(given, written, at, open_refs)
        self._write_enum(given, written, at)
        return self._complete(written, at)

    def _write_member(
        self, name: str, value: Any, written: dict[str, Any], at: str, open_refs: tuple[str, ...]
    ) -> None:
        match name:
            case "type" | "enum" | "const" | "$ref":
                return
            case "properties":
                written[name] = {
                    each: self.write(inner, f"{at}.properties.{each}", open_refs)
                    for each, inner in object_of(value).items()
                }
            case "items" if not isinstance(value, list):
                written[name] = self.write(value, f"{at}.items", open_refs)
            case "anyOf" | "oneOf":
                if name == "oneOf":
                    self._lose(f"{at}.oneOf", "became anyOf")
                self._write_branches(objects_of(value), written, f"{at}.{name}", open_refs)
            case "examples" if isinstance(value, list) and value:
                written["example"] = value[0]
            case "format":
                if value in _FORMATS:
                    written[name] = value
                else:
                    self._lose(f"{at}.format", f"there is no format {value!r}")
            case _ if name in _COPIED:
                written[name] = value
            case _ if name in _MEANINGLESS:
                return
            case _:
                self._lose(f"{at}.{name}", "Gemini's schemas have no such keyword")

    def _write_branches(
        self,
        branches: Iterable[dict[str, Any]],
        written: dict[str, Any],
        at: str,
        open_refs: tuple[str, ...],
    ) -> None:
        """Alternatives; null among them makes the whole nullable, a lone one needs no `anyOf`."""
        found = list(branches)
        kept = [branch for branch in found if branch.get("type") != "null"]
        if len(kept) < len(found):
            written["nullable"] = True
        rest = [self.write(branch, f"{at}.{index}", open_refs) for index, branch in enumerate(kept)]
        if len(rest) == 1:
            written.update({**rest[0], **written})
        elif rest:
            written["anyOf"] = [*written.get("anyOf", ()), *rest]

    def _write_type(
        self, given: dict[str, Any], written: dict[str, Any], at: str, open_refs: tuple[str, ...]
    ) -> None:
        kind = given.get("type")
        kinds = cast("list[Any]", kind) if isinstance(kind, list) else [kind]
        named = [each for each in kinds if isinstance(each, str) and each != "null"]
        if "null" in kinds and named:
            written["nullable"] = True
        if len(named) > 1:
            branches = [{"type": each} for each in named]
            self._write_branches(branches, written, f"{at}.type", open_refs)
        elif named:
            written["type"] = named[0].upper()
        elif "null" in kinds:
            written["type"] = "NULL"

    def _write_enum(self, given: dict[str, Any], written: dict[str, Any], at: str) -> None:
        """`enum` and `const`; values other than strings can only be told in words."""
        if "const" in given:
            values: list[Any] = [given["const"]]
        elif isinstance(given.get("enum"), list):
            values = cast("list[Any]", given["enum"])
        else:
            return
        if None in values:
            written["nullable"] = True
            values = [value for value in values if value is not None]
        if all(isinstance(value, str) for value in values):
            written["enum"] = values
            return
        self._lose(f"{at}.enum", "only strings can be enumerated; the description lists the values")
        listed = f"One of: {encode(values).decode()}"
        described = written.get("description")
        written["description"] = f"{described} {listed}" if described else listed

    def _complete(self, written: dict[str, Any], at: str) -> dict[str, Any]:
        """What the dialect insists on: a type where one can be told, an array's items, and no
        required property that is not described."""
        if "type" not in written and "anyOf" not in written:
            for member, kind in (("properties", "OBJECT"), ("items", "ARRAY"), ("enum", "STRING")):
                if member in written:
                    written["type"] = kind
        if written.get("type") == "ARRAY" and "items" not in written:
            self._lose(f"{at}.items", "an array must say what it holds; strings were assumed")
            written["items"] = {"type": "STRING"}
        required = written.get("required")
        if isinstance(required, list):
            known = object_of(written.get("properties"))
            kept = [name for name in cast("list[Any]", required) if name in known]
            if len(kept) < len(cast("list[Any]", required)):
                self._lose(f"{at}.required", "names properties that are not described")
            written["required"] = kept
            if not kept:
                del written["required"]
        return written

    def _merge_all(
        self, given: dict[str, Any], at: str, open_refs: tuple[str, ...]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """`given` with the schemas under its `allOf` folded in: properties and required names
        add up, of everything else the last one counts."""
        branches = objects_of(given.get("allOf"))
        if not branches:
            return given, open_refs
        merged = {name: value for name, value in given.items() if name != "allOf"}
        for branch in branches:
            ref = branch.get("$ref")
            found = branch
            if isinstance(ref, str):
                found = {} if ref in open_refs else self._find(ref) or {}
                open_refs = (*open_refs, ref)
            if not found or "allOf" in found or "$ref" in found:
                self._lose(f"{at}.allOf", "allOf inside allOf is not unfolded")
            for name, value in found.items():
                if name == "properties":
                    merged[name] = {**object_of(merged.get(name)), **object_of(value)}
                elif name == "required" and isinstance(value, list):
                    merged[name] = [*merged.get(name, ()), *cast("list[Any]", value)]
                elif name not in ("allOf", "$ref"):
                    merged[name] = value
        return merged, open_refs

    def _find(self, ref: str) -> dict[str, Any] | None:
        """What a reference inside the schema names."""
        if not ref.startswith("#"):
            return None
        found: Any = self._root
        for step in ref.removeprefix("#").strip("/").split("/"):
            if step:
                key = step.replace("~1", "/").replace("~0", "~")
                found = object_of(found).get(key)
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None
