"""What is wrong with a configuration, in sentences: which key, where, what was expected.

Pydantic finds most of it; its findings are put into the words of the file's author here. A value
is quoted as the file has it, `${NAME}` unread, and never where it may be a secret.
"""

from __future__ import annotations

import difflib
import json
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pydantic
from pydantic_core import ErrorDetails

from dragoman.config.positions import KeyPath
from dragoman.config.settings import Document, ServerSettings

_SECRET_KEYS = frozenset(
    {"api_key", "api_keys", "admin_key", "database_url", "redis_url", "headers", "proxy", "set"}
)

_EXPECTED: Mapping[str, str] = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a table",
    "path_type": "a path",
    "string_type": "a string",
    "tuple_type": "a list",
    "enum": "one of {expected}",
    "literal_error": "one of {expected}",
    "finite_number": "a finite number",
    "greater_than": "greater than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than_equal": "{le:g} or less",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
    "too_short": "a list that is not empty",
    "string_pattern_mismatch": (
        "made of lower-case letters, digits, dots, dashes and underscores,"
        " and start with a letter or a digit"
    ),
}
"""Pydantic's error types, as the end of "... must be"."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to put right. `line` is 0 where it does not stand in the file."""

    line: int
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the values under validation came from, and what the file really says.

    `lines` are those of the file; `overrides` the places outside it, for the values that they
    gave; `written` is the document before `${NAME}` was read, and `unread` where that failed,
    which makes anything else that could be said of the value pointless.
    """

    file: str
    lines: Mapping[KeyPath, int]
    overrides: Mapping[KeyPath, str]
    written: Mapping[str, object]
    unread: frozenset[KeyPath] = frozenset()

    def problem(self, path: KeyPath, text: str) -> Problem:
        """A problem with the value at `path`."""
        return Problem(self.line(path), self.place(path), text)

    def line(self, path: KeyPath) -> int:
        """The line of `path`, or of the nearest table around it; 0 for what is not in the file."""
        if path in self.overrides:
            return 0
        prefixes = (path[:length] for length in range(len(path), 0, -1))
        return next((self.lines[prefix] for prefix in prefixes if prefix in self.lines), 0)

    def place(self, path: KeyPath) -> str:
        """Where to look for the value at `path`."""
        if path in self.overrides:
            return self.overrides[path]
        line = self.line(path)
        return f"{self.file}, line {line}" if line else self.file

    def label(self, path: KeyPath) -> str:
        """How to name the value at `path` to a person: the key, and whose it is.

        Entries of a list of tables are named by their id, since nobody counts tables. A value
        from outside the file is named by its place alone.
        """
        if path in self.overrides:
            return "the value"
        match path:
            case ("providers" | "local", *_):
                return self._label_of_entry(path)
            case (section, str() as key, *rest):
                return f"{_quote(_dotted([key, *rest]))} in [{section}]"
            case _:
                return _quote(_dotted(path))

    def _label_of_entry(self, path: KeyPath) -> str:
        at = next((n for n, part in enumerate(path) if isinstance(part, int)), None)
        if at is None:
            section = f" in [{path[0]}]" if path[1:] else ""
            return _quote(_dotted(path[1:] or path)) + section
        kind = "provider" if path[0] == "providers" else "local model"
        name = value_at(self.written, (*path[: at + 1], "id"))
        number = typing.cast("int", path[at]) + 1
        entry = f"{kind} {_quote(name)}" if isinstance(name, str) else f"{kind} number {number}"
        return f"{_quote(_dotted(path[at + 1 :]))} of {entry}" if path[at + 1 :] else entry


def explain(errors: Iterable[ErrorDetails], data: object, sources: Sources) -> Iterator[Problem]:
    """The problems behind pydantic's `errors` about `data`, the document after `${NAME}`."""
    for error in errors:
        path = _real_path(error, data)
        is_alternative = error["loc"][len(path) :] not in {(), ("[key]",)}
        if is_alternative and error["type"] == "string_type":
            continue  # told by the other alternative: the table that was meant, or "must be ..."
        if path in sources.unread:
            continue
        yield sources.problem(path, _sentence(error, path, is_alternative, sources))


