"""The time as the database keeps it."""

from __future__ import annotations

import time


def now_ms() -> int:
    """UTC now, in whole milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
