"""The note that a running gateway leaves in its data directory, and how commands use it.

A command changes the database itself and then tells the running gateway, so that the change
holds by the time the command ends. Without a note, or when nobody answers, there is nobody to
tell; other gateways on the same database see the change by polling.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from dragoman.errors import DragomanError
from dragoman.paths import DataDirectory
from dragoman.providers.provider import Timeouts
from dragoman.secrets import SecretBox
from dragoman.upstream.seam import Request, Transport

COMMAND_PURPOSE = "command"
"""The purpose of the tokens by which commands of the same data directory are admitted."""

_TIMEOUTS = Timeouts(connect_s=1, first_byte_s=10, idle_s=10)
_TOKEN_LIFE_S = 60.0


@dataclass(frozen=True, slots=True)
class Note:
    """Who runs: its process id (of several workers their supervisor's) and its base URL."""

    pid: int
    url: str


def write_note(directory: DataDirectory, url: str, pid: int | None = None) -> None:
    """Notes that this process, or `pid` on behalf of it, serves the data directory at `url`;
    readable by its owner alone."""
    temporary = directory.runtime.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(Note(pid or os.getpid(), url)))
    temporary.replace(directory.runtime)


def remove_note(directory: DataDirectory) -> None:
    """Takes this process's note back; another's stays."""
    note = read_note(directory)
    if note is not None and note.pid == os.getpid():
        with suppress(OSError):  # a stale note is harmless
            directory.runtime.unlink(missing_ok=True)


def read_note(directory: DataDirectory) -> Note | None:
    """The note of a gateway that runs or has crashed, None where there is none."""
    try:
        return msgspec.json.decode(directory.runtime.read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError):
        return None


async def ask_running(
    directory: DataDirectory, box: SecretBox, transport: Transport, method: str, path: str
) -> Any:
    """What the running gateway of this data directory answers, decoded; None where none runs."""
    note = read_note(directory)
    if note is None:
        return None
    token = box.mint(COMMAND_PURPOSE, _TOKEN_LIFE_S)
    request = Request(
        method, note.url + path, [(b"authorization", b"Bearer " + token.encode())], b"", _TIMEOUTS
    )
    try:
        response = await transport.send(request)
        body = await response.read()
        await response.aclose()
        return msgspec.json.decode(body) if response.status == 200 else None
    except (DragomanError, msgspec.DecodeError):
        return None
