"""Takes over a changed configuration file while the gateway runs.

A file is often written in several steps, or replaced by another one of the same name; so it is the
directory that is watched, and a file that cannot be understood is refused, not feared: the running
configuration stays until there is one that is valid.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

import structlog
from watchfiles import Change, awatch  # pyright: ignore[reportUnknownVariableType]

from dragoman.config.succession import reload
from dragoman.errors import DragomanError
from dragoman.gateway import Gateway

log = structlog.get_logger()

_QUIET_MS = 200  # changes within this time are one
_POLL_MS = 1000


class ConfigWatcher:
    """Watches the file that the gateway was started with, if there is one; `hurry` (SIGHUP) makes
    it look again at once, with or without a file."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._asked = asyncio.Event()

    def hurry(self) -> None:
        """Asks for the configuration to be read again, though nothing seems to have changed."""
        self._asked.set()

    async def run(self) -> None:
        """Runs until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow_requests())
            if (file := self._gateway.settings.file) is not None:
                group.create_task(self._follow_file(file))

    async def take_over(self) -> None:
        """Reads the configuration again and goes by it if it is valid; tells the log and
        `gateway.config` how that went."""
        gateway = self._gateway
        try:
            await gateway.take_over(reload(gateway.settings))
        except DragomanError as error:
            gateway.config.refuse(error.message)
            log.error("configuration refused", reason=error.message)
        else:
            waiting = gateway.config.needs_restart
            log.info("configuration taken over", needs_restart=list(waiting) or None)

    async def _follow_requests(self) -> None:
        while True:
            await self._asked.wait()
            self._asked.clear()
            await self.take_over()

    async def _follow_file(self, file: Path) -> None:
        seen = _look_at(file)
        async for _ in _occasions(file, _folders(file)):
            now = _look_at(file)
            if now != seen:
                seen = now
                await self.take_over()


def _look_at(file: Path) -> tuple[int, int, int] | None:
    """What changes whenever the file does; None while it is not there."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _folders(file: Path) -> set[Path]:
    """Where something happens when the file changes; a link may lead to it."""
    return {file.parent, file.resolve().parent}


async def _occasions(file: Path, folders: set[Path]) -> AsyncGenerator[None]:
    """Times to look at the file: at once where the system tells of changes, else each second, so
    that network drives and changes between two looks are seen too."""

    def concerns(_: Change, path: str) -> bool:
        # Kubernetes exchanges the directory behind `..data`; a database nearby is no concern.
        return os.path.basename(path) in {file.name, "..data"}

    try:
        async for _ in awatch(
            *folders,
            watch_filter=concerns,
            debounce=_QUIET_MS,
            rust_timeout=_POLL_MS,
            yield_on_timeout=True,
            recursive=False,
        ):
            yield
    except OSError as error:
        log.warning("the configuration file is polled", reason=error.strerror)
    while True:
        await asyncio.sleep(_POLL_MS / 1000)
        yield
