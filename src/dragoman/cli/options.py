"""The options that several commands share, with the same names and the same words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="The configuration file; else dragoman.toml here, else in the data directory.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="The directory that holds Dragoman's data."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ProviderId = Annotated[str, typer.Argument(metavar="ID", help="The provider's id.")]
KeyReference = Annotated[str, typer.Argument(metavar="KEY", help="The key's id or its name.")]


def split_list(text: str | None) -> list[str] | None:
    """The items of `a, b`; None where nothing was given."""
    if text is None:
        return None
    return [item for item in map(str.strip, text.split(",")) if item]
