"""uvicorn, with the strictness and the promptness that a gateway needs.

Three things differ from uvicorn's own protocol class. A client that leaves cancels the task that
serves it, so that the provider stops generating at once, in whatever phase the request is; no
task has to watch the connection for that. A request with both `content-length` and
`transfer-encoding` is refused and its connection closed (RFC 9112, 6.1): one of the two is a lie,
and a second request could hide behind it. And what is not HTTP is answered in JSON.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from dragoman.http.inference import CLIENT_LEFT

_MALFORMED = (
    b'{"error":{"message":"%b","type":"invalid_request_error","param":null,'
    b'"code":"invalid_request"}}'
)
_HEADER_LIMIT = 64 * 1024


class GatewayProtocol(HttpToolsProtocol):
    """One client connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task: asyncio.Task[None] | None = None
        self._header_bytes = 0

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._task is not None and not self._task.done():
            self._task.cancel(CLIENT_LEFT)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + 4  # with ": " and the line end
        if self._header_bytes > _HEADER_LIMIT:
            raise _Refused("The request's headers are too large.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        names = {name for name, _ in self.headers}
        if b"content-length" in names and b"transfer-encoding" in names:
            raise _Refused("A request holds content-length or transfer-encoding, not both.")
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self.parser is None:
            return  # the connection was closed while this read was on its way
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

    def send_400_response(self, msg: str) -> None:
        body = _MALFORMED % msg.encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()

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
    the second ends at once.
    """

    def __init__(self, app: Any, grace_s: float, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=GatewayProtocol,
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

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        for number in signals:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Stops gracefully; a second call stops at once."""
        self.force_exit = self.should_exit
        self.should_exit = True