def _real_path(error: ErrorDetails, data: object) -> KeyPath:
    """The key path of an error.

    Pydantic's locations also hold steps that are not in the document: the form of a value that
    was tried (`models[0]` as a string and as a table), and `[key]` where the key itself is wrong.
    """
    path: KeyPath = ()
    *_, last = error["loc"]
    for step in error["loc"]:
        if _has(value_at(data, path), step) or (step == last and error["type"] == "missing"):
            path = (*path, step)
    return path


def _sentence(error: ErrorDetails, path: KeyPath, is_alternative: bool, sources: Sources) -> str:
    kind = error["type"]
    label, instead = sources.label(path), _instead(error, path, sources)
    if error["loc"][-1] == "[key]":
        label, instead = f"the key {label}", ""
    if kind == "missing":
        return f"{label} is missing; it has no default."
    if kind == "extra_forbidden":
        return _unknown_key(path, label)
    if path == ("providers",):
        return "providers must be written as a list of tables, each headed [[providers]]."
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map(error.get("ctx", {})).replace("'", '"')
        if is_alternative and kind == "model_type":
            expected = "a string or a table"
        return f"{label} must be {expected}{instead}."
    if error["msg"].startswith("must "):  # settings' own
        return f"{label} {error['msg']}{instead}."
    return f"{label}: {error['msg']}."


def _instead(error: ErrorDetails, path: KeyPath, sources: Sources) -> str:
    """What stands there instead, if that can be said in a word and without a secret."""
    if not _SECRET_KEYS.isdisjoint(path):
        return ""
    value = error["input"]
    if path not in sources.overrides:
        written = value_at(sources.written, path)
        value = written if isinstance(written, str) else value
    match value:
        case bool():
            return f", not {str(value).lower()}"
        case str():
            return f", not {_quote(value)}"
        case int() | float():
            return f", not {value}"
        case {}:
            return ", not a table"
        case [_, *_]:
            return ", not a list"
        case _:
            return ""


def _unknown_key(path: KeyPath, label: str) -> str:
    model = model_at(path[:-1])
    known = list(model.model_fields) if model else []
    key = str(path[-1])
    if near := difflib.get_close_matches(key, known, n=1):
        return f"unknown key {label}; did you mean {_quote(near[0])}?"
    if len(path) == 1 and (near := difflib.get_close_matches(key, ServerSettings.model_fields, 1)):
        return f"unknown key {label}; did you mean {_quote(near[0])} under [server]?"
    return f"unknown key {label}; the keys known here are {', '.join(known)}."


def model_at(path: KeyPath) -> type[pydantic.BaseModel] | None:
    """The model that describes the table at `path` of a document."""
    model: type[pydantic.BaseModel] | None = Document
    for at, step in enumerate(path):
        is_name = path[:at] == ("aliases",)  # a word of the owner's, no field
        if isinstance(step, str) and model is not None and not is_name:
            model = _model_in(model.model_fields[step].annotation)
    return model


def _model_in(annotation: object) -> type[pydantic.BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return annotation
    return next(filter(None, map(_model_in, typing.get_args(annotation))), None)


def value_at(data: object, path: Sequence[str | int]) -> object:
    """The value at `path`, None where there is none."""
    for step in path:
        if not _has(data, step):
            return None
        data = typing.cast("dict[str | int, object]", data)[step]
    return data


def _has(data: object, step: str | int) -> bool:
    if isinstance(data, dict):
        return step in data
    return (
        isinstance(data, list)
        and isinstance(step, int)
        and step < len(typing.cast("list[object]", data))
    )


def _dotted(path: Sequence[str | int]) -> str:
    """A key path as one would write it, list elements counted from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
