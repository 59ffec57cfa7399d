"""uvicorn, with the strictness and the promptness that a gateway needs.

Four things differ from uvicorn's own protocol class. A client that leaves cancels the task that
serves it, so that the provider stops generating at once, in whatever phase the request is; no
task has to watch the connection for that. A client that dawdles over its request is dropped, so
that connections cannot be used up by saying almost nothing. A request with both `content-length`
and `transfer-encoding` is refused and its connection closed (RFC 9112, 6.1): one of the two is a
lie, and a second request could hide behind it. And what is not HTTP is answered in JSON.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from dragoman.http.inference import CLIENT_LEFT

_REFUSAL = b'{"error":{"message":"%b","type":"invalid_request_error","param":null,"code":"%b"}}'
_LARGE_HEAD = "The request's headers are too large: see max_header_kb."
_BODY_BYTES_PER_S = 16 * 1024
_CLOSING_S = 5.0  # how long cancelled requests may take to tell their clients


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a client may take: bytes of a request's head, seconds for it, seconds for the body (a
    longer body gets a second more for each 16 KB)."""

    head_bytes: int
    head_s: float
    body_s: float


class GatewayProtocol(HttpToolsProtocol):
    """One client connection.

    It has one timer, for the part of a request that is being waited for: the head from the first
    byte (or from the connection's beginning) on, then the body. A request that arrives in one
    piece sets none.
    """

    def __init__(self, bounds: Bounds, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bounds = bounds
        self._task: asyncio.Task[None] | None = None
        self._header_bytes = 0
        self._head_bytes = 0
        self._in_head = True
        self._in_body = False
        self._body_bytes = 0
        self._body_since = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timer = self.loop.call_later(self._bounds.head_s, self._drop_slow_head)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()
        if self._task is not None and not self._task.done():
            self._task.cancel(CLIENT_LEFT)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = self._head_bytes = 0
        self._in_head = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4  # with ": " and the line end
        if self._header_bytes > self._bounds.head_bytes:
            raise _Refused(_LARGE_HEAD)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        names = {name for name, _ in self.headers}
        if b"content-length" in names and b"transfer-encoding" in names:
            raise _Refused("A request holds content-length or transfer-encoding, not both.")
        self._stop_timer()
        self._in_head = False
        self._in_body = True
        self._body_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._in_body = False
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.parser is None:
            return  # the connection was closed while this read was on its way
        was_in_head = self._in_head
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            refused = error.__context__
            if not isinstance(refused, _Refused):
                raise
            self.send_400_response(str(refused))
        except httptools.HttpParserUpgrade:
            pass  # the application answers 426
        except httptools.HttpParserError:
            self.send_400_response("This is not an HTTP request that can be read here.")
        if self._in_head and was_in_head:
            self._head_bytes += len(data)
        self._watch_progress()

    def _watch_progress(self) -> None:
        """Bounds what is still to come of a request."""
        if self.transport.is_closing():
            return
        if self._head_bytes > self._bounds.head_bytes:  # one header, or a URL, without an end
            self.send_400_response(_LARGE_HEAD)
        elif self._timer is None:
            if self._in_head:
                self._timer = self.loop.call_later(self._bounds.head_s, self._drop_slow_head)
            elif self._in_body:
                self._body_since = self.loop.time()
                self._timer = self.loop.call_later(self._bounds.body_s, self._drop_slow_body)

    def send_400_response(self, msg: str) -> None:
        self._refuse(b"400 Bad Request", msg, b"invalid_request")

    def _refuse(self, status: bytes, message: str, code: bytes) -> None:
        body = _REFUSAL % (message.encode(), code)
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (status, len(body), body)
        )
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _drop_slow_head(self) -> None:
        self._timer = None
        if self._task is not None and not self._task.done():
            # A head behind a request that is still being answered: that one comes first.
            self._timer = self.loop.call_later(self._bounds.head_s, self._drop_slow_head)
        elif self._head_bytes:
            self._time_out("The request's head took longer than header_s.")
        else:
            self.transport.close()  # it never said a word

    def _drop_slow_body(self) -> None:
        """Drops the client if it is behind; its time stands still while nobody reads it."""
        due = self._body_since + self._bounds.body_s + self._body_bytes / _BODY_BYTES_PER_S
        now = self.loop.time()
        if self.flow.read_paused:
            self._body_since = now
            due = now + self._bounds.body_s
        if due > now:
            self._timer = self.loop.call_later(due - now, self._drop_slow_body)
        else:
            self._timer = None
            self._time_out("The request's body came too slowly: see body_s.")

    def _time_out(self, message: str) -> None:
        """Answers 408, or where an answer has begun already just ends the connection."""
        if self._in_body and self.cycle.response_started:
            self.transport.close()
        else:
            self._refuse(b"408 Request Timeout", message, b"request_timeout")

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        async def serve(scope: Any, receive: Any, send: Any) -> None:
            try:
                await app(scope, receive, send)
            except asyncio.CancelledError:
                if not cycle.disconnected:
                    raise

        self._task = self.loop.create_task(cycle.run_asgi(serve))
        self._task.add_done_callback(self.tasks.discard)
        self.tasks.add(self._task)


class _Refused(Exception):
    """A request that is turned away while its head is being parsed."""


class GatewayServer(uvicorn.Server):
    """uvicorn's server, which tells when it listens and ends with the status 0 on a signal.

    The first SIGINT or SIGTERM stops accepting and lets requests finish within the grace period,
    the second ends at once. SIGHUP calls `on_hangup`.
    """

    def __init__(
        self,
        app: Any,
        bounds: Bounds,
        grace_s: float,
        on_ready: Callable[[], None],
        on_hangup: Callable[[], None] = lambda: None,
    ) -> None:
        protocol: Any = partial(GatewayProtocol, bounds)
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="off",
                loop="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=75,
                timeout_graceful_shutdown=max(1, round(grace_s)),
            )
        )
        self._on_ready = on_ready
        self._on_hangup = on_hangup

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        handlers = {
            signal.SIGINT: self.stop,
            signal.SIGTERM: self.stop,
            signal.SIGHUP: self._on_hangup,
        }
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    async def shutdown(self, sockets: Any = None) -> None:
        """Stops accepting, waits for the grace period, then cancels what is left and lets it tell
        its clients; records of it are complete when this returns."""
        await super().shutdown(sockets)
        tasks = set(self.server_state.tasks)
        if self.force_exit:  # else they have been cancelled
            for task in tasks:
                task.cancel()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=0.1 if self.force_exit else _CLOSING_S)
            for task in stuck:  # in telling a client that does not listen
                task.cancel()

    def stop(self) -> None:
        """Stops gracefully; a second call stops at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
