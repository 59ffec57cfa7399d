"""The command as its users run it: a process of its own, with an environment of its own."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dragoman

SOURCE = Path(dragoman.__file__).parents[1]
GOOD_KEY = "sk-provider-0123456789abcdefghij"


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a listing that went into a pipe."""
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True)
class Served:
    """A running `dragoman serve` and its JSON banner."""

    process: subprocess.Popen[str]
    url: str
    login_url: str
    key: str
    models: int

    def model_names(self, key: str | None = None) -> set[str]:
        """The ids of GET /v1/models, asked for with `key` or the default one."""
        return {entry["id"] for entry in self.get("/v1/models", key or self.key)["data"]}

    def get(self, path: str, key: str) -> Any:
        request = urllib.request.Request(
            self.url + path, headers={"authorization": f"Bearer {key}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def status_of(self, path: str, key: str) -> int:
        try:
            self.get(path, key)
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        return 200


@dataclass
class Home:
    """A user's machine: `folder` is the working directory and holds everything else."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def environ(self, **extra: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SOURCE),
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder / "share"),
            "DRAGOMAN_DATA_DIR": str(self.data),
            "LC_ALL": "C.UTF-8",
            **extra,
        }

    def run(self, *arguments: str, stdin: str = "", **environ: str) -> Outcome:
        """Runs `dragoman` with `arguments` to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "dragoman", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environ(**environ),
            timeout=120,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Starts `dragoman` with its standard output in a pipe."""
        return subprocess.Popen(
            [sys.executable, "-m", "dragoman", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environ(**environ),
        )

    @contextmanager
    def serve(self, *arguments: str, **environ: str) -> Iterator[Served]:
        """A gateway on a free port, ended when the block ends."""
        process = self.start("serve", "-p", "0", "--json-banner", *arguments, **environ)
        with process:
            try:
                assert process.stdout is not None
                banner = json.loads(process.stdout.readline())
                yield Served(process, **banner)
            finally:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=60)


class FakeProvider(http.server.ThreadingHTTPServer):
    """An OpenAI-compatible server with the models `small` and `large`, which knows `GOOD_KEY`.

    `url` is its address, `asked` are the paths that were asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.asked: list[str] = []

    @contextmanager
    def running(self) -> Iterator[FakeProvider]:
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FakeProvider

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.headers["authorization"] != f"Bearer {GOOD_KEY}":
            key = (self.headers["authorization"] or "").removeprefix("Bearer ")
            self._answer(401, {"error": {"message": f"Incorrect API key provided: {key}"}})
        else:
            self._answer(200, {"data": [{"id": "small"}, {"id": "large"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"] or 0))
        self._answer(404, {"error": {"message": "no such path"}})

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass
