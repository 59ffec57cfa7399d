"""Writes one answer to a client, and keeps a silent stream alive.

A stream is opened when its answer has begun (`exchange.barrier` waits for that), so that a failure
before it keeps its true status; when `keepalive_s` pass in silence it is opened by a keep-alive
instead, since load balancers and clients cut connections that say nothing. From then on a failure
can only be an error event.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from dragoman import sse
from dragoman.calls import Answer
from dragoman.errors import (
    BudgetExceeded,
    DragomanError,
    MethodNotAllowed,
    UpstreamDied,
    UpstreamRefused,
)
from dragoman.header_policy import Header
from dragoman.http.windows import window_headers, without_windows
from dragoman.protocols import ErrorShape, Operation, Protocol
from dragoman.usage import Entry
from dragoman.wire.error_bodies import encode_error, encode_error_event

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_LONGEST_LISTING = 4000
"""Node.js takes 16 KiB of headers in all, and many proxies half of that."""

_JSON = (b"content-type", b"application/json")
# Google's own client takes a comment for damaged JSON, so Gemini's keep-alive is an empty thought.
_PINGS = {
    Protocol.MESSAGES: sse.encode(b'{"type": "ping"}', b"ping"),
    Protocol.GEMINI: sse.encode(
        b'{"candidates": [{"content": {"role": "model", "parts": [{"text": "", "thought": true}]},'
        b' "index": 0}]}'
    ),
}
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


class Reply:
    """The answer to one inference request, over an ASGI `send`."""

    def __init__(self, send: Any, operation: Operation, entry: Entry, keepalive_s: float) -> None:
        self._send = send
        self._operation = operation
        self._entry = entry
        self._keepalive_s = keepalive_s
        self._loop = asyncio.get_running_loop()
        self._started = False
        self._sending = False
        self._last_sent = self._loop.time()
        self._timer = self._loop.call_later(keepalive_s, self._tick)
        self._ping: asyncio.Task[None] | None = None

    async def answer(self, answer: Answer) -> None:
        """Sends a whole answer or a stream."""
        if isinstance(answer.body, bytes):
            if self._started:
                raise UpstreamDied("The provider answered a stream's request without a stream.")
            headers = self._with_own(answer.headers)
            headers.append((b"content-length", str(len(answer.body)).encode()))
            await self._start(answer.status, headers)
            await self._write(answer.body, more=False)
        else:
            await self._stream(answer.status, answer.headers, answer.opening, answer.body)

    async def fail(self, error: DragomanError) -> None:
        """Tells the client of `error`, in its own protocol's words."""
        self._entry.error, self._entry.code = error.message, error.code
        request_id = self._entry.request_id
        if self._started:
            event = encode_error_event(self._operation, error, request_id)
            await self._write(event, more=False)
            return
        body = error.body if isinstance(error, UpstreamRefused) else b""
        body = body or encode_error(self._operation.error_shape, error, request_id)
        headers = self._with_own([_JSON, *error_headers(error)])
        headers.append((b"content-length", str(len(body)).encode()))
        await self._start(error.status, headers)
        await self._write(body, more=False)

    async def close(self) -> None:
        """Ends the keep-alive."""
        self._timer.cancel()
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.gather(self._ping, return_exceptions=True)

    async def _stream(
        self,
        status: int,
        headers: list[Header],
        opening: bytes,
        body: AsyncGenerator[bytes, None],
    ) -> None:
        async with aclosing(body):
            if not self._started:
                await self._start(status, self._with_own(headers))
            if opening:
                await self._write(opening, more=True)
            async for events in body:
                await self._write(events, more=True)
        await self._write(b"", more=False)

    async def _start(self, status: int, headers: list[Header]) -> None:
        self._started = True
        self._entry.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def _write(self, data: bytes, more: bool) -> None:
        self._sending = True
        if self._entry.transcript is not None:
            self._entry.transcript.client_response.add(data)
        await self._send({"type": "http.response.body", "body": data, "more_body": more})
        self._sending = False
        self._last_sent = self._loop.time()

    def _with_own(self, headers: list[Header]) -> list[Header]:
        """`headers` and those that Dragoman adds to every answer."""
        entry = self._entry
        request_id = entry.request_id.encode()
        own = [
            (b"x-request-id", request_id),
            (b"x-dragoman-translation", _ascii(entry.translation)),
        ]
        if self._operation.protocol is Protocol.MESSAGES and not _has(headers, b"request-id"):
            own.append((b"request-id", request_id))
        if entry.target is not None:
            own += [
                (b"x-dragoman-provider", entry.target.provider.id.encode()),
                (b"x-dragoman-model", _ascii(entry.target.model)),
                (b"x-dragoman-attempts", str(entry.attempts).encode()),
            ]
        if entry.dropped:
            own.append((b"x-dragoman-dropped", _listing(entry.dropped)))
        if entry.hold is not None and entry.hold.windows:
            shape = self._operation.error_shape
            own += window_headers(shape, entry.hold.windows, datetime.now(UTC))
            headers = without_windows(headers)
        return headers + own

    def _tick(self) -> None:
        silent_for = self._loop.time() - self._last_sent
        if silent_for >= self._keepalive_s and self._entry.stream and not self._sending:
            self._ping = self._loop.create_task(self._keep_alive())
            silent_for = 0.0
        self._timer = self._loop.call_later(max(self._keepalive_s - silent_for, 0.1), self._tick)

    async def _keep_alive(self) -> None:
        """Says something; a stream that is opened by this begins with what is there of it."""
        if not self._started:
            await self._start(200, self._with_own(list(_STREAM_HEADERS)))
            if held := bytes(self._entry.held):
                self._entry.held.clear()
                await self._write(held, more=True)
                return
        await self._write(_PINGS.get(self._operation.protocol, sse.PING), more=True)


def error_response(shape: ErrorShape, error: DragomanError, request_id: str) -> Response:
    """A whole error answer, for endpoints off the hot path."""
    response = Response(encode_error(shape, error, request_id), error.status)
    response.raw_headers += [_JSON, *error_headers(error)]
    return response


def error_headers(error: DragomanError) -> list[Header]:
    """The headers that belong to an error, whoever answers with it."""
    if isinstance(error, UpstreamRefused):
        return list(error.headers)
    headers: list[Header] = []
    if error.retry_after is not None:
        headers.append((b"retry-after", str(max(1, round(error.retry_after))).encode()))
    if isinstance(error, BudgetExceeded) and not error.may_pass:
        headers.append((b"x-should-retry", b"false"))
    if error.status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="dragoman"'))
    if error.status == 413:
        headers.append((b"connection", b"close"))  # the rest of the body is not wanted
    if error.status == 426:
        headers.append((b"upgrade", b"HTTP/1.1"))
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", ", ".join(error.allowed).encode()))
    return headers


def _has(headers: list[Header], wanted: bytes) -> bool:
    return any(name == wanted for name, _ in headers)


def _ascii(text: str) -> bytes:
    """A header value; names of models and members may hold any character, headers may not."""
    return _CONTROL.sub(_escape, text.encode("ascii", "backslashreplace"))


def _escape(found: re.Match[bytes]) -> bytes:
    return b"\\x%02x" % ord(found[0])


def _listing(paths: Sequence[str]) -> bytes:
    """`paths` with commas between them; three dots where there are more than a header may hold.
    The request log has them all."""
    listed = b",".join(_ascii(path).replace(b",", b"\\x2c") for path in paths)
    if len(listed) <= _LONGEST_LISTING:
        return listed
    whole, _, _ = listed[:_LONGEST_LISTING].rpartition(b",")
    return whole + b",..."
