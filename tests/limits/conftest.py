"""The same suite for both meters: one in memory, one in a Redis server of the tests' own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field

import pytest
from redis_server import run_redis

from dragoman.allowance import read_allowance
from dragoman.limits import Demand, Hold, Meter, Refusal
from dragoman.limits.memory import MemoryMeter
from dragoman.limits.redis import RedisMeter
from dragoman.shared import open_redis

NOON = 1_795_521_600_000
"""Tuesday, 24 November 2026, 12:00 UTC."""


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: int = NOON

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


@dataclass
class Record:
    """What the database says was spent, by key; `asked` are the questions."""

    spent: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, key_id: str, since: int) -> int:
        self.asked.append((key_id, since))
        return self.spent.get(key_id, 0)


@dataclass
class Bench:
    """A meter with a clock and a record that the test holds in its hands."""

    meter: Meter
    clock: Clock
    record: Record

    async def ask(
        self, *, key: str = "k", tokens: int = 0, cost: int = 0, **limits: object
    ) -> tuple[Hold, Refusal | None]:
        hold = Hold(key, read_allowance(**limits), Demand(tokens, cost))  # type: ignore[arg-type]
        return hold, await self.meter.reserve(hold)

    async def settle(self, hold: Hold, tokens: int = 0, cost: int = 0) -> None:
        """Settles, and waits until it is done."""
        self.meter.settle(hold, Demand(tokens, cost))
        if isinstance(self.meter, RedisMeter):
            await self.meter.drain()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with run_redis() as url:
        yield url


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def record() -> Record:
    return Record()


@pytest.fixture(params=["memory", "redis"])
async def bench(
    request: pytest.FixtureRequest, clock: Clock, record: Record
) -> AsyncGenerator[Bench, None]:
    if request.param == "memory":
        yield Bench(MemoryMeter(record, clock=clock), clock, record)
        return
    client = open_redis(request.getfixturevalue("redis_url"))
    await client.flushall()
    meter = RedisMeter(client, record, clock=clock)
    yield Bench(meter, clock, record)
    await meter.aclose()
    await client.aclose()
