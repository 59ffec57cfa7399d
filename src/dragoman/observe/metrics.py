"""Counts what requests do, in plain numbers; `http.metrics` writes them down for Prometheus.

All of this runs in the thread of the event loop, so there are no locks: a finished request costs
a few look-ups and additions. Everything counts from the start of the process.

Labels are bounded. Operations, providers, statuses and codes are few; models are the callers'
words and keys may be many, so that a table which is full counts new ones of them as `other`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, TypeVar

from dragoman.errors import (
    UpstreamDied,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from dragoman.ir import Usage
from dragoman.usage import LEFT, Entry

OTHER = "other"
"""The model and the key of what is counted together."""

MOST_SERIES = 2000
MOST_HISTOGRAMS = 300
LONGEST_LABEL = 120

DURATION_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
FIRST_TOKEN_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20, 40, 80)
LAG_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

_CLASSES = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
_KINDS: tuple[tuple[type[UpstreamError], str], ...] = (
    (UpstreamTimeout, "timeout"),
    (UpstreamUnreachable, "unreachable"),
    (UpstreamDied, "broken"),
)

TOKEN_KINDS = (
    "input", "cache_read", "cache_write", "cache_write_long", "output", "reasoning"
)  # fmt: skip
"""The disjoint counts of `ir.Usage`."""

V = TypeVar("V")


class Tally:
    """A number that only grows."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Spending:
    """Tokens by kind, what they cost in billionths of a dollar, and how many requests had no
    known price."""

    __slots__ = ("cost", "tokens", "unpriced")

    def __init__(self) -> None:
        self.tokens: dict[str, int] = dict.fromkeys(TOKEN_KINDS, 0)
        self.cost = 0
        self.unpriced = 0

    def add(self, usage: Usage) -> None:
        """Counts the tokens of one answer."""
        tokens = self.tokens
        tokens["input"] += usage.input
        tokens["cache_read"] += usage.cache_read
        tokens["cache_write"] += usage.cache_write
        tokens["cache_write_long"] += usage.cache_write_long
        tokens["output"] += usage.output
        tokens["reasoning"] += usage.reasoning


@dataclass(slots=True)
class Histogram:
    """How often values were at most each of `bounds`, in seconds; the last count has no bound."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list[int])
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def observe(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def cumulative(self) -> list[int]:
        """For each bound how many values were at most that, then how many there were."""
        return list(accumulate(self.counts))


class Table(Generic[V]):
    """Values by their labels; at most `most` of them, and those that are counted as `other`."""

    def __init__(self, labels: tuple[str, ...], make: Callable[[], V], most: int) -> None:
        self.labels = labels
        self._make = make
        self._most = most
        self._rows: dict[tuple[str, ...], V] = {}

    def __iter__(self) -> Iterator[tuple[tuple[str, ...], V]]:
        return iter(self._rows.items())

    def at(self, *labels: str) -> V:
        """The value for `labels`, which are in the order of the table's."""
        row = self._rows.get(labels)
        return row if row is not None else self._add(labels)

    def _add(self, labels: tuple[str, ...]) -> V:
        labels = tuple(map(_clean, labels))
        if len(self._rows) >= self._most and labels not in self._rows:
            labels = tuple(
                OTHER if name in {"model", "key"} else value
                for name, value in zip(self.labels, labels, strict=True)
            )
        return self._rows.setdefault(labels, self._make())


class Metrics:
    """The counts of one process. `add` takes requests that are over; `lag` is fed by
    `lag.measure_lag`."""

    def __init__(self) -> None:
        which = ("operation", "provider", "model")
        self.requests = Table((*which, "key", "status"), Tally, MOST_SERIES)
        self.errors = Table((*which, "key", "code"), Tally, MOST_SERIES)
        self.attempts = Table(("provider", "model", "result"), Tally, MOST_SERIES)
        self.spending = Table(("provider", "model", "key"), Spending, MOST_SERIES)
        self.durations = Table(which, lambda: Histogram(DURATION_BOUNDS), MOST_HISTOGRAMS)
        self.first_tokens = Table(which, lambda: Histogram(FIRST_TOKEN_BOUNDS), MOST_HISTOGRAMS)
        self.lag = Histogram(LAG_BOUNDS)

    def add(self, entry: Entry) -> None:
        """Counts a finished request; durations are those of requests that were answered whole."""
        operation, target = entry.operation.name, entry.target
        provider, model = (target.provider.id, target.model) if target else ("", "")
        key = entry.key.name if entry.key else ""
        status = classify(entry)
        self.requests.at(operation, provider, model, key, status).value += 1
        if entry.code is not None:
            self.errors.at(operation, provider, model, key, entry.code).value += 1
        for attempt in entry.failures:
            tried, result = attempt.target, failure_kind(attempt.error)
            self.attempts.at(tried.provider.id, tried.model, result).value += 1
        if entry.attempts > len(entry.failures):
            self.attempts.at(provider, model, _RESULTS.get(status, "broken")).value += 1
        if target is None:
            return
        spending = self.spending.at(provider, model, key)
        if entry.usage is not None:
            spending.add(entry.usage)
        if entry.cost is None:
            spending.unpriced += 1
        else:
            spending.cost += entry.cost
        if status == "2xx" and entry.ended is not None:
            self.durations.at(operation, provider, model).observe(entry.ended - entry.started)
            if entry.stream and entry.first_byte is not None:
                seconds = entry.first_byte - entry.started
                self.first_tokens.at(operation, provider, model).observe(seconds)


@dataclass(slots=True)
class Totals:
    """Counts since the start of the process; `by_status` is keyed by HTTP status."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    by_status: Counter[int] = field(default_factory=Counter[int])

    def add(self, entry: Entry) -> None:
        """Counts a finished request."""
        self.requests += 1
        self.errors += entry.error is not None
        self.by_status[entry.status] += 1
        if entry.usage is not None:
            self.input_tokens += entry.usage.all_input
            self.output_tokens += entry.usage.all_output


_RESULTS = {"2xx": "ok", "left": "left"}


def classify(entry: Entry) -> str:
    """What became of a request: `2xx` to `5xx` by its status, `broken` for an answer that ended in
    an error after it had begun, `left` where the client did not wait for the end."""
    if entry.code == LEFT:
        return "left"
    if entry.error is not None and entry.status < 400:
        return "broken"
    return _CLASSES.get(entry.status // 100, "5xx")


def failure_kind(error: UpstreamError) -> str:
    """Why an attempt failed: `timeout`, `unreachable`, `broken`, or the provider's status."""
    if isinstance(error, UpstreamRefused):
        return str(error.status)
    return next((name for kind, name in _KINDS if isinstance(error, kind)), "failed")


def _clean(label: str) -> str:
    """Short, and without lone surrogates, which UTF-8 cannot hold."""
    return label[:LONGEST_LABEL].encode("utf-8", "replace").decode()
