"""What the tests of the command line share: a home, a provider, and one gateway per module."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from cli.processes import FakeProvider, Home, Outcome, Served

from dragoman import observe
from dragoman.cli import shell


class Inside(Home):
    """A home whose commands run inside the test's process, which is much quicker."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        super().__init__(folder)
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Outcome:
        with self._monkeypatch.context() as patch:
            for name in os.environ:
                if name not in {"PATH", "COLUMNS"}:
                    patch.delenv(name)
            for name, value in self.environ(**environ).items():
                patch.setenv(name, value)
            patch.chdir(self.folder)
            patch.setattr(sys, "stdin", io.StringIO(stdin))
            self._capsys.readouterr()
            status = shell.run(arguments, os.environ)
            return Outcome(status, *self._capsys.readouterr())


@pytest.fixture(autouse=True)
def no_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Loggers keep the stream that they find first, and here that is one test's own."""
    monkeypatch.setattr(observe, "set_up_logging", lambda _: None)
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Inside:
    """A machine on which nothing has happened yet, for what needs no process of its own."""
    return Inside(tmp_path, monkeypatch, capsys)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A machine on which nothing has happened yet."""
    return Home(tmp_path)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A machine for all tests of a module."""
    return Home(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def served(shared_home: Home) -> Iterator[Served]:
    """The gateway that runs on `shared_home`."""
    with shared_home.serve() as served:
        yield served


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeProvider]:
    """A provider that works."""
    with FakeProvider().running() as provider:
        yield provider
