"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from dragoman import __version__
from dragoman.cli import configuration, doctor, keys, local, models, providers, serve, usage

app = typer.Typer(
    name="dragoman",
    help="One local endpoint in front of every AI provider that you have.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"dragoman {__version__}")
        raise typer.Exit


@app.callback()
def choose(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version, and end."
        ),
    ] = False,
) -> None:
    """One local endpoint in front of every AI provider that you have."""


app.command("serve")(serve.serve)
app.command("models")(models.list_models)
app.add_typer(providers.app, name="provider")
app.add_typer(keys.app, name="key")
app.add_typer(local.app, name="local")
app.add_typer(configuration.app, name="config")
app.command("usage")(usage.show_usage)
app.command("doctor")(doctor.examine)
