"""Several workers under one supervisor: started in order, replaced, ended together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from cli.processes import SOURCE, Home, Served

from dragoman import supervisor
from dragoman.errors import ConfigError
from dragoman.supervisor import open_sockets

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def wait_until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "waited for a minute"
        time.sleep(0.02)


def workers_of(served: Served) -> list[psutil.Process]:
    return psutil.Process(served.process.pid).children()


@contextmanager
def serve_three(folder: Path) -> Iterator[Served]:
    (folder / "dragoman.toml").touch()
    with Home(folder).serve("--workers", "3", "--log-level", "error") as served:
        wait_until(lambda: len(workers_of(served)) == 3)
        yield served


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve_three(tmp_path_factory.mktemp("home")) as served:
        yield served


def answers(served: Served) -> bool:
    """Whether each of many new connections is served, whichever worker they come to."""
    return all(served.status_of("/v1/models", served.key) == 200 for _ in range(20))


def test_a_worker_that_dies_is_replaced(three: Served) -> None:
    victim, *others = workers_of(three)
    victim.kill()
    wait_until(lambda: not victim.is_running() and len(workers_of(three)) == 3)
    assert set(others) < set(workers_of(three))
    assert answers(three)


def test_a_revoked_key_stops_in_every_worker(three: Served) -> None:
    home = Home(Path(psutil.Process(three.process.pid).cwd()))
    made = home.run("key", "create", "--name", "laptop", "--json").json
    wait_until(lambda: all(three.status_of("/v1/models", made["key"]) == 200 for _ in range(20)))
    home.run("key", "revoke", "laptop")
    revoked = time.monotonic()
    wait_until(lambda: all(three.status_of("/v1/models", made["key"]) == 401 for _ in range(20)))
    assert time.monotonic() - revoked < 30  # a second, on a machine that has nothing else to do


def test_one_signal_ends_all_of_them(tmp_path: Path) -> None:
    with serve_three(tmp_path) as served:
        workers = workers_of(served)
        served.process.send_signal(signal.SIGTERM)
        out, err = served.process.communicate(timeout=60)
        assert served.process.returncode == 0
        assert (out, err) == ("", ""), "one banner, no complaints"
        assert not any(worker.is_running() for worker in workers)


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with serve_three(tmp_path) as served:
        workers = workers_of(served)
        served.process.kill()
        served.process.wait()
        wait_until(lambda: not any(worker.is_running() for worker in workers))


def test_a_configuration_that_cannot_work_ends_all(tmp_path: Path) -> None:
    home = Home(tmp_path)
    url = "postgresql://nobody@127.0.0.1:9/none"
    outcome = home.run("serve", "-p", "0", "--workers", "3", DRAGOMAN_DATABASE_URL=url)
    assert outcome.status == 1
    assert outcome.err.count("error: ") == 1


def test_a_taken_port_is_seen_though_sockets_could_share_it(three: Served, tmp_path: Path) -> None:
    port = three.url.rpartition(":")[2]
    home = Home(tmp_path / "other")
    home.folder.mkdir()
    outcome = home.run("serve", "-p", port, "--workers", "2")
    assert outcome.status == 1
    assert f"Port {port} is taken" in outcome.err


PROGRAM = """
import os, signal, sys, time
from dragoman.supervisor import supervise

def say(text):
    os.write(1, text.encode() + b"\\n")  # whole lines, though both write

worker = supervise(2)
if worker is None:
    say("ended")
else:
    say(f"{worker.number} {worker.is_first} {os.getppid() == worker.supervisor}")
    worker.tell_ready()
    signal.signal(signal.SIGUSR1, lambda *_: say(f"told {worker.number}"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if worker.number == 1:
        time.sleep(0.5)
        worker.tell_change()
    time.sleep(60)
"""


def test_the_first_worker_comes_first_and_a_change_is_told_to_all() -> None:
    command = [sys.executable, "-c", PROGRAM]
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    assert lines[:2] == ["0 True True\n", "1 False True\n"]
    assert set(lines[2:]) == {"told 0\n", "told 1\n"}
    assert rest == "ended\n"
    assert process.returncode == 0


def test_without_fork_there_is_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ConfigError, match="leave `workers` at 1"):
        supervisor.supervise(2)


def test_every_worker_has_a_socket_of_the_same_port() -> None:
    first, second = open_sockets("127.0.0.1", 0, 1) + open_sockets("127.0.0.1", 0, 1)
    with first, second:
        (shared,) = open_sockets("127.0.0.1", first.getsockname()[1], 1)
        with shared:
            assert shared.getsockname() == first.getsockname() != second.getsockname()
