"""The time as the database keeps it, and as people write it."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from dragoman.errors import InvalidRequest

_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")
_UNIT_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def now_ms() -> int:
    """UTC now, in whole milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def read_past(text: str, now: int, param: str) -> int:
    """A time in the past, in Unix milliseconds: so long before `now` (`7d`; also `m`, `h`, `w`),
    or an ISO 8601 time, in UTC where it does not say. `param` is its name, for messages.

    Raises InvalidRequest.
    """
    text = text.strip()
    if span := _SPAN.fullmatch(text):
        return max(now - int(span[1]) * _UNIT_MS[span[2]], 0)
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max(round(moment.timestamp() * 1000), 0)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"`{text}` is no time: write `7d`, `12h` or a date such as `2026-01-31`.", param=param
        ) from error
