"""Google's two spellings of a member's name, and names that stand for places inside objects.

Like every API built on protocol buffers, Gemini takes `systemInstruction` and
`system_instruction` alike. Requests are brought to the first before they are read, except inside
what is the caller's own: arguments, results, labels, and schemas, whose property names are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

from dragoman.wire.fields import Fields, as_fields

_UNDERSCORE = re.compile(r"(?<=[a-z0-9])_([a-z0-9])")
_OWN = frozenset(
    {
        "args",
        "headers",
        "labels",
        "parameters",
        "parametersJsonSchema",
        "partMetadata",
        "response",
        "responseJsonSchema",
        "responseSchema",
        "schema",
    }
)


def camel(name: str) -> str:
    """`max_output_tokens` as `maxOutputTokens`; a name in camelCase stays."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def camel_names(value: Any) -> Any:
    """A JSON value with the names of its members in camelCase, but for what is the caller's own."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        spelled = ((camel(name), member) for name, member in members.items())
        return {name: member if name in _OWN else camel_names(member) for name, member in spelled}
    if isinstance(value, list):
        return [camel_names(item) for item in cast("list[Any]", value)]
    return value


def each(fields: Fields, name: str, *, required: bool = False) -> Iterator[Fields]:
    """The objects of an array, or the one object that stands for an array of one."""
    value = fields.take(name)
    place = fields.place(name)
    if isinstance(value, dict):
        yield as_fields(value, place)
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[Any]", value)):
            yield as_fields(item, f"{place}.{index}")
    elif value is not None or required:
        raise fields.wrong(name, "an array")


def inside(name: str, members: dict[str, Any]) -> dict[str, Any]:
    """`members` of the object `name`, under names that say so: `generationConfig.seed`."""
    return {f"{name}.{member}": value for member, value in members.items()}


def graft(body: dict[str, Any], members: dict[str, Any]) -> None:
    """Puts `members`, whose names may be those that `inside` makes, where they belong."""
    for name, value in members.items():
        holder = body
        *path, last = name.split(".")
        for step in path:
            found = holder.setdefault(step, {})
            if not isinstance(found, dict):
                break
            holder = cast("dict[str, Any]", found)
        else:
            holder[last] = value
