"""What recording a request costs, and how long questions take over many of them.

    python bench/ledger.py cost                      microseconds of processor time per request
    python bench/ledger.py questions --rows 10000000 --database /somewhere/big.db

`questions` fills a new SQLite database through the gateway's own writer (90 days, 20 models of 4
providers, 12 keys, one request in 50 failed), asks what the pages of the UI ask, and prints the
median of five, in milliseconds: what passed, and the processor time in it, which a busy machine
does not lengthen. A database that is there already is asked as it is. Figures
stand in docs/usage.md.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from dragoman.ir import Usage
from dragoman.ledger import Ledger, make_record
from dragoman.prices import Prices, PriceSpec
from dragoman.protocols import CHAT, Protocol
from dragoman.providers.provider import Auth, Provider
from dragoman.routing import Target
from dragoman.secrets import SecretBox
from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.requests import Record, RequestStore, Search
from dragoman.store.usage import DAY_MS, HOUR_MS, Grouping, Scope, UsageStore
from dragoman.usage import Entry

DAYS = 90
BATCH = 5000
BOX = SecretBox(bytes(32), "the benchmark's key")
UP = Provider("up", "openai-compatible", "Up", {}, frozenset({Protocol.CHAT}), Auth.BEARER)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    cost = commands.add_parser("cost")
    cost.add_argument("--requests", type=int, default=30_000)
    cost.add_argument("--batch", type=int, default=300, help="requests within one transaction")
    questions = commands.add_parser("questions")
    questions.add_argument("--rows", type=int, default=10_000_000)
    questions.add_argument("--database", type=Path)
    options = parser.parse_args()
    if options.command == "cost":
        asyncio.run(measure_cost(options.requests, options.batch))
    else:
        asyncio.run(measure_questions(options.rows, options.database))


async def measure_cost(requests: int, batch: int) -> None:
    """Processor time of pricing, recording and writing, each per request."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Path(folder) / "dragoman.db")
        ledger = Ledger(RequestStore(database, BOX))
        prices = Prices([PriceSpec(model="up:m", input=1, output=2)])
        taken = written = 0.0
        for start in range(0, requests, batch):
            entries = [_entry(number) for number in range(start, start + batch)]
            began = time.process_time()
            for entry in entries:
                entry.charge(prices)
                ledger.add(make_record(entry))
            taken += time.process_time() - began
            began = time.process_time()
            await ledger.flush()
            written += time.process_time() - began
        await database.aclose()
    print(f"price and record  {taken / requests * 1e6:6.1f} us per request")
    print(f"write             {written / requests * 1e6:6.1f} us per request, {batch} at a time")


def _entry(number: int) -> Entry:
    entry = Entry(f"req_{number:024x}", CHAT, client="OpenAI/Python 3.57.0", status=200)
    entry.begin_attempt(Target(UP, "m"))
    entry.mark_first_byte()
    entry.usage = Usage(input=900, cache_read=2000, output=150, reasoning=64)
    entry.ended = time.monotonic()
    return entry


async def measure_questions(rows: int, where: Path | None) -> None:
    """Fills a database unless it is there, and asks it."""
    with tempfile.TemporaryDirectory() as folder:
        where = where or Path(folder) / "dragoman.db"
        is_new = not where.exists()
        database = await Database.open(where)
        store = RequestStore(database, BOX)
        if is_new:
            await _fill(store, rows)
        size = sum(file.stat().st_size for file in where.parent.glob(where.name + "*"))
        print(f"{size / 1e9:.2f} GB")
        for name, ask in _questions(store, UsageStore(database)).items():
            times = [await _time(ask) for _ in range(5)]
            waited, worked = (statistics.median(each) * 1000 for each in zip(*times, strict=True))
            print(f"{name:42}{waited:8.1f} ms, of the processor {worked:8.1f} ms")
        await database.aclose()


async def _fill(store: RequestStore, rows: int) -> None:
    began, now = time.monotonic(), now_ms()
    step = DAYS * DAY_MS / rows
    chance = random.Random(1)
    for start in range(0, rows, BATCH):
        numbers = range(start, min(start + BATCH, rows))
        await store.add(
            [_record(chance, number, now - round((rows - number) * step)) for number in numbers]
        )
    print(f"{rows} rows written in {time.monotonic() - began:.0f} s")


def _record(chance: random.Random, number: int, at: int) -> Record:
    key, model = chance.randrange(12), chance.randrange(20)
    failed = chance.random() < 0.02
    return Record(
        started_at=at,
        request_id=f"req_{chance.getrandbits(96):024x}",
        client="claude-cli/2.1.0 (external, cli)",
        operation="messages",
        protocol="messages",
        upstream_protocol="messages",
        key_id=f"key_{key:016x}",
        key_name=f"key {key}",
        provider=f"provider-{model % 4}",
        model=f"model-{model}",
        stream=True,
        status=529 if failed else 200,
        error=f"The provider is overloaded ({number % 977})." if failed else None,
        attempts=1,
        duration_ms=round(chance.lognormvariate(8, 1)),
        first_byte_ms=None if failed else round(chance.lognormvariate(6, 0.7)),
        input_tokens=chance.randrange(3000),
        cache_read_tokens=chance.randrange(50_000),
        cache_write_tokens=chance.randrange(2000),
        cache_write_long_tokens=0,
        output_tokens=chance.randrange(2000),
        reasoning_tokens=chance.randrange(500),
        searches=0,
        cost=chance.randrange(10**8),
        price="genai-prices 0.2.3, anthropic/claude-opus-4-5",
    )


def _questions(
    store: RequestStore, usage: UsageStore
) -> dict[str, Callable[[], Awaitable[object]]]:
    now = now_ms()

    def last(days: float) -> Scope:
        return Scope(now - round(days * DAY_MS), now + 1)

    def search(**wanted: object) -> Callable[[], Awaitable[object]]:
        return lambda: store.search(Search(**wanted), 50)

    return {
        "total of 90 days": lambda: usage.total(last(90)),
        "by model, 7 days": lambda: usage.by_group(last(7), Grouping.MODEL),
        "by model, 90 days": lambda: usage.by_group(last(90), Grouping.MODEL),
        "by key, 90 days": lambda: usage.by_group(last(90), Grouping.KEY),
        "by day, 90 days": lambda: usage.by_group(last(90), Grouping.DAY),
        "course by model, 90 days by day": lambda: usage.series(last(90), Grouping.MODEL, DAY_MS),
        "course by model, 2 days by hour": lambda: usage.series(last(2), Grouping.MODEL, HOUR_MS),
        "latency by model, 30 days": lambda: usage.latencies(last(30), Grouping.MODEL),
        "latency, 90 days": lambda: usage.latencies(last(90), None),
        "log: newest": search(),
        "log: a month ago": search(until=now - 30 * DAY_MS),
        "log: one key": search(key_id=f"key_{3:016x}"),
        "log: one model": search(provider="provider-1", model="model-1"),
        "log: failed": search(failed=True),
        "log: status 5xx": search(statuses=(500, 599)),
        "log: text of an error, found": search(text="overloaded (17)"),
        "log: text of an error of 7 days, not there": search(
            text="no such text", since=now - 7 * DAY_MS
        ),
        "log: text of an error, not there": search(text="no such text"),
        "log: one request by its id": search(request_id="req_none"),
    }


async def _time(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Seconds that passed, and seconds of this process's processor time."""
    began, began_work = time.perf_counter(), time.process_time()
    await ask()
    return time.perf_counter() - began, time.process_time() - began_work


if __name__ == "__main__":
    main()
