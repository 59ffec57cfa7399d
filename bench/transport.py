"""What one request costs each transport: microseconds of CPU in the client's own process.

    python bench/transport.py [--requests N] [--connections N] [--loop uvloop|asyncio]

A server in a process of its own sends canned answers, so that nothing but the transport, the
event loop and the kernel's sockets is measured: one JSON answer of 700 bytes, and one stream of
server-sent events that arrive one segment at a time (their cost is given for each event).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import time
from multiprocessing.connection import Connection
from typing import cast

import uvloop

from dragoman.upstream.aiohttp_transport import AiohttpTransport
from dragoman.upstream.http1 import Http1Transport
from dragoman.upstream.seam import Request, Transport

EVENTS = 100
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"token"}}]}\n\n'
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
ANSWER = json.dumps({"object": "chat.completion", "content": "x" * 650}).encode()
ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ndate: Mon, 01 Jan 2026 00:00:00 GMT\r\n"
    b"server: bench\r\nx-request-id: 1\r\ncontent-length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
)
HEADERS = (
    (b"authorization", b"Bearer sk-bench"),
    (b"content-type", b"application/json"),
    (b"accept", b"*/*"),
    (b"user-agent", b"bench"),
)
BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "y" * 300}]}).encode()


class CannedServer(asyncio.Protocol):
    """Answers every segment that it gets as one request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.left = 0

    def data_received(self, data: bytes) -> None:
        if data.startswith(b"POST /json"):
            self.transport.write(ANSWER)
        else:
            self.left = EVENTS
            self.transport.write(STREAM_HEAD)
            self.send_event()

    def send_event(self) -> None:
        if self.transport.is_closing():
            return
        if self.left == 0:
            self.transport.write(b"0\r\n\r\n")
            return
        self.left -= 1
        self.transport.write(b"%x\r\n%s\r\n" % (len(EVENT), EVENT))
        asyncio.get_running_loop().call_later(0.002, self.send_event)


async def serve(channel: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(CannedServer, "127.0.0.1", 0)
    channel.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def run_server(channel: Connection) -> None:
    uvloop.run(serve(channel))


async def fetch(transport: Transport, request: Request, times: int) -> None:
    for _ in range(times):
        async for _chunk in await transport.send(request):
            pass


async def measure(transport: Transport, url: str, requests: int, connections: int) -> float:
    """CPU seconds for one request, after a warm-up that opens the connections."""
    request = Request("POST", url, HEADERS, BODY)
    each = max(1, requests // connections)
    await asyncio.gather(*(fetch(transport, request, 2) for _ in range(connections)))
    began = time.process_time()
    await asyncio.gather(*(fetch(transport, request, each) for _ in range(connections)))
    return (time.process_time() - began) / (each * connections)


async def compare(port: int, requests: int, connections: int) -> None:
    print(f"{'transport':<10} {'us/request':>11} {'us/event':>9}")
    for name, kind in (("http1", Http1Transport), ("aiohttp", AiohttpTransport)):
        transport = kind()
        base = f"http://127.0.0.1:{port}"
        whole = await measure(transport, f"{base}/json", requests, connections)
        stream = await measure(transport, f"{base}/stream", requests // 20, connections)
        print(f"{name:<10} {whole * 1e6:>11.1f} {(stream - whole) / EVENTS * 1e6:>9.1f}")
        await transport.aclose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    options = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=run_server, args=(theirs,), daemon=True)
    server.start()
    factory = uvloop.new_event_loop if options.loop == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(compare(ours.recv(), options.requests, options.connections))
    server.terminate()
    server.join()


if __name__ == "__main__":
    main()
