"""Watching child processes, for the tests of the local models."""

import asyncio
from collections.abc import Callable

import psutil

from dragoman.local.models import LocalModelFile
from dragoman.local.process import LocalModels

MakeModel = Callable[..., LocalModelFile]
MakeModels = Callable[..., LocalModels]


async def wait_until(condition: Callable[[], bool]) -> None:
    """Returns once `condition` holds; fails after a generous while."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether the process lives; one that merely waits to be reaped by init does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def wait_until_gone(pid: int) -> None:
    await wait_until(lambda: not is_running(pid))
