"""What commands print: sentences, tables for people, tab-separated lines for pipes, JSON.

Text that comes from a provider is printed without control characters, which could otherwise
rewrite what a terminal shows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime


def say(text: str) -> None:
    """Prints a sentence or several lines."""
    print(printable(text))


def warn(text: str) -> None:
    """Prints a warning on standard error."""
    print(f"warning: {printable(text)}", file=sys.stderr)


def print_json(value: object) -> None:
    """Prints `value` as indented JSON, in plain ASCII where the output cannot carry more."""
    is_unicode = sys.stdout.encoding.lower().replace("-", "") == "utf8"
    print(json.dumps(value, indent=2, ensure_ascii=not is_unicode))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table on a terminal, where the last column alone may take several lines; elsewhere
    the cells alone, separated by tabs."""
    cleaned = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cleaned:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True)
    table.add_column(columns[-1], overflow="fold")
    for row in cleaned:
        table.add_row(*row)
    Console(markup=False, emoji=False, highlight=False).print(table)


def printable(text: str) -> str:
    """`text` with a replacement character for each control character but line feeds."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def count(number: int, noun: str) -> str:
    """`1 model`, `2 models`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def iso_time(milliseconds: int | None) -> str | None:
    """A Unix time in milliseconds as ISO 8601 in UTC, to the second."""
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC).isoformat().replace("+00:00", "Z")
