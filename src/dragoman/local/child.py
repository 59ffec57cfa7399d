"""One child process that serves one local model, from its start to its end.

The child ends when its standard input does, so that none outlives the gateway even when that is
killed; see `server`, which is what runs in it. `process` decides when one is started or stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import signal
import sys
import time
from dataclasses import asdict, dataclass
from typing import Self, cast

import psutil

from dragoman.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from dragoman.local.models import LocalModelFile, check_file, require_engine
from dragoman.local.server import Settings
from dragoman.upstream import open_transport
from dragoman.upstream.seam import Request

_TAIL_BYTES = 16_384
_HEALTH_POLL_S = 0.05
_ENDING_PATIENCE_S = 1.0
# A line of llama.cpp's log: minutes.seconds.milliseconds.microseconds, severity, text.
_LOG_LINE = re.compile(r"^\d+\.\d+\.\d+\.\d+ ([A-Z]) (.*)$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a running model answers: its base URL with `/v1`, and the key of this run."""

    base_url: str
    api_key: str


class ServerProcess:
    """One child that serves one model, from its start to its end. Made by `start`."""

    def __init__(self, model: LocalModelFile, process: asyncio.subprocess.Process) -> None:
        self.model = model
        self.started_at = time.time()
        self.endpoint = Endpoint("", secrets.token_urlsafe(32))
        self.port: int | None = None
        self._process = process
        self._stdin = cast(asyncio.StreamWriter, process.stdin)
        self._stdout = cast(asyncio.StreamReader, process.stdout)
        self._stderr = cast(asyncio.StreamReader, process.stderr)
        self._tail = b""
        self._draining = asyncio.create_task(self._drain())

    @classmethod
    async def start(cls, model: LocalModelFile, *, limit_s: float) -> Self:
        """Starts a child and waits until it is ready to answer.

        Raises `ConfigError` when the engine or the file is missing, `UpstreamUnreachable` when
        the model cannot be loaded, and `UpstreamTimeout` when that takes longer than `limit_s`.
        """
        await asyncio.to_thread(require_engine)
        await asyncio.to_thread(check_file, model)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # a file of the working directory must not stand in for a module
            "-m",
            "dragoman.local.server",
            model.id,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        server = cls(model, process)
        try:
            async with asyncio.timeout(limit_s):
                await server._hand_over_settings()
                await server._wait_until_ready()
        except TimeoutError as error:
            await server.stop(0)
            raise UpstreamTimeout(
                f"Local model {model.id} ({model.path}) was not ready within {limit_s:g} s. "
                "Try again, or use a smaller model."
            ) from error
        except BaseException:
            await server.stop(0)
            raise
        return server

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def rss(self) -> int | None:
        """Resident memory in bytes, or None when the process is gone."""
        try:
            return int(psutil.Process(self.pid).memory_info().rss) if self.alive else None
        except psutil.Error:
            return None

    async def ending(self) -> str | None:
        """Why the process ended, or None when it lives on.

        A broken connection is seen before the end of the process that broke it, so this waits a
        moment for that end.
        """
        try:
            async with asyncio.timeout(_ENDING_PATIENCE_S):
                await self._process.wait()
                await self._draining
        except TimeoutError:
            return None
        return self.describe_end()

    def describe_end(self) -> str:
        """How the ended process ended: its signal or status and, where it left one, its reason."""
        output = self._tail.decode(errors="replace")
        reason = _find_crash(output) if self.port else _find_loading_error(output)
        end = _describe_return_code(self._process.returncode)
        return f"{end} ({reason})" if reason else end

    async def stop(self, grace_s: float) -> None:
        """Ends the process with SIGTERM, and with SIGKILL when `grace_s` was not enough."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        await self._draining

    async def _hand_over_settings(self) -> None:
        settings = Settings(
            path=str(self.model.path),
            model_id=self.model.id,
            api_key=self.endpoint.api_key,
            context=self.model.context,
            pooling=self.model.pooling,
            answer=self.model.answer,
        )
        self._stdin.write(json.dumps(asdict(settings)).encode() + b"\n")
        with contextlib.suppress(ConnectionError):  # its early end is reported by its output
            await self._stdin.drain()

    async def _wait_until_ready(self) -> None:
        url = (await self._stdout.readline()).decode().strip()
        try:
            if not url:
                raise ConnectionError
            await _poll_health(url)
        except (UpstreamError, ConnectionError) as error:
            reason = await self.ending() or "it does not answer"
            raise UpstreamUnreachable(
                f"Local model {self.model.id} did not start ({self.model.path}): {reason}"
            ) from error
        self.port = int(url.rpartition(":")[2])
        self.endpoint = Endpoint(f"{url}/v1", self.endpoint.api_key)

    async def _drain(self) -> None:
        """Keeps the end of what the child prints, and keeps its pipe from filling up."""
        while chunk := await self._stderr.read(4096):
            self._tail = (self._tail + chunk)[-_TAIL_BYTES:]


async def _poll_health(url: str) -> None:
    transport = open_transport()
    try:
        while True:
            response = await transport.send(Request("GET", f"{url}/health", ()))
            await response.read()
            await response.aclose()
            if response.status == 200:
                return
            await asyncio.sleep(_HEALTH_POLL_S)
    finally:
        await transport.aclose()


def _describe_return_code(code: int | None) -> str:
    if code is None or code >= 0:
        return f"its process exited with status {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if code == -signal.SIGKILL:
        return f"its process was killed by {name}, as the system does when memory runs out"
    return f"its process was killed by {name}"


def _find_loading_error(output: str) -> str | None:
    """The engine's first error, the ones after it being its consequences; else the last line,
    which is where Python names an exception."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [match[2] for line in lines if (match := _LOG_LINE.match(line)) and match[1] == "E"]
    return next(iter(errors or lines[-1:]), None)


def _find_crash(output: str) -> str | None:
    """The first line that is not of the engine's log: a failed assertion, an uncaught exception.

    Lines of the log are passed over, since they may quote another caller's request.
    """
    lines = (line.strip() for line in output.splitlines())
    return next((line for line in lines if line and not _LOG_LINE.match(line)), None)
