"""Several processes that serve one port: a supervisor, and workers that are forked off it.

The supervisor imports and reads everything once and then only waits; its workers share that memory.
It starts the first worker alone, since that one may have to make the database, and the others when
the first is ready. A worker that dies is replaced. Signals go to the supervisor, which passes them
on; a change that one worker makes known (`SIGUSR1`) is passed on to all. Workers end when they
see the supervisor gone, by a pipe whose other end only it holds.

On Linux every worker has a socket of its own for the same port (`SO_REUSEPORT`), and the kernel
spreads connections evenly. The supervisor holds all of them, so that none is lost with a worker.
Elsewhere they share one socket.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

from dragoman.errors import ConfigError

_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
_ENDING = ("SIGINT", "SIGTERM")
_SHORT_LIFE_S = 5.0
_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Worker:
    """What a worker knows of itself. `supervisor` is a process id, and `lifeline` a descriptor
    that can be read once that one is gone; `tell_ready` is to be called when the worker serves;
    `is_first` is true of the very first, and of none that replaces it."""

    number: int
    is_first: bool
    supervisor: int
    lifeline: int
    tell_ready: Callable[[], None]

    def tell_change(self) -> None:
        """Makes every worker look at the database."""
        os.kill(self.supervisor, signal.SIGUSR1)


def supervise(count: int) -> Worker | None:
    """Splits this process into a supervisor and `count` workers.

    Returns in each worker; in the supervisor it returns None when all of them have ended on a
    signal. To be called where no thread and no event loop runs. Raises ConfigError where a first
    worker did not come up: it has told why; and where the system cannot fork.
    """
    if not hasattr(os, "fork"):
        raise ConfigError("This system runs one gateway process only: leave `workers` at 1.")
    return _Supervisor(count).run()


class _Supervisor:
    def __init__(self, count: int) -> None:
        self._count = count
        self._numbers: dict[int, int] = {}
        self._born: dict[int, float] = {}
        self._ending = False
        self._pid = os.getpid()
        self._lifeline, self._life = os.pipe()

    def run(self) -> Worker | None:
        for name in _PASSED_ON:
            signal.signal(getattr(signal, name), self._pass_on)
        ready, tell = os.pipe()
        if (worker := self._fork(0, tell)) is not None:
            os.close(ready)
            return worker
        os.close(tell)
        came_up = os.read(ready, 1) != b""  # nothing but an end when the worker has died
        os.close(ready)
        if not came_up:
            return self._give_up()
        for number in range(1, self._count):
            if self._ending:
                break
            if (worker := self._fork(number)) is not None:
                return worker
        return self._replace_the_dead()

    def _give_up(self) -> None:
        (pid,) = self._numbers
        _, status = os.waitpid(pid, 0)
        if not self._ending:
            raise SystemExit(os.waitstatus_to_exitcode(status) or 1)

    def _replace_the_dead(self) -> Worker | None:
        while self._numbers:
            pid, _ = os.wait()
            number = self._numbers.pop(pid, None)
            lived = time.monotonic() - self._born.pop(pid, 0.0)
            if number is None or self._ending:
                continue
            if lived < _SHORT_LIFE_S:
                time.sleep(_PAUSE_S)  # what fails at once would keep the machine busy
            if not self._ending and (worker := self._fork(number)) is not None:
                return worker
        return None

    def _fork(self, number: int, tell: int | None = None) -> Worker | None:
        """The worker in the worker, None in the supervisor.

        No signal may come before both know who they are.
        """
        numbers = {getattr(signal, name) for name in _PASSED_ON}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        pid = os.fork()
        if pid:
            self._numbers[pid] = number
            self._born[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return None
        for each in numbers:
            is_order = each.name in _ENDING
            signal.signal(each, signal.SIG_DFL if is_order else signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.setpgid(0, 0)  # else the terminal's Ctrl+C would come twice, and twice means at once
        os.close(self._life)

        def tell_ready() -> None:
            if tell is not None:
                os.write(tell, b"!")
                os.close(tell)

        return Worker(number, tell is not None, self._pid, self._lifeline, tell_ready)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        name = signal.Signals(number).name
        if name in _ENDING:
            self._ending = True
            number = signal.SIGTERM
        for pid in list(self._numbers):
            with suppress(ProcessLookupError):  # it has just been waited for
                os.kill(pid, number)


def open_sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each of `count` workers, on an address that nobody else listens on; they do not
    listen yet. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if sys.platform != "linux":
        shared = socket.socket(family, socket.SOCK_STREAM)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        shared.bind((host, port))
        return [shared] * count
    sockets: list[socket.socket] = []
    for _ in range(count):
        each = socket.socket(family, socket.SOCK_STREAM)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        each.bind((host, port))
        sockets.append(each)
    return sockets
