"""`dragoman serve`: runs the gateway until a signal ends it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from dragoman.cli import workplace
from dragoman.cli.options import Config, DataDir

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.gateway import Gateway
    from dragoman.supervisor import Worker


def serve(
    config: Config = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="H", help="The address to listen on; else 127.0.0.1, this machine."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            metavar="PORT",
            min=0,
            max=65535,
            help="The port, else 23333; 0 takes any free one.",
        ),
    ] = None,
    data_dir: DataDir = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=256, help="How many processes to serve with; else 1."),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None,
        typer.Option(metavar="L", help="How much to log: debug, info, warning or error."),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the web page in the browser.")
    ] = False,
    json_banner: Annotated[
        bool, typer.Option("--json-banner", help="Print one line of JSON instead of the banner.")
    ] = False,
) -> None:
    """Run the gateway."""
    from dragoman.observe import set_up_logging

    settings = workplace.load_settings(
        config, data_dir, host=host, port=port, workers=workers, log_level=log_level
    )
    set_up_logging(settings.server.log_level)
    seat = _take_seat(settings)
    if seat is None:
        return
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        announcement = Announcement(json_banner, open_browser, _place(config, data_dir))
        runner.run(_serve(settings, announcement, seat))


@dataclass(frozen=True, slots=True)
class Announcement:
    """How `serve` tells that it listens. `place` are the options that name its configuration and
    data directory, for the commands that the banner suggests."""

    as_json: bool
    in_browser: bool
    place: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """Which of several workers this process is, and the socket that it serves; neither where it is
    the only one."""

    worker: Worker | None = None
    listener: socket.socket | None = None


def _take_seat(settings: Settings) -> Seat | None:
    """Where there are to be several workers, splits this process into them and their supervisor,
    in which it returns None when they have ended."""
    from dragoman import app, runtime
    from dragoman.paths import open_data_directory
    from dragoman.supervisor import supervise

    server = settings.server
    if server.workers == 1:
        return Seat()
    listeners = app.listen_together(server.host, server.port, server.workers)
    worker = supervise(server.workers)
    if worker is None:
        runtime.remove_note(open_data_directory(server.data_dir))
        return None
    return Seat(worker, listeners[worker.number])


def _place(config: Path | None, data_dir: Path | None) -> tuple[str, ...]:
    options = {"--config": config, "--data-dir": data_dir}
    return tuple(word for name, path in options.items() if path for word in (name, str(path)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's where it is installed (it does not exist for Windows), else asyncio's own."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


async def _serve(settings: Settings, announcement: Announcement, seat: Seat) -> None:
    from dragoman import app

    async with asyncio.TaskGroup() as group:

        def announce(gateway: Gateway, url: str) -> None:
            group.create_task(_announce(gateway, url, announcement))

        await app.serve(settings, os.environ, announce, worker=seat.worker, listener=seat.listener)


async def _announce(gateway: Gateway, url: str, how: Announcement) -> None:
    from dragoman.cli import banner

    ready = await banner.read_ready(gateway, url, how.place)
    banner.print_warnings(gateway)
    if how.as_json:
        banner.print_line(ready)
    else:
        banner.print_banner(ready)
    if how.in_browser:
        import webbrowser

        await asyncio.to_thread(webbrowser.open, ready.login_url)
