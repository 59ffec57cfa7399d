"""How the limits of a gateway key stand, in the headers of the caller's vendor.

OpenAI gives spans until a limit is full again (`6m0s`), Anthropic points in time:
https://developers.openai.com/api/docs/guides/rate-limits and
https://platform.claude.com/docs/en/api/rate-limits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from dragoman.header_policy import Header
from dragoman.limits import Window
from dragoman.protocols import ErrorShape

_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")


def window_headers(shape: ErrorShape, windows: Iterable[Window], now: datetime) -> list[Header]:
    """Limit, remainder and renewal of each window, in the dialect of `shape`."""
    headers: list[Header] = []
    for window in windows:
        values = [("limit", str(window.limit)), ("remaining", str(window.remaining))]
        if shape is ErrorShape.ANTHROPIC:
            renewal = now.astimezone(UTC) + timedelta(seconds=math.ceil(window.reset_s))
            values.append(("reset", f"{renewal:%Y-%m-%dT%H:%M:%SZ}"))
            names = [f"anthropic-ratelimit-{window.limited}-{name}" for name, _ in values]
        else:
            values.append(("reset", _span(window.reset_s)))
            names = [f"x-ratelimit-{name}-{window.limited}" for name, _ in values]
        pairs = zip(names, (value for _, value in values), strict=True)
        headers += [(name.encode(), value.encode()) for name, value in pairs]
    return headers


def without_windows(headers: Iterable[Header]) -> list[Header]:
    """`headers` less those by which a provider tells of the gateway's own limits there."""
    return [header for header in headers if not header[0].lower().startswith(_PREFIXES)]


def _span(seconds: float) -> str:
    """`250ms`, `12s` or `6m0s`, as Go writes durations."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
