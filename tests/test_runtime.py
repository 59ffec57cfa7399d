"""runtime: the note of a running gateway, and what commands do with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from running_gateway import run_gateway

from dragoman import runtime
from dragoman.paths import DataDirectory, open_data_directory
from dragoman.secrets import SecretBox
from dragoman.upstream import open_transport


@pytest.fixture
def directory(tmp_path: Path) -> DataDirectory:
    return open_data_directory(tmp_path / "data")


def test_a_note_is_private_and_read_back(directory: DataDirectory) -> None:
    runtime.write_note(directory, "http://127.0.0.1:1")
    assert runtime.read_note(directory) == runtime.Note(os.getpid(), "http://127.0.0.1:1")
    assert stat.S_IMODE(directory.runtime.stat().st_mode) == 0o600
    runtime.remove_note(directory)
    assert runtime.read_note(directory) is None


def test_the_note_of_another_process_stays(directory: DataDirectory) -> None:
    directory.runtime.write_text('{"pid": 1, "url": "http://127.0.0.1:1"}')
    runtime.remove_note(directory)
    assert runtime.read_note(directory) == runtime.Note(1, "http://127.0.0.1:1")


@pytest.mark.parametrize("text", ["", "{", '{"pid": "x"}', "[]"])
def test_a_damaged_note_is_no_note(text: str, directory: DataDirectory) -> None:
    directory.runtime.write_text(text)
    assert runtime.read_note(directory) is None


async def test_a_command_is_admitted_by_the_secret_key(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running:
        directory, box = running.gateway.directory, running.gateway.box
        transport = running.gateway.transport
        answer = await runtime.ask_running(directory, box, transport, "POST", "/admin/reload")
        assert answer == {"revision": running.gateway.revision}
        stranger = SecretBox(b"x" * 32, "a test")
        assert (
            await runtime.ask_running(directory, stranger, transport, "POST", "/admin/reload")
            is None
        )


async def test_nobody_runs(directory: DataDirectory) -> None:
    box = SecretBox.open(directory)
    transport = open_transport()
    try:
        assert await runtime.ask_running(directory, box, transport, "GET", "/admin/status") is None
        runtime.write_note(directory, "http://127.0.0.1:9")  # of a gateway that crashed
        assert await runtime.ask_running(directory, box, transport, "GET", "/admin/status") is None
    finally:
        await transport.aclose()
