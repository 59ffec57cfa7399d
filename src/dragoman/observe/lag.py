"""How late the event loop is: what every request waits for besides its own work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from dragoman.observe.metrics import Histogram

PERIOD_S = 0.5


async def measure_lag(lag: Histogram, clock: Callable[[], float] = time.monotonic) -> None:
    """Sets an alarm clock again and again, and counts by how many seconds it rang late; runs
    until cancelled."""
    while True:
        due = clock() + PERIOD_S
        await asyncio.sleep(PERIOD_S)
        lag.observe(max(clock() - due, 0.0))
