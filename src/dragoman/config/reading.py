"""From the bytes of a configuration file to its values, `${NAME}` replaced."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from dragoman.config.positions import KeyPath, locate
from dragoman.errors import ConfigError

_REFERENCE = re.compile(r"\$(?P<escape>\$)?\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)\})?")
_PLACE_IN_MESSAGE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)$")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration file as it was read: its values, and the line of each."""

    path: Path
    values: dict[str, object]
    lines: Mapping[KeyPath, int]


def read_file(path: Path) -> ConfigFile:
    """Reads a TOML file; raises `ConfigError` when it cannot be read or is not TOML."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read: {error.strerror}."
        ) from error
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path.name}, line {line}: not UTF-8; save the file as UTF-8.") from None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name}, {_syntax_error(str(error), text)}") from None
    return ConfigFile(path, values, locate(text))


def _syntax_error(message: str, text: str) -> str:
    """Python's "Expected ... (at line 3, column 5)", the place first."""
    place = _PLACE_IN_MESSAGE.search(message)
    if place is None:
        return f"not valid TOML: {message}."
    line, column = place.groups()
    if line is None:
        last = text.rstrip("\n").rpartition("\n")[2]
        line, column = text.rstrip("\n").count("\n") + 1, len(last) + 1
    what = message[: place.start()]
    return f"line {line}, column {column}: not valid TOML: {what[:1].lower()}{what[1:]}."


class Expansion:
    """Replaces `${NAME}` in every string of a document; `$${` stands for `${` itself.

    What cannot be replaced is left as it is and told in `failures`: by key path, the sentence
    that goes on after the key's name.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.failures: dict[KeyPath, str] = {}

    def expand(self, value: object, path: KeyPath = ()) -> object:
        """`value` with its references replaced, `path` being its place in the document."""
        match value:
            case str():
                return self._expand_text(value, path)
            case dict():
                table = cast("dict[str, object]", value)
                return {key: self.expand(item, (*path, key)) for key, item in table.items()}
            case list():
                items = cast("list[object]", value)
                return [self.expand(item, (*path, n)) for n, item in enumerate(items)]
            case _:
                return value

    def _expand_text(self, text: str, path: KeyPath) -> str:
        if "${" not in text:
            return text
        if failures := list(self._unreadable(text)):
            self.failures[path] = failures[0]
        return _REFERENCE.sub(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        if found["escape"]:
            return found[0][1:]
        return self._environ.get(found["name"] or "", found[0])

    def _unreadable(self, text: str) -> Iterator[str]:
        for found in _REFERENCE.finditer(text):
            if found["escape"]:
                continue
            if found["name"] is None:
                yield "has a ${ that no NAME and } follow; write $${ where ${ itself is meant."
            elif found["name"] not in self._environ:
                name = found["name"]
                yield f"reads ${{{name}}}, but {name} is not set; set it in the environment."
