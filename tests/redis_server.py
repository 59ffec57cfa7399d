"""A Redis or Valkey server of the tests' own, on a free port, with nothing on disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")


def require_redis() -> None:
    """Skips the test where no server is installed; in CI one must be."""
    if PROGRAM is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs redis-server (apt-get install redis-server)")
        pytest.skip("neither valkey-server nor redis-server is installed")


@contextmanager
def run_redis(port: int = 0) -> Iterator[str]:
    """The URL of a server that runs until the block ends."""
    require_redis()
    port = port or _free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PROGRAM), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        server = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            _wait_until_open(port, server)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()
            server.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _wait_until_open(port: int, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            assert server.poll() is None, "the server ended"
            time.sleep(0.02)
        else:
            return
