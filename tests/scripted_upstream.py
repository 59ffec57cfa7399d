"""A provider made of bytes: a TCP server on 127.0.0.1 that records and answers as it is told.

    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/chat/completions", json_answer({"object": "chat.completion"}))
        ...                                              # talk to upstream.url
        assert upstream.requests[0].json()["model"] == "m"
        await upstream.requests[0].closed()              # until its client has hung up

A `Script` is what happens on one request: bytes are sent as they stand, each piece in a write of
its own, and the other steps pause, wait, stall, close or reset. Nothing is checked or completed,
so a script can lie: a wrong content-length, half a chunk, no answer at all. After a script that
neither closes nor stalls, the connection serves the next request.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast


@dataclass(frozen=True)
class Pause:
    """Waits, in seconds; 0 just lets the other side run."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Close:
    """Closes the connection in an orderly way (FIN)."""


@dataclass(frozen=True)
class Reset:
    """Kills the connection (RST)."""


@dataclass(frozen=True)
class Stall:
    """Does nothing more until the client leaves."""


@dataclass(frozen=True)
class ReadBody:
    """In an early script: reads the rest of the request."""


class Gate:
    """Holds the script back until the test calls `open`; `reached` waits for the script."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._opened = asyncio.Event()

    def open(self) -> None:
        self._opened.set()

    async def reached(self) -> None:
        await self._reached.wait()

    async def pass_through(self) -> None:
        self._reached.set()
        await self._opened.wait()


Step = bytes | Pause | Close | Reset | Stall | ReadBody | Gate


@dataclass(frozen=True)
class Script:
    """What happens on one request. `early` starts it before the request's body is read."""

    steps: tuple[Step, ...]
    early: bool = False


def script(*steps: Step, early: bool = False) -> Script:
    return Script(steps, early)


def head(
    status: int = 200, headers: Mapping[str, str] | Iterable[tuple[str, str]] = (), reason: str = ""
) -> bytes:
    """A status line and headers, exactly these."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in pairs)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    """One piece of a chunked body; of no data, the last."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Script:
    """A whole answer with its content-length."""
    return script(head(status, {"content-length": str(len(body)), **(headers or {})}) + body)


