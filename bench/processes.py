"""Programs under measurement: started on one core, asked for what they cost, and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

LOAD_CORE = 0
"""Where the load generator and the upstream run."""
GATEWAY_CORE = 1
"""Where the gateway under measurement runs, alone."""


class Program:
    """A process and all of its descendants, pinned to one core; its output goes to `log`."""

    def __init__(
        self, command: Sequence[str], core: int, log: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self.began = time.monotonic()
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environ() | dict(environ or {}),
                cwd=log.parent,
                start_new_session=True,
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self._process.pid, number)
                self._process.wait(10)

    def wait_until_ready(self, url: str, limit_s: float = 90) -> float:
        """Seconds from the start until `url` answers at all, whatever it answers."""
        while not _answers(url):
            if self._process.poll() is not None or time.monotonic() - self.began > limit_s:
                raise RuntimeError(f"{url} does not answer:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.005)
        return time.monotonic() - self.began

    def cpu_s(self) -> float:
        """CPU seconds of the whole tree so far, in user and kernel mode."""
        total = 0.0
        for process in self._tree():
            spent = process.cpu_times()
            total += spent.user + spent.system
            total += spent.children_user + spent.children_system  # of children that have ended
        return total

    def memory(self) -> int:
        """Resident bytes of the whole tree; pages that its processes share count for each."""
        return sum(process.memory_info().rss for process in self._tree())

    def _tree(self) -> list[psutil.Process]:
        root = psutil.Process(self._process.pid)
        return [root, *root.children(recursive=True)]


def clean_environ() -> dict[str, str]:
    """The environment, without what would make a gateway reach out or start slowly: proxies,
    provider keys, a ban on cached bytecode."""
    unwanted = ("_proxy", "_PROXY", "_API_KEY", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.endswith(unwanted)}


def free_port() -> int:
    """A TCP port on the loopback address that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True
