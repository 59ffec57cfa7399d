"""How long a provider wants to be left alone, by the headers of its refusal.

Every vendor says it in its own way: `retry-after` in seconds or as a date (RFC 9110, 10.2.3),
`retry-after-ms` (OpenAI, Azure), and otherwise the reset of the limit of which nothing remains:
`x-ratelimit-reset-requests: 1m2.5s` (OpenAI), a Unix time in seconds or milliseconds in
`x-ratelimit-reset` (OpenRouter, GitHub Models), a time of day in
`anthropic-ratelimit-tokens-reset`. Gemini puts `retryDelay` into the body instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dragoman.header_policy import Header

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_NUMBER = re.compile(r"\d{1,15}(?:\.\d+)?")
_GEMINI_DELAY = re.compile(rb'"retryDelay"\s*:\s*"(\d{1,9}(?:\.\d+)?)s"')
_RESET = re.compile(r"(?:x-|anthropic-)?rate-?limit-(?:.+-)?reset(?:-.+)?")
_EARLIEST_EPOCH = 1_000_000_000  # seconds; anything smaller is a span
_EARLIEST_EPOCH_MS = 100_000_000_000


def read_wait(headers: Iterable[Header], body: bytes, status: int, now: float) -> float | None:
    """Seconds to wait, None where the provider does not say; `now` is the Unix time.

    `headers` have lower-case names. What a 429 says of its limits counts only where nothing
    remains of them, or where it does not say what remains.
    """
    told = {name.decode("latin-1"): value.decode("latin-1").strip() for name, value in headers}
    if _NUMBER.fullmatch(milliseconds := told.get("retry-after-ms", "")):
        return float(milliseconds) / 1000
    if after := told.get("retry-after"):
        return _read_time(after, now)
    if status != 429:
        return None
    if delay := _GEMINI_DELAY.search(body):
        return float(delay[1])
    waits = [wait for wait in _resets(told, now) if wait is not None]
    return max(waits, default=None)


def _resets(told: Mapping[str, str], now: float) -> Iterable[float | None]:
    for name, value in told.items():
        if _RESET.fullmatch(name):
            remaining = told.get(name.replace("reset", "remaining"), "0")
            if remaining in {"", "0"}:
                yield _read_time(value, now)


def _read_time(text: str, now: float) -> float | None:
    """Seconds from `now`, of a span, a Unix time or a date."""
    if _NUMBER.fullmatch(text):
        number = float(text)
        if number >= _EARLIEST_EPOCH_MS:
            number /= 1000
        return max(number - now, 0.0) if number >= _EARLIEST_EPOCH else number
    if text and (span := _SPAN.fullmatch(text)):
        hours, minutes, seconds, milliseconds = (float(part or 0) for part in span.groups())
        return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000
    return _read_date(text, now)


def _read_date(text: str, now: float) -> float | None:
    try:
        date = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(date.timestamp() - now, 0.0)
