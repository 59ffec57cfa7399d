"""`dragoman config`: whether the configuration is right, and what it comes to."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir
from dragoman.errors import ConfigError

app = typer.Typer(help="The configuration: checked, or shown.", no_args_is_help=True)


@app.command()
def check(config: Config = None, data_dir: DataDir = None) -> None:
    """Say whether the configuration would be accepted, and every problem in it."""
    from dragoman.config import check as check_configuration

    given = {"config": config, "data_dir": data_dir}
    is_valid, text = check_configuration(given, os.environ, Path.cwd())
    if not is_valid:
        raise ConfigError(text)
    output.say(text)


@app.command()
def show(config: Config = None, data_dir: DataDir = None) -> None:
    """Print the effective configuration, where each value comes from, and no secret."""
    from dragoman.config import render

    print(render(workplace.load_settings(config, data_dir)), end="")
