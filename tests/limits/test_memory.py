"""What is the memory meter's own; `test_meters` and `test_laws` hold what both must do."""

from __future__ import annotations

import asyncio

from dragoman.allowance import read_allowance
from dragoman.limits import Demand, Hold
from dragoman.limits.memory import MemoryMeter

BUDGET = read_allowance(budgets=["0.000000100/day"])


async def test_a_cost_that_is_settled_while_another_reads_is_not_lost(clock) -> None:
    """The second reader's figure is older than what the first has settled since."""
    answers = [asyncio.get_running_loop().create_future() for _ in range(2)]
    asked: list[int] = []

    async def spent_since(_: str, since: int) -> int:
        asked.append(since)
        return await answers[len(asked) - 1]

    meter = MemoryMeter(spent_since, clock=clock)
    first, second = Hold("k", BUDGET), Hold("k", BUDGET)
    reserving = [asyncio.ensure_future(meter.reserve(each)) for each in (first, second)]
    await asyncio.sleep(0)
    answers[0].set_result(0)
    assert await reserving[0] is None
    meter.settle(first, Demand(cost=100))
    answers[1].set_result(0)
    assert (await reserving[1]) is not None


async def test_a_period_is_read_once(record, clock) -> None:
    meter = MemoryMeter(record, clock=clock)
    for _ in range(3):
        await meter.reserve(Hold("k", BUDGET))
    assert len(record.asked) == 1


async def test_periods_that_are_over_are_forgotten(record, clock) -> None:
    meter = MemoryMeter(record, clock=clock)
    for _ in range(5):
        await meter.reserve(Hold("k", BUDGET))
        clock.advance(86_400)
    assert len(meter._accounts["k"].spent) == 1
