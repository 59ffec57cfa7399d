"""Keeps a gateway busy for a long time and tells whether its memory grows.

    PYTHONPATH=src python bench/soak.py --minutes 60

A gateway process serves streams that are read to their end, streams whose reader leaves in the
middle, translated streams and requests that nobody can serve. Its resident memory is sampled each
second; the slope is that of a straight line through the samples after the warm-up (a fifth of the
time), with twice its standard error, estimated from the means of ten blocks since neighbouring
samples resemble each other. Every stream that is read to its end is compared byte for byte.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from reliability.served import serve
from reliability.streaming_provider import StreamingProvider, write_stream
from running_gateway import KEY

MB = 1024 * 1024
EVENTS = 40
CLIENTS = 24
BLOCKS = 10


class Soak:
    """Clients that ask without pause until `stop`; `counts` says how their requests ended."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.counts: Counter[str] = Counter()
        self.stopped = False
        self._numbers = itertools.count()
        self._random = random.Random(1)

    async def run(self) -> None:
        await asyncio.gather(*(self._ask_forever() for _ in range(CLIENTS)))

    async def _ask_forever(self) -> None:
        while not self.stopped:
            kind = self._random.choices(["read", "left", "translated", "refused"], [70, 15, 10, 5])[
                0
            ]
            name = f"s{next(self._numbers)}"
            self.counts[await self._ask(kind, name)] += 1

    async def _ask(self, kind: str, name: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(self._write_request(kind, name))
            if kind == "left":
                await reader.readuntil(b"/3 ")
                return "left in the middle"
            told, _, rest = (await reader.read(-1)).partition(b"\r\n\r\n")
            status = told[9:12].decode()
            if kind == "read":
                body = _unchunk(rest)
                return "read whole" if body == write_stream(name, EVENTS) else "BROKEN"
            if kind == "translated":
                return "translated" if b"message_stop" in rest else "BROKEN"
            return f"refused with {status}"
        finally:
            writer.transport.abort()

    def _write_request(self, kind: str, name: str) -> bytes:
        path = "/v1/messages" if kind == "translated" else "/v1/chat/completions"
        model = "nobody:m" if kind == "refused" else "up:m"
        asked = {"model": model, "messages": [{"role": "user", "content": "Hi."}], "stream": True}
        if kind == "translated":
            asked |= {"max_tokens": 100, "metadata": {"user_id": name}}
        else:
            asked |= {"user": name}
        body = json.dumps(asked).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        return head.encode() + body


def _unchunk(data: bytes) -> bytes:
    body = bytearray()
    while data:
        size, _, data = data.partition(b"\r\n")
        body += data[: int(size, 16)]
        data = data[int(size, 16) + 2 :]
    return bytes(body)


def find_slope(samples: list[tuple[float, float]]) -> tuple[float, float]:
    """MB per hour, and twice the standard error."""
    size = len(samples) // BLOCKS
    blocks = [samples[at * size : (at + 1) * size] for at in range(BLOCKS)]
    hours = [statistics.fmean(second for second, _ in block) / 3600 for block in blocks]
    memory = [statistics.fmean(value for _, value in block) for block in blocks]
    slope, start = statistics.linear_regression(hours, memory)
    left = sum((y - start - slope * x) ** 2 for x, y in zip(hours, memory, strict=True))
    spread = sum((x - statistics.fmean(hours)) ** 2 for x in hours)
    return slope, 2 * (left / (BLOCKS - 2) / spread) ** 0.5


async def soak(minutes: float) -> None:
    samples: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        async with (
            StreamingProvider(EVENTS, pause_s=0.01) as upstream,
            serve(Path(folder), upstream.url) as (process, client),
        ):
            load = Soak(client.base_url.port or 0)
            running = asyncio.create_task(load.run())
            watched = psutil.Process(process.pid)
            began = time.monotonic()
            while (elapsed := time.monotonic() - began) < minutes * 60:
                samples.append((elapsed, watched.memory_info().rss / MB))
                await asyncio.sleep(1)
            load.stopped = True
            await running
    kept = samples[len(samples) // 5 :]
    slope, error = find_slope(kept)
    print(f"{minutes:g} minutes, {CLIENTS} clients, {sum(load.counts.values())} requests")
    for how, count in load.counts.most_common():
        print(f"  {count:8} {how}")
    print(f"memory {kept[0][1]:.1f} MB after the warm-up, {kept[-1][1]:.1f} MB at the end")
    print(f"slope {slope:+.2f} MB/hour, +-{error:.2f}")
    if load.counts["BROKEN"]:
        raise SystemExit("Streams were broken.")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--minutes", type=float, default=60)
    asyncio.run(soak(arguments.parse_args().minutes))
