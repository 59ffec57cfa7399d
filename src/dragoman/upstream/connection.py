"""One HTTP/1.1 connection, client side: an `asyncio.Protocol` around llhttp.

A connection carries one exchange at a time:

    idle ──start──> waiting ──head──> streaming ──end of body──> idle
                       │                  │                       │
                       └──── failure, abandonment, expiry ────────┴──> closed

Bytes that arrive while it is idle, bytes after the end of an answer, an answer before the whole
request was sent, a body that ends with the connection: after each of these the connection is not
used again. Where an answer could be read in two ways (RFC 9112, section 6.3) it is refused, since
the next answer on the connection might not be the next request's.

There is one timer for each connection, not one for each wait: a new deadline is mostly just
written down, and the timer, when it goes off, looks whether it is due and else goes back to sleep.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from math import inf
from typing import cast

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpResponseParser,
)

from dragoman.errors import UpstreamError
from dragoman.providers.provider import Timeouts
from dragoman.upstream.failures import died, not_http, timed_out, unreachable
from dragoman.upstream.seam import Headers

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256
HIGH_WATER = 64 * 1024  # bytes of a body that may wait for their reader
PIECE = 256 * 1024  # bytes of a request that are written at a time
_BODYLESS = frozenset({204, 304})


class Http1Response:
    """`seam.Response` of one exchange; header names are in lower case.

    `buffered` is how many bytes of the body wait to be read. A cancelled iteration loses nothing:
    the next one goes on where it was.
    """

    __slots__ = (
        "_chunks",
        "_complete",
        "_connection",
        "_failure",
        "_waiter",
        "buffered",
        "headers",
        "status",
    )

    def __init__(self, connection: Connection) -> None:
        self.status = 0  # until the head is complete
        self.headers: Headers = ()
        self.buffered = 0
        self._chunks: list[bytes] = []
        self._complete = False
        self._failure: UpstreamError | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._connection: Connection | None = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._failure is not None:
                raise self._failure
            if self._complete:
                raise StopAsyncIteration
            await self.wait()
        chunks = self._chunks
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        chunks.clear()
        self.buffered = 0
        if self._connection is not None:
            self._connection.resume()
        return data

    async def read(self, limit: int | None = None) -> bytes:
        """The whole body, or its first `limit` bytes; then the connection is closed."""
        body = bytearray()
        try:
            async for chunk in self:
                body += chunk
                if limit is not None and len(body) > limit:
                    return bytes(body[:limit])
        finally:
            await self.aclose()
        return bytes(body)

    async def aclose(self) -> None:
        """Closes the connection, unless the body has arrived to its end."""
        if self._connection is not None:
            self._connection.abandon(died(self._connection.peer, "was hung up on"))

    async def head(self) -> None:
        """Returns when status and headers are there; raises what prevents that."""
        while not self.status:
            if self._failure is not None:
                raise self._failure
            await self.wait()

    async def wait(self) -> None:
        """Returns after the next change of any kind; only one task may wait."""
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    @property
    def is_settled(self) -> bool:
        """Whether the provider has decided: it answers, or it will never do so."""
        return self.status != 0 or self._failure is not None

    def begin(self, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers

    def feed(self, data: bytes) -> None:
        self._chunks.append(data)
        self.buffered += len(data)

    def finish(self, failure: UpstreamError | None = None) -> None:
        self._connection = None
        self._failure = failure
        self._complete = True
        self.wake()

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)


class Connection(asyncio.Protocol):
    """One connection to `peer` (host and port, for messages).

    `on_idle` is called when it can take another request, which must then follow within `idle_s`
    seconds, and `on_closed` once, when it never will again: then `is_closed` is true. `heard` says
    whether a byte of the present exchange's answer has arrived.
    """

    def __init__(
        self,
        peer: str,
        idle_s: float,
        on_idle: Callable[[Connection], None],
        on_closed: Callable[[Connection], None],
    ) -> None:
        self.peer = peer
        self.heard = False
        self.is_closed = False
        self._idle_s = idle_s
        self._on_idle = on_idle
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._parser = HttpResponseParser(self)
        self._response: Http1Response | None = None
        self._limits = Timeouts()
        self._headers: list[tuple[bytes, bytes]] = []
        self._is_head_request = False
        self._sent = True
        self._interim = False
        self._done = False
        self._until_close = False
        self._reusable = True
        self._framing_bytes = 0
        self._write_paused = False
        self._read_paused = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = inf
        self._deadline = inf
        self._total_deadline = inf
        self._limit = ""
        self._limit_s: float | None = None

    async def exchange(
        self, head: bytes, body: bytes, limits: Timeouts, started: float, *, is_head: bool
    ) -> Http1Response:
        """Sends one request and returns when its answer's head is there.

        `started` is the time of the loop from which `total_s` counts.
        """
        self.heard = False
        if self.is_closed:
            raise unreachable(None, self.peer)
        response = self._response = Http1Response(self)
        self._limits = limits
        self._is_head_request = is_head
        self._headers = []
        self._framing_bytes = 0
        self._total_deadline = inf if limits.total_s is None else started + limits.total_s
        self._expect("first_byte_s", limits.first_byte_s)
        try:
            await self._write(head, body, response)
            await response.head()
        except asyncio.CancelledError:
            await response.aclose()
            raise
        return response

    async def _write(self, head: bytes, body: bytes, response: Http1Response) -> None:
        """Writes the request, as fast as the provider takes it and until it answers."""
        self._sent = len(body) <= PIECE
        self._transport.write(head + body[:PIECE])
        if self._sent:
            return
        rest = memoryview(body)[PIECE:]
        while True:
            while self._write_paused and not response.is_settled:
                await response.wait()
            if response.is_settled:
                return
            if not rest:
                break
            self._transport.write(rest[:PIECE])
            rest = rest[PIECE:]
        self._sent = True

    def resume(self) -> None:
        """Reads on after the reader has caught up."""
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()
            self._expect("idle_s", self._limits.idle_s)

    def abandon(self, failure: UpstreamError) -> None:
        """Closes the socket at once, and what is under way with `failure`."""
        response, self._response = self._response, None
        self._transport.abort()
        self._retire()
        if response is not None:
            response.finish(failure)

    def close(self) -> None:
        """Closes the socket at once."""
        self.abandon(died(self.peer, "was hung up on"))

    def _finish(self) -> None:
        """The answer is complete: back to the pool, or away."""
        response, self._response = self._response, None
        reusable = self._reusable and self._sent
        self._done = False
        if response is not None:
            response.finish()
        if not reusable:
            self._transport.abort()
            self._retire()
            return
        if self._read_paused:
            self._read_paused = False
            self._transport.resume_reading()
        self._total_deadline = inf
        self._expect("", self._idle_s)
        self._on_idle(self)

    def _retire(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._on_closed(self)

    def _expect(self, limit: str, seconds: float) -> None:
        """From now on the provider has `seconds` seconds for its next byte."""
        self._limit, self._limit_s = limit, seconds
        self._deadline = min(self._loop.time() + seconds, self._total_deadline)
        if self._deadline < self._timer_at:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, inf
        now = self._loop.time()
        if now < self._deadline:
            if self._deadline < inf:
                self._set_timer()
        elif self._response is None:
            self.close()
        elif now >= self._total_deadline:
            self.abandon(timed_out("total_s", self._limits.total_s, self.peer))
        else:
            self.abandon(timed_out(self._limit, self._limit_s, self.peer))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._response is not None:
            self._response.wake()

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            self.close()
            return
        self.heard = True
        self._framing_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._refuse("it switched protocols")
            return
        except HttpParserError as error:
            if not self._done:
                why = isinstance(error, HttpParserCallbackError) and error.__context__
                self._refuse(str(why or error))
                return
            self._reusable = False
        if self._done:
            self._finish()
        elif self._framing_bytes > MAX_HEAD_BYTES:
            self._refuse(f"more than {MAX_HEAD_BYTES} bytes of framing")
        elif response.status:
            self._go_on(response)

    def _go_on(self, response: Http1Response) -> None:
        """The body goes on; a reader that is too slow stops it, and the clock with it."""
        if response.buffered > HIGH_WATER:
            if not self._read_paused:
                self._read_paused = True
                self._transport.pause_reading()
                self._deadline = self._total_deadline
        elif self._limit == "idle_s":
            self._deadline = min(self._loop.time() + self._limits.idle_s, self._total_deadline)
        else:
            self._expect("idle_s", self._limits.idle_s)
        response.wake()

    def _refuse(self, why: str) -> None:
        """The answer cannot be understood any further."""
        if self._response is not None and self._response.status:
            self.abandon(died(self.peer, f"garbled its answer ({why})"))
        else:
            self.abandon(not_http(self.peer, why))

    def eof_received(self) -> None:
        self._hear_end(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._hear_end(exc)

    def _hear_end(self, error: Exception | None) -> None:
        response = self._response
        if response is None:
            self.close()
        elif not response.status:
            self.abandon(unreachable(error, self.peer))
        elif self._until_close and error is None:
            self._reusable = False
            self._finish()
        else:
            self.abandon(died(self.peer))

    def on_message_begin(self) -> None:
        if self._done:
            raise HttpParserError("bytes after the end of the answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        response = self._response
        if response is None or response.status:
            return  # a trailer: nobody downstream could use it
        if len(self._headers) >= MAX_HEADERS:
            raise HttpParserError(f"more than {MAX_HEADERS} headers")
        self._headers.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        response = self._response
        status = self._parser.get_status_code()
        if status < 200:
            self._interim = True
            self._headers = []
            return
        if response is None or response.status:
            return
        # llhttp refuses a second content-length and one beside a transfer-encoding by itself.
        framed = chunked = False
        size = 0
        for name, value in self._headers:
            size += len(name) + len(value) + 4
            if name == b"content-length":
                framed = True
            elif name == b"transfer-encoding":
                if chunked or value.lower() != b"chunked":
                    raise HttpParserError("a transfer-encoding that was not asked for")
                framed = chunked = True
        if size > MAX_HEAD_BYTES:
            raise HttpParserError(f"more than {MAX_HEAD_BYTES} bytes of headers")
        bodyless = self._is_head_request or status in _BODYLESS
        self._reusable = self._parser.should_keep_alive() and not (bodyless and framed)
        self._until_close = not framed and not bodyless
        self._done = bodyless  # llhttp would wait for what the head only announces
        response.begin(status, self._headers)

    def on_body(self, body: bytes) -> None:
        self._framing_bytes = 0
        if self._response is not None and not self._done:
            self._response.feed(body)

    def on_message_complete(self) -> None:
        if self._interim:
            self._interim = False
        else:
            self._done = True
