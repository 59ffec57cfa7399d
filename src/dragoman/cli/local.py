"""`dragoman local`: the embedded model's file."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.local.models import LocalModelFile

app = typer.Typer(help="The embedded model: its file.", no_args_is_help=True)

_MEGABYTE = 1_000_000


@app.command()
def pull(config: Config = None, data_dir: DataDir = None) -> None:
    """Bring the embedded model into the data directory."""
    asyncio.run(_pull(workplace.load_settings(config, data_dir)))


@app.command("list")
def list_files(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List the local models of this machine and where their files lie."""
    files = describe_files(workplace.load_settings(config, data_dir))
    if json:
        output.print_json(files)
        return
    output.print_table(
        ["MODEL", "SIZE", "FROM", "FILE"],
        [[file["id"], _size(file["bytes"]), file["source"], file["path"]] for file in files],
    )


@app.command()
def remove(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's id.")] = "smollm2-135m",
    config: Config = None,
    data_dir: DataDir = None,
) -> None:
    """Delete a pulled model."""
    asyncio.run(_remove(workplace.load_settings(config, data_dir), model))


def describe_files(settings: Settings) -> list[dict[str, Any]]:
    """Every model file as JSON: pulled ones, those of a package, those of the configuration."""
    from dragoman.local.pull import list_models

    found: list[dict[str, Any]] = [
        {
            "id": held.model.id,
            "bytes": held.size,
            "source": "pulled" if held.removable else "package",
            "path": str(held.model.path),
        }
        for held in list_models(settings.server.data_dir)
    ]
    for listed in settings.local.models:
        size = listed.path.stat().st_size if listed.path.is_file() else None
        found.append({"id": listed.id, "bytes": size, "source": "file", "path": str(listed.path)})
    return found


def _size(size: int | None) -> str:
    return "missing" if size is None else f"{size / _MEGABYTE:.0f} MB"


async def _pull(settings: Settings) -> None:
    from dragoman.local.models import INSTALL_HINT, has_engine

    directory, box = workplace.open_place(settings)
    model = await _pull_visibly(settings)
    await workplace.tell_running(directory, box)
    output.say(f"The model {model.id} is at {model.path}.")
    if not has_engine():
        output.warn(f"The engine that runs it is missing. {INSTALL_HINT}")
    elif not settings.local.enabled:
        output.warn(f"{settings.file} has no [local] table, so the model is not offered: add one.")


async def _pull_visibly(settings: Settings) -> LocalModelFile:
    """Pulls, with a progress bar where somebody watches."""
    from dragoman.local.pull import pull as fetch

    if not sys.stderr.isatty():
        return await fetch(settings.server.data_dir)
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        # pip and uv do not tell how far they are: the bar is lively until the file is unpacked.
        task = progress.add_task("Downloading", total=None)

        def show(written: int, size: int) -> None:
            progress.update(task, description="Unpacking", completed=written, total=size)

        return await fetch(settings.server.data_dir, show)


async def _remove(settings: Settings, model_id: str) -> None:
    from dragoman.local.pull import remove as delete

    directory, box = workplace.open_place(settings)
    path = delete(settings.server.data_dir, model_id)
    await workplace.tell_running(directory, box)
    output.say(f"Removed {path}.")
