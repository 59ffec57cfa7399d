"""A token bucket: one minute's allowance, which fills evenly."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dragoman.limits import Window

_MINUTE_MS = 60_000


@dataclass(slots=True)
class Bucket:
    """How full it is; `level` may be a debt. Times are in milliseconds."""

    limit: int
    level: float
    filled_at: int

    def fill(self, limit: int, now: int) -> None:
        """Adds what the time since the last call has brought; the limit may have changed."""
        elapsed = max(0, now - self.filled_at)
        self.limit = limit
        self.level = min(limit, self.level + elapsed * limit / _MINUTE_MS)
        self.filled_at = max(now, self.filled_at)

    def give_back(self, amount: int) -> None:
        """Adds what was taken and not used; negative where more was used."""
        self.level = min(self.limit, self.level + amount)

    def wait_ms(self) -> int:
        """How long until there is something to take."""
        exact = (1 - self.level) * _MINUTE_MS / self.limit
        return max(0, math.ceil(exact - 1e-3))  # not a whole millisecond for a rounding error

    def window(self, limited: str) -> Window:
        """How the limit stands."""
        reset_s = (self.limit - self.level) * 60 / self.limit
        return Window(limited, self.limit, max(0, int(self.level)), reset_s)
