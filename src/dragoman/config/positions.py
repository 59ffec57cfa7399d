"""Where each key of a TOML document stands, since `tomllib` tells what it says but not where.

TOML has four ways to place a value, and all of them come down to one key path:

    [a.b]            the following keys belong to a.b
    [[a]]            they belong to a new last element of the list a; a later [a.b] means the
                     table b of that last element
    a.b.c = 1        a dotted key goes further down from the current table
    a = {b = [1]}    so do inline tables, and lists by index

The scanner reads only text that `tomllib` has accepted, so it follows the structure and checks
nothing. All that it needs to know of a value is where it ends.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right

KeyPath = tuple[str | int, ...]
"""The way to a value from the top of a document: `("providers", 0, "timeout", "connect_s")`."""

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # up to two quotes may stand before the closing three
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_DOT = re.compile(r"[ \t]*\.[ \t]*")
_SCALAR = re.compile(r"[^,\]}#\n]+")  # numbers, booleans and times, which may hold a space


def locate(text: str) -> dict[KeyPath, int]:
    """The line, counted from 1, of every table, key and list element of a valid TOML document.

    A table that several headers add to has the line that names it first.
    """
    return _Scanner(text).scan()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self._lists: dict[KeyPath, int] = {}  # lists made by [[...]], with their length so far
        self._lines: dict[KeyPath, int] = {}

    def scan(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        self._skip_blank()
        while self._at < len(self._text):
            table = self._header() if self._next_is("[") else self._assignment(table)
            self._skip_blank()
        return self._lines

    def _header(self) -> KeyPath:
        line = self._line()
        is_element = self._text.startswith("[[", self._at)
        self._at += 2 if is_element else 1
        self._skip_blank()
        path: KeyPath = ()
        for part in self._key():
            if path in self._lists:
                path = (*path, self._lists[path] - 1)
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._skip_blank()
        self._at += 2 if is_element else 1
        if is_element:
            self._lists[path] = self._lists.get(path, 0) + 1
        if path in self._lists:
            path = (*path, self._lists[path] - 1)
            self._lines.setdefault(path, line)
        return path

    def _assignment(self, table: KeyPath) -> KeyPath:
        """Reads `key = value` and returns `table`, where the next assignment belongs too."""
        line = self._line()
        path = table
        for part in self._key():
            path = (*path, part)
            self._lines.setdefault(path, line)
        self._skip_blank()
        self._at += len("=")
        self._skip_blank()
        self._value(path)
        return table

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            if quoted := _STRING.match(self._text, self._at):
                parts.append(tomllib.loads(f"key = {quoted[0]}")["key"])
                self._at = quoted.end()
            else:
                parts.append(self._take(_BARE_KEY))
            if not self._take(_DOT):
                return parts

    def _value(self, path: KeyPath) -> None:
        if self._next_is("["):
            self._list(path)
        elif self._next_is("{"):
            self._inline_table(path)
        elif not self._take(_STRING):
            self._take(_SCALAR)

    def _list(self, path: KeyPath) -> None:
        index = 0
        self._separator()
        while not self._next_is("]"):
            self._lines[*path, index] = self._line()
            self._value((*path, index))
            self._separator()
            index += 1
        self._at += len("]")

    def _inline_table(self, path: KeyPath) -> None:
        self._separator()
        while not self._next_is("}"):
            self._assignment(path)
            self._separator()
        self._at += len("}")

    def _separator(self) -> None:
        """Passes over the opening bracket or the comma at hand, and the blanks around it."""
        self._skip_blank()
        if self._text[self._at] in "[{,":
            self._at += 1
        self._skip_blank()

    def _next_is(self, character: str) -> bool:
        return self._text.startswith(character, self._at)

    def _skip_blank(self) -> None:
        self._take(_BLANK)

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _line(self) -> int:
        return bisect_right(self._newlines, self._at) + 1
