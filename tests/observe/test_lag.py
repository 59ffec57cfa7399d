"""observe.lag: a loop that is late is counted as late as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from dragoman.observe import lag
from dragoman.observe.lag import PERIOD_S, measure_lag
from dragoman.observe.metrics import LAG_BOUNDS, Histogram


async def test_lateness_is_what_exceeds_the_period(monkeypatch: pytest.MonkeyPatch) -> None:
    times: Iterator[float] = iter([10.0, 10.0 + PERIOD_S + 0.3, 20.0, 20.0 + PERIOD_S - 0.1])

    def clock() -> float:
        try:
            return next(times)
        except StopIteration:
            raise asyncio.CancelledError from None

    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(lag.asyncio, "sleep", sleep)
    histogram = Histogram(LAG_BOUNDS)
    with pytest.raises(asyncio.CancelledError):
        await measure_lag(histogram, clock)
    assert slept == [PERIOD_S, PERIOD_S]
    assert histogram.cumulative()[-1] == 2
    assert histogram.sum == pytest.approx(0.3)
