"""A provider of paced streams for load tests, cheap enough for a thousand of them at once.

The scripted upstream checks and records; this one only writes. A stream of `events` chunks says
its own number in each, so that a byte that went astray is found.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def write_event(stream: str, number: int) -> bytes:
    """The `number`th event of a stream, framed."""
    text = f"{stream}/{number} " + "abcdefghij" * (number % 7)
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def write_stream(stream: str, events: int) -> bytes:
    """A whole stream as a client gets it."""
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    end = b"data: " + json.dumps(last).encode() + b"\n\ndata: [DONE]\n\n"
    return b"".join(write_event(stream, number) for number in range(events)) + end


@dataclass
class StreamingProvider:
    """Answers every request with the stream that its `user` member names, an event each
    `pause_s` seconds."""

    events: int = 100
    pause_s: float = 0.01
    _writers: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)

    async def __aenter__(self) -> StreamingProvider:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=4096)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        while self._writers:  # noqa: ASYNC110 - each leaves by itself
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                stream = json.loads(await reader.readexactly(size)).get("user", "")
                writer.write(_HEAD)
                whole = write_stream(stream, self.events)
                *pieces, _ = whole.split(b"\n\n")
                for piece in pieces:
                    data = piece + b"\n\n"
                    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
                    await writer.drain()
                    await asyncio.sleep(self.pause_s)
                writer.write(b"0\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
