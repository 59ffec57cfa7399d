"""The law of both meters: whatever happens in whichever order, a budget is never exceeded by as
much as the largest reservation, and never are more requests under way than allowed.

Requests use at most what they reserved. A crash takes the requests of a process with it: nobody
records what they have cost, and what they held is free once their leases have run out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits.conftest import NOON, Clock, Record

from dragoman.allowance import Allowance, Budget, Period
from dragoman.errors import DragomanError
from dragoman.limits import Demand, Hold, Limits, Meter
from dragoman.limits.memory import MemoryMeter
from dragoman.limits.redis import LEASE_MS, RedisMeter
from dragoman.shared import open_redis

BUDGET, AT_ONCE = 100, 4
ALLOWANCE = Allowance(
    concurrency=AT_ONCE, budgets=(Budget(BUDGET, Period.DAY), Budget(2 * BUDGET, Period.TOTAL))
)
LARGEST = 60

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("reserve"), st.integers(0, 2), st.integers(0, LARGEST)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.floats(0, 1)),
        st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("crash"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 2 * LEASE_MS), st.just(0)),
    ),
    max_size=60,
)


@dataclass
class World:
    """Some processes, what they hold, and what the database has recorded."""

    meters: list[Meter]
    clock: Clock
    record: Record
    held: list[tuple[int, Hold]] = field(default_factory=list)

    @property
    def recorded(self) -> int:
        return self.record.spent.get("k", 0)

    async def act(self, action: str, number: int, amount: float) -> None:
        match action:
            case "reserve":
                process = number % len(self.meters)
                hold = Hold("k", ALLOWANCE, Demand(cost=int(amount)))
                try:
                    await Limits(self.meters[process]).reserve(hold, "k")
                except DragomanError:
                    return
                self.held.append((process, hold))
                assert self.recorded < BUDGET, "nothing was left"
            case "settle" | "release" if self.held:
                process, hold = self.held.pop(number % len(self.held))
                cost = int(hold.demand.cost * amount)
                self.record.spent["k"] = self.recorded + cost
                Limits(self.meters[process]).settle(hold, Demand(cost=cost))
                await self.quiet()
            case "crash":
                await self.crash(number % len(self.meters))
            case "wait":
                await self.wait(number)

    async def crash(self, process: int) -> None:
        lost = [hold for owner, hold in self.held if owner == process]
        self.held = [(owner, hold) for owner, hold in self.held if owner != process]
        meter = self.meters[process]
        if isinstance(meter, MemoryMeter):
            self.meters[process] = MemoryMeter(self.record, clock=self.clock)
        elif isinstance(meter, RedisMeter):
            for hold in lost:
                del meter._live[hold.id]

    async def wait(self, milliseconds: int) -> None:
        """Time passes in steps that are shorter than a lease; the living renew theirs."""
        while milliseconds > 0:
            self.clock.now += min(milliseconds, LEASE_MS // 2)
            milliseconds -= LEASE_MS // 2
            for meter in self.meters:
                if isinstance(meter, RedisMeter):
                    await meter._renew_leases()

    async def quiet(self) -> None:
        """Until everything that was settled has arrived."""
        for meter in self.meters:
            if isinstance(meter, RedisMeter):
                await meter.drain()


async def obey(world: World, actions: list[tuple[str, int, float]]) -> None:
    for action in actions:
        await world.act(*action)
        assert world.recorded < BUDGET + LARGEST
        assert len(world.held) <= AT_ONCE
    for process in range(len(world.meters)):
        await world.crash(process)
    await world.wait(2 * LEASE_MS)
    free = Hold("k", ALLOWANCE)
    refusal = await world.meters[0].reserve(free)
    assert (refusal is None) == (world.recorded < BUDGET), "what the dead held is free again"


@given(actions=ACTIONS)
async def test_memory(actions: list[tuple[str, int, float]]) -> None:
    clock, record = Clock(NOON), Record()
    await obey(World([MemoryMeter(record, clock=clock)], clock, record), actions)


@given(actions=ACTIONS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
async def test_redis(redis_url: str, actions: list[tuple[str, int, float]]) -> None:
    clock, record = Clock(NOON), Record()
    client = open_redis(redis_url)
    await client.flushall()
    meters: list[Meter] = [RedisMeter(client, record, clock=clock) for _ in range(3)]
    await obey(World(meters, clock, record), actions)
    for meter in meters:
        await meter.aclose()
    await client.aclose()


@pytest.mark.parametrize("kind", ["memory", "redis"])
async def test_a_hundred_at_once_cannot_overshoot(
    kind: str, request: pytest.FixtureRequest
) -> None:
    """All ask in the same moment; a budget of ten such requests lets in ten."""
    clock, record = Clock(NOON), Record()
    allowance = Allowance(budgets=(Budget(100, Period.DAY),))
    meters: list[Meter] = [MemoryMeter(record, clock=clock)]
    if kind == "redis":
        client = open_redis(request.getfixturevalue("redis_url"))
        await client.flushall()
        meters = [RedisMeter(client, record, clock=clock) for _ in range(4)]
    holds = [Hold("k", allowance, Demand(cost=10)) for _ in range(100)]
    refusals = await asyncio.gather(
        *(meters[number % len(meters)].reserve(hold) for number, hold in enumerate(holds))
    )
    assert sum(refusal is None for refusal in refusals) == 10
    for meter in meters:
        await meter.aclose()
    if kind == "redis":
        await client.aclose()