def json_answer(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Script:
    body = json.dumps(value, ensure_ascii=False).encode()
    return answer(body, status, {"content-type": "application/json", **(headers or {})})


def sse_answer(
    *events: bytes | str | Mapping[str, object] | Step,
    done: bool = False,
    headers: Mapping[str, str] | None = None,
) -> Script:
    """A chunked stream of server-sent events.

    A mapping becomes one `data:` event, with an `event:` line where it has a `type`; text becomes
    the data of one; bytes go out as they are; a step happens between them. `done` appends OpenAI's
    `data: [DONE]`. A script that does not reach its end never sends the last chunk.
    """
    steps: list[Step] = [
        head(
            200,
            {
                "content-type": "text/event-stream; charset=utf-8",
                "transfer-encoding": "chunked",
                **(headers or {}),
            },
        )
    ]
    for event in (*events, "[DONE]") if done else events:
        if isinstance(event, Mapping):
            name = f"event: {event['type']}\n" if "type" in event else ""
            steps.append(chunk(f"{name}data: {json.dumps(event)}\n\n".encode()))
        elif isinstance(event, str):
            steps.append(chunk(f"data: {event}\n\n".encode()))
        elif isinstance(event, bytes):
            steps.append(chunk(event))
        else:
            steps.append(event)
    return script(*steps, chunk(b""))


@dataclass(eq=False)
class Recorded:
    """A request as it came over the wire; `headers` are those sent, in order, names as sent.

    `connection` counts the connections of the upstream from 0, so that reuse can be seen; `sent`
    counts the bytes of the answer that the socket has taken.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    raw_head: bytes
    connection: int
    body: bytes = b""
    sent: int = 0
    _closed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    _complete: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str | None:
        """The value of a header, by any case of its name; several are joined by a comma."""
        values = [value for sent, value in self.headers if sent.lower() == name.lower()]
        return ", ".join(values) if values else None

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    async def closed(self) -> None:
        """Returns when the client has closed the connection (or has lost it)."""
        await self._closed.wait()

    @property
    def is_complete(self) -> bool:
        """Whether the whole body has arrived."""
        return self._complete.is_set()


Answer = Script | Callable[[Recorded], Script]
_NOT_SCRIPTED = json_answer({"error": {"message": "no script for this path"}}, 404)


class ScriptedUpstream:
    """The server. `url` is its base, without a path and without a slash at its end."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Recorded] = []
        self.connections = 0
        self.open_connections: set[_Connection] = set()
        self._tls = tls
        self._answers: dict[str, list[Answer]] = {}
        self._arrived = asyncio.Condition()
        self._notices: set[asyncio.Task[None]] = set()

    def on(self, path: str, *answers: Answer) -> None:
        """Answers requests for `path`, in this order; the last answer repeats.

        An answer may be a function of the complete request. The path `*` stands for all others.
        """
        self._answers[path] = list(answers)

    async def request(self, index: int = 0) -> Recorded:
        """The request with this index, as soon as its head has arrived."""
        async with self._arrived:
            await self._arrived.wait_for(lambda: len(self.requests) > index)
        return self.requests[index]

    async def __aenter__(self) -> ScriptedUpstream:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", 0, ssl=self._tls, backlog=2048
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        running = [connection.stop() for connection in list(self.open_connections)]
        await asyncio.gather(*running, *self._notices, return_exceptions=True)

    def _record(self, request: Recorded) -> None:
        self.requests.append(request)
        notice = asyncio.get_running_loop().create_task(self._notify())
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _notify(self) -> None:
        async with self._arrived:
            self._arrived.notify_all()

    def _next_answer(self, path: str) -> Answer:
        answers = self._answers.get(path) or self._answers.get("*") or [_NOT_SCRIPTED]
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Connection(asyncio.Protocol):
    """One connection; `_received` wakes the script when bytes or the end of them arrive."""

    transport: asyncio.Transport

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self.upstream = upstream
        self.inbox = bytearray()
        self.request: Recorded | None = None
        self.hung_up = False
        self._received = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.number = self.upstream.connections
        self.upstream.connections += 1
        self.upstream.open_connections.add(self)
        self._serving = asyncio.get_running_loop().create_task(self._serve())

    def data_received(self, data: bytes) -> None:
        self.inbox += data
        self._received.set()

    def eof_received(self) -> None:
        self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self.upstream.open_connections.discard(self)
        self._hang_up()

    def _hang_up(self) -> None:
        self.hung_up = True
        self._received.set()
        self._writable.set()
        if self.request is not None:
            self.request._closed.set()
        self._serving.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def stop(self) -> asyncio.Task[None]:
        self.transport.abort()
        self._serving.cancel()
        return self._serving

    async def _serve(self) -> None:
        while not self.transport.is_closing():
            request = self.request = await self._read_head()
            answer = self.upstream._next_answer(request.path)
            early = isinstance(answer, Script) and answer.early
            if early:
                self.transport.pause_reading()
            else:
                await self._read_body(request)
            self.upstream._record(request)
            for step in (answer if isinstance(answer, Script) else answer(request)).steps:
                await self._perform(step, request)
            if early and not self.transport.is_closing():
                await self._read_body(request)

    async def _more(self) -> None:
        self._received.clear()
        await self._received.wait()

    async def _read_head(self) -> Recorded:
        while b"\r\n\r\n" not in self.inbox:
            await self._more()
        raw, _, rest = bytes(self.inbox).partition(b"\r\n\r\n")
        self.inbox = bytearray(rest)
        first, *lines = raw.decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = [(name, value.strip()) for name, _, value in (x.partition(":") for x in lines)]
        return Recorded(method, target, headers, raw, self.number)

    async def _read_body(self, request: Recorded) -> None:
        self.transport.resume_reading()
        if request.header("transfer-encoding") == "chunked":
            await self._read_chunks(request)
        else:
            size = int(request.header("content-length") or 0) - len(request.body)
            while len(self.inbox) < size:
                await self._more()
            request.body += bytes(self.inbox[:size])
            del self.inbox[:size]
        request._complete.set()

    async def _read_chunks(self, request: Recorded) -> None:
        size = -1
        while size != 0:
            while b"\r\n" not in self.inbox:
                await self._more()
            line, _, _ = bytes(self.inbox).partition(b"\r\n")
            size = int(line, 16)
            while len(self.inbox) < len(line) + 2 + size + 2:
                await self._more()
            request.body += bytes(self.inbox[len(line) + 2 : len(line) + 2 + size])
            del self.inbox[: len(line) + 2 + size + 2]

    async def _perform(self, step: Step, request: Recorded) -> None:
        match step:
            case bytes():
                self.transport.write(step)
                await self._writable.wait()
                request.sent += len(step)
            case Pause():
                await asyncio.sleep(step.seconds)
            case Gate():
                await step.pass_through()
            case ReadBody():
                await self._read_body(request)
            case Stall():
                await asyncio.Event().wait()
            case Close():
                self.transport.close()
            case Reset():
                sock: socket.socket = self.transport.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.transport.abort()
