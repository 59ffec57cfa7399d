"""The composition root: the gateway's parts, its HTTP shell and the server, put together once.

`build_app` gives the ASGI application; `serve` runs it until a signal ends it.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import psutil
import structlog
from starlette.middleware.cors import CORSMiddleware

from dragoman import runtime
from dragoman.config import Settings
from dragoman.errors import ConfigError
from dragoman.gateway import Gateway, open_gateway
from dragoman.http.front import Front
from dragoman.http.guard import Guard
from dragoman.http.inference import Inference
from dragoman.http.lobby import Lobby
from dragoman.http.server import Bounds, GatewayServer
from dragoman.observe.colleagues import Colleagues
from dragoman.observe.exposition import Family
from dragoman.observe.lag import measure_lag
from dragoman.observe.traces import open_tracer
from dragoman.supervisor import Worker, open_sockets
from dragoman.watcher import ConfigWatcher

log = structlog.get_logger()


def build_app(gateway: Gateway) -> Any:
    """The whole ASGI application.

    Inference paths go to raw ASGI endpoints, with CORS for the origins that the owner lists;
    everything else (health, documents, management, the page) is behind the guard and has no CORS.
    """
    inference: Any = Inference(gateway)
    if origins := gateway.settings.server.cors_origins:
        inference = CORSMiddleware(
            inference,
            allow_origins=origins,
            allow_methods=["GET", "POST", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    return Front(inference, Guard(gateway, Lobby(gateway)))


async def serve(
    settings: Settings,
    environ: Mapping[str, str],
    on_ready: Callable[[Gateway, str], None],
    *,
    worker: Worker | None = None,
    listener: socket.socket | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; `on_ready` is called with the gateway and its URL once it
    listens. A `worker` of several brings the `listener` that it serves, and of them only the first
    calls `on_ready`. Raises ConfigError or StoreError before the port is open."""
    async with open_gateway(settings, environ) as gateway:
        listener = listener or listen(settings.server.host, settings.server.port)
        url = base_url(settings.server.host, listener.getsockname()[1])

        pid = worker.supervisor if worker else os.getpid()
        _warn_of_company(gateway, pid)

        def announce() -> None:
            _rest_collector()
            if worker is None or worker.is_first:
                _leave_note(gateway, url, pid)
                on_ready(gateway, url)
                _warn_of_separate_counts(gateway, worker)
            if worker is not None:
                worker.tell_ready()

        bounds = Bounds(
            settings.server.max_header_kb * 1024, settings.server.header_s, settings.server.body_s
        )
        watcher = ConfigWatcher(gateway)
        server = GatewayServer(
            build_app(gateway), bounds, settings.server.grace_s, announce, watcher.hurry
        )
        gateway.stop = server.stop
        _join(gateway, worker)
        gateway.tracer = open_tracer(environ)
        try:
            async with _background(
                gateway.follow_changes(),
                gateway.refresh_models(),
                gateway.keep_records(),
                watcher.run(),
                measure_lag(gateway.metrics.lag),
                *([gateway.colleagues.run()] if gateway.colleagues else []),
                *([gateway.notices.run()] if gateway.notices else []),
            ):
                await server.serve(sockets=[listener])
        finally:
            listener.close()
            if gateway.tracer is not None:
                await gateway.tracer.aclose()
            runtime.remove_note(gateway.directory)


def _join(gateway: Gateway, worker: Worker | None) -> None:
    """Makes the gateway one of several: changes go to the others, and come from them."""
    loop = asyncio.get_running_loop()
    notices = gateway.notices

    def tell_others() -> None:
        if notices is not None:
            notices.publish()
        if worker is not None:
            worker.tell_change()

    gateway.tell_others = tell_others
    if worker is not None:
        gateway.colleagues = Colleagues(
            gateway.directory.path,
            worker.number,
            gateway.settings.server.workers,
            partial(_collect, gateway),
        )
        loop.add_signal_handler(signal.SIGUSR1, gateway.look)
        loop.add_reader(worker.lifeline, _end_with_supervisor, gateway, worker.lifeline)


def _end_with_supervisor(gateway: Gateway, lifeline: int) -> None:
    asyncio.get_running_loop().remove_reader(lifeline)
    gateway.stop()


def _leave_note(gateway: Gateway, url: str, pid: int) -> None:
    try:
        runtime.write_note(gateway.directory, url, pid)
    except OSError as error:  # a full or read-only disk is no reason not to serve
        log.warning("commands cannot find this gateway", reason=error.strerror)


def _warn_of_company(gateway: Gateway, pid: int) -> None:
    """Says that another gateway has this data directory open. Both serve, and see each other's
    changes within a second; commands tell the younger one at once."""
    note = runtime.read_note(gateway.directory)
    if note is not None and note.pid != pid and psutil.pid_exists(note.pid):
        log.warning(
            "another gateway may be using this data directory; give each its own --data-dir, or"
            " its own requests per key and limits will not add up",
            pid=note.pid,
            url=note.url,
        )


def _warn_of_separate_counts(gateway: Gateway, worker: Worker | None) -> None:
    if worker is not None and gateway.notices is None:
        log.warning(
            "each worker counts the limits of keys for itself: set DRAGOMAN_REDIS_URL to have them"
            " counted together",
            workers=gateway.settings.server.workers,
        )


def _rest_collector() -> None:
    """Spares the garbage collector what lives as long as the process, and most of its rounds: it
    took 9 % of a request's processor time (315 us against 286, 64 connections)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _collect(gateway: Gateway) -> Iterable[Family]:
    from dragoman.http.metrics import collect  # with FastAPI, which only a scrape needs

    return collect(gateway)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on `host` and `port` (0: any free one).

    Raises ConfigError that names the port, who holds it where that can be known, and the remedy.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} is taken{_holder(port)}: end that program, or choose another port"
                f" with `--port {port + 1}`."
            ) from error
        raise ConfigError(
            f"Cannot listen on {host} port {port} ({error.strerror}): choose another address with"
            " --host or another port with --port."
        ) from error
    listener.setblocking(False)
    return listener


def listen_together(host: str, port: int, count: int) -> list[socket.socket]:
    """A socket for each of `count` workers on `host` and `port` (0: any free one). Raises as
    `listen` does: sockets that share a port would not see that another program has it."""
    with listen(host, port) as probe:
        port = probe.getsockname()[1]
    return open_sockets(host, port, count)


def base_url(host: str, port: int) -> str:
    """The address that a client on this machine uses."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


def _holder(port: int) -> str:
    """`" by NAME (process PID)"` where the system tells, else nothing."""
    try:
        for connection in psutil.net_connections("tcp"):
            address: Any = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address.port == port and connection.pid:
                name = psutil.Process(connection.pid).name()
                return f" by {name} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""


@asynccontextmanager
async def _background(*work: Coroutine[Any, Any, None]) -> AsyncGenerator[None, None]:
    """Runs `work` beside the block; an error in it ends the block, leaving it ends the work."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
