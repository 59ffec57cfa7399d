"""`dragoman doctor`: says what is wrong with this installation, and what to do."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from dragoman.cli.checks import Finding

_STYLES = {"ok": "green", "warning": "yellow", "broken": "bold red", "skipped": "dim"}


def examine(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Check configuration, files, database, port, providers and clock, and say what to do."""
    from dragoman.cli.checks import State, check_all

    findings = asyncio.run(check_all(partial(workplace.load_settings, config, data_dir)))
    if json:
        output.print_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    if any(finding.state is State.BROKEN for finding in findings):
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    """A line for each finding, and below it what to do; wrapped on a terminal."""
    if not sys.stdout.isatty():
        rows = [[each.state, each.subject, each.message, each.remedy] for each in findings]
        output.print_table(["STATE", "SUBJECT", "MESSAGE", "REMEDY"], rows)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", max_width=24)
    table.add_column(overflow="fold")
    for finding in findings:
        text = Text(output.printable(finding.message))
        if finding.remedy:
            text.append(f"\n{output.printable(finding.remedy)}", style="italic")
        table.add_row(Text(finding.state, style=_STYLES[finding.state]), finding.subject, text)
    Console(markup=False, emoji=False, highlight=False).print(table)
