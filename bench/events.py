"""A provider's streams: paced server-sent events of Chat over raw sockets, as cheap as can be.

    python bench/events.py PORT

Every POST is answered with `EVENTS` events, one in each `interval` milliseconds, which the request
names as its `model` (`bench-20`: one in 20 ms). The first comes after a random part of half a
second, so that streams do not march in step. `GET /count` tells how many events were sent so far.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
from typing import cast

import uvloop

EVENTS = 102

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_INTERVAL = re.compile(rb'"model" *: *"[^"]*bench-(\d+)"')


def _event(**members: object) -> bytes:
    chunk = {"id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1760000000}
    return _chunked(b"data: " + json.dumps({**chunk, "model": "bench", **members}).encode())


def _chunked(line: bytes) -> bytes:
    return b"%x\r\n%b\n\n\r\n" % (len(line) + 2, line)


def _choice(finish: str | None = None, **delta: str) -> list[dict[str, object]]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


_OPENING = _event(choices=_choice(role="assistant", content=""))
_WORD = _event(choices=_choice(content=" words"))
_FINISH = _event(choices=_choice(finish="stop"))
_USAGE = _event(
    choices=[], usage={"prompt_tokens": 90, "completion_tokens": 98, "total_tokens": 188}
)
_DONE = _chunked(b"data: [DONE]") + b"0\r\n\r\n"
_SILENT = [_OPENING, *[_WORD] * (EVENTS - 3), _FINISH, _DONE]
_TELLING = [_OPENING, *[_WORD] * (EVENTS - 4), _FINISH, _USAGE, _DONE]


class Counter:
    """Events sent by all streams."""

    sent = 0


class Stream(asyncio.Protocol):
    """One connection; it carries one stream at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        if head.startswith(b"GET"):
            self._received = b""
            told = b"%d" % Counter.sent
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(told), told)
            )
            return
        length = _LENGTH.search(head)
        complete = (
            b"\r\n0\r\n\r\n" in self._received if length is None else (len(body) >= int(length[1]))
        )
        if blank and complete:
            self._received = b""
            self._begin(body)

    def _begin(self, body: bytes) -> None:
        found = _INTERVAL.search(body)
        self._interval = int(found[1]) / 1000 if found else 0.02
        self._events = iter(_TELLING if b"include_usage" in body else _SILENT)
        self._due = self._loop.time() + random.random() / 2
        self._transport.write(_HEAD)
        self._timer = self._loop.call_at(self._due, self._send)

    def _send(self) -> None:
        event = next(self._events, None)
        if event is None:
            self._timer = None
            return
        self._transport.write(event)
        Counter.sent += 1
        self._due += self._interval
        self._timer = self._loop.call_at(self._due, self._send)


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Stream, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
