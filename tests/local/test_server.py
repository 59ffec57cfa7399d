"""The child process by itself; `test_protocols` has what it answers with the real model."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import aiohttp
import pytest
from local.children import MakeModel

from dragoman.local.server import MAX_THREADS, Settings, count_threads

Child = asyncio.subprocess.Process


async def _spawn() -> Child:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "dragoman.local.server", "m"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _settings(path: Path) -> bytes:
    return json.dumps(asdict(Settings(str(path), "m", "key", 512, "last", None))).encode() + b"\n"


async def test_a_parent_that_says_nothing_is_given_up(engine: None) -> None:
    child = await _spawn()
    output, errors = await child.communicate(b'{"path":')
    assert child.returncode == 1
    assert output == b""
    assert b"parent went away" in errors


async def test_it_serves_until_its_input_ends(engine: None, make_model: MakeModel) -> None:
    child = await _spawn()
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(_settings(make_model().path))
    url = (await child.stdout.readline()).decode().strip()
    child.send_signal(signal.SIGINT)  # as Ctrl-C in the gateway's terminal does
    async with aiohttp.ClientSession() as session, session.get(f"{url}/health") as response:
        assert response.status == 200
    child.stdin.close()
    assert await child.wait() == 0


async def test_a_model_that_does_not_load_ends_it(engine: None, make_model: MakeModel) -> None:
    child = await _spawn()
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdin.write(_settings(make_model(error="no magic").path))
    assert await child.stdout.read() == b""
    assert b"load: no magic" in await child.stderr.read()
    assert await child.wait() == 1
    child.stdin.close()


@pytest.mark.parametrize(("cores", "threads"), [(None, 1), (1, 1), (2, 1), (4, 3), (64, 4)])
def test_it_leaves_a_core_to_the_gateway(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, threads: int
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert count_threads() == threads


def test_it_counts_the_cores_that_it_may_use() -> None:
    assert 1 <= count_threads() <= MAX_THREADS
