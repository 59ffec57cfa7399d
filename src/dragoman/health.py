"""How providers fare: which key has to rest, which one is refused, who answers soonest.

A *lane* is one way to a model: a provider, one of its keys, the model. Three things keep it back:

- a *pause*: the provider wants no requests for a while (429, or a failure with `retry-after`). It
  holds for the key and the model, as rate limits do.
- a *refusal*: 401 for the key, 403 for the key and the model. Such a lane is tried after all
  others, since only the provider knows when the key has been put right.
- an open *breaker*. One counts the times in a row that the provider could not be reached or was
  silent for too long, one for each key its failures (5xx, broken answers). At the threshold it
  opens; then one request at a time is let through as a probe, whose success closes it and whose
  failure opens it for twice as long.

Times are those of a monotonic clock: a wall clock that jumps changes nothing here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeVar

from dragoman.errors import UpstreamError, UpstreamTimeout, UpstreamUnreachable
from dragoman.routing import Target

LONGEST_PAUSE_S = 300.0
"""Limits get raised and bills paid: after this time a provider is asked again, whatever it said."""

_LONGEST_OPEN_S = 60.0
_FIRST_PAUSE_S = 1.0  # after a 429 that does not say how long; doubles while they go on
_PROBE_WAIT_S = 1.0  # how soon to look again while a probe is under way
_LATENCY_LIFE_S = 120.0  # older figures are forgotten, so that a slow target gets its chance
_LATENCY_WEIGHT = 0.3  # of the newest figure in the average
_LIMIT_LIFE_S = 60.0  # for so long a key that was limited stands behind the others
_MOST_PLACES = 10_000  # model names are the callers' words: what is kept of them is bounded

K = TypeVar("K")
V = TypeVar("V")


class Lane(NamedTuple):
    """One way to a model; `key` is None for providers without keys."""

    target: Target
    key: str | None


class BreakerState(StrEnum):
    """What a breaker lets through."""

    CLOSED = "closed"  # everything
    OPEN = "open"  # nothing
    HALF_OPEN = "half_open"  # one probe


@dataclass(slots=True)
class Breaker:
    """Counts failures in a row; `open_until` is None while it is closed."""

    failures: int = 0
    open_until: float | None = None
    open_s: float = 0.0
    probing: bool = False

    def state(self, now: float) -> BreakerState:
        if self.open_until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if now < self.open_until else BreakerState.HALF_OPEN

    def wait(self, now: float) -> float:
        """Seconds until a request may pass; 0 for now."""
        if self.open_until is None:
            return 0.0
        if now < self.open_until:
            return self.open_until - now
        return _PROBE_WAIT_S if self.probing else 0.0

    def count(self, now: float, threshold: int, first_open_s: float) -> None:
        """Notes a failure. A `threshold` of 0 never opens it."""
        self.failures += 1
        self.probing = False
        if threshold and (self.failures >= threshold or self.open_until is not None):
            self.open_s = min(self.open_s * 2 or first_open_s, max(_LONGEST_OPEN_S, first_open_s))
            self.open_until = now + self.open_s

    def close(self) -> None:
        self.failures, self.open_until, self.open_s, self.probing = 0, None, 0.0, False


@dataclass(slots=True)
class _Pause:
    until: float
    reason: str
    in_a_row: int = 1


@dataclass(slots=True)
class _Latency:
    """A running average of seconds, and when it was last fed."""

    seconds: float
    at: float


class KeyState(StrEnum):
    """What can be said of a provider's key."""

    READY = "ready"
    LIMITED = "limited"
    REFUSED = "refused"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class KeyReport:
    """How one key of a provider fares. `wait_s` is how long it rests, 0 where it does not."""

    state: KeyState
    breaker: BreakerState
    failures: int
    wait_s: float
    reason: str | None


_Place = tuple[str, str | None, str]  # provider, key, model; an empty model stands for all


@dataclass(slots=True)
class _KeyRecord:
    breaker: Breaker = field(default_factory=Breaker)
    uses: int = 0
    limited_at: float | None = None


class Health:
    """Everything that is known; one for each process, fed by the attempts of all requests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.breaker_failures = 10
        self.breaker_s = 5.0
        self._clock = clock
        self._providers: dict[str, Breaker] = {}
        self._keys: dict[tuple[str, str | None], _KeyRecord] = {}
        self._pauses: dict[_Place, _Pause] = {}
        self._refusals: dict[_Place, str] = {}
        self._latencies: dict[tuple[str, bool], _Latency] = {}

    def wait(self, lane: Lane) -> float:
        """Seconds until the lane may be tried; 0 for now."""
        now = self._clock()
        provider_id = lane.target.provider.id
        waits = [self._pause_left(_place(lane), now)]
        if breaker := self._providers.get(provider_id):
            waits.append(breaker.wait(now))
        if record := self._keys.get((provider_id, lane.key)):
            waits.append(record.breaker.wait(now))
        return max(waits)

    def is_limited(self, lane: Lane) -> bool:
        """Whether the lane rests because the provider wants no requests for a while."""
        return self._pause_left(_place(lane), self._clock()) > 0

    def lanes(self, target: Target) -> list[Lane]:
        """The lanes to `target`, best first: keys that are not refused, of those the ones that
        were not limited lately, of those the one that was used least."""
        lanes = [Lane(target, key) for key in target.provider.api_keys or (None,)]
        if len(lanes) == 1:
            return lanes
        now = self._clock()
        return sorted(lanes, key=lambda lane: self._rank(lane, now))

    def latency(self, target: Target, *, stream: bool) -> float:
        """Seconds until answers of the target began lately; 0 where nobody knows, so that it is
        found out."""
        known = self._latencies.get((target.name, stream))
        if known is None or self._clock() - known.at > _LATENCY_LIFE_S:
            return 0.0
        return known.seconds

    @contextmanager
    def trial(self, lane: Lane, *, stream: bool) -> Generator[None]:
        """Watches one attempt: how the block ends is how the lane fared.

        An end that says nothing of the provider (the client has left) is not counted.
        """
        began = self._clock()
        self._begin(lane, began)
        try:
            yield
        except UpstreamError as error:
            self._fail(lane, error)
            raise
        except BaseException:
            self._give_up(lane)
            raise
        self._succeed(lane, began, stream)

    def forget(self, provider_id: str) -> None:
        """Begins anew with a provider that was changed or has just been found to work."""
        self._providers.pop(provider_id, None)
        _drop(self._keys, [place for place in self._keys if place[0] == provider_id])
        _drop(self._pauses, [place for place in self._pauses if place[0] == provider_id])
        _drop(self._refusals, [place for place in self._refusals if place[0] == provider_id])

    def breaker_of(self, provider_id: str) -> BreakerState:
        """The state of the breaker that guards the provider as a whole."""
        breaker = self._providers.get(provider_id)
        return breaker.state(self._clock()) if breaker else BreakerState.CLOSED

    def report(self, provider_id: str, key: str | None) -> KeyReport:
        """How a key fares."""
        now = self._clock()
        breaker = self._keys.get((provider_id, key), _KeyRecord()).breaker
        refused = _first(self._refusals, provider_id, key)
        pauses = [
            pause
            for place, pause in self._pauses.items()
            if place[:2] == (provider_id, key) and pause.until > now
        ]
        longest = max(pauses, key=lambda pause: pause.until, default=None)
        wait = max(longest.until - now if longest else 0.0, breaker.wait(now))
        state, reason = KeyState.READY, None
        if refused is not None:
            state, reason = KeyState.REFUSED, refused
        elif longest is not None:
            state, reason = KeyState.LIMITED, longest.reason
        elif breaker.state(now) is not BreakerState.CLOSED:
            state, reason = KeyState.FAILING, f"It failed {breaker.failures} times in a row."
        return KeyReport(state, breaker.state(now), breaker.failures, round(wait, 3), reason)

    def _begin(self, lane: Lane, now: float) -> None:
        provider_id = lane.target.provider.id
        breakers = [self._providers.get(provider_id)]
        if len(lane.target.provider.api_keys) > 1:
            self._record(lane).uses += 1
        if record := self._keys.get((provider_id, lane.key)):
            breakers.append(record.breaker)
        for breaker in breakers:
            if breaker is not None and breaker.state(now) is BreakerState.HALF_OPEN:
                breaker.probing = True

    def _succeed(self, lane: Lane, began: float, stream: bool) -> None:
        self._close_breakers(lane)
        if self._pauses or self._refusals:
            for place in (_place(lane), _whole_key(lane)):
                self._pauses.pop(place, None)
                self._refusals.pop(place, None)
        now = self._clock()
        name = lane.target.name, stream
        old = self.latency(lane.target, stream=stream) or now - began
        average = old + _LATENCY_WEIGHT * (now - began - old)
        _put(self._latencies, name, _Latency(average, now))

    def _fail(self, lane: Lane, error: UpstreamError) -> None:
        now = self._clock()
        self._give_up(lane)
        if isinstance(error, UpstreamUnreachable | UpstreamTimeout):
            self._count(self._providers.setdefault(lane.target.provider.id, Breaker()), now)
            return
        # It answers; what it says may still be a failure.
        if breaker := self._providers.get(lane.target.provider.id):
            breaker.close()
        if error.status >= 500:
            self._count(self._record(lane).breaker, now)
        elif record := self._keys.get((lane.target.provider.id, lane.key)):
            record.breaker.close()
        if error.status == 401:
            _put(self._refusals, _whole_key(lane), error.message)
        elif error.status == 403:
            _put(self._refusals, _place(lane), error.message)
        if error.status == 429 or error.retry_after is not None:
            self._pause(lane, error, now)

    def _pause(self, lane: Lane, error: UpstreamError, now: float) -> None:
        place = _place(lane)
        before = self._pauses.get(place)
        in_a_row = before.in_a_row + 1 if before else 1
        seconds = error.retry_after
        if seconds is None:
            seconds = _FIRST_PAUSE_S * 2 ** min(in_a_row - 1, 6)
        until = now + min(max(seconds, 0.0), LONGEST_PAUSE_S)
        _put(self._pauses, place, _Pause(until, error.message, in_a_row))
        self._record(lane).limited_at = now

    def _give_up(self, lane: Lane) -> None:
        """The probe, if it was one, has told nothing: let another one through."""
        provider_id = lane.target.provider.id
        if breaker := self._providers.get(provider_id):
            breaker.probing = False
        if record := self._keys.get((provider_id, lane.key)):
            record.breaker.probing = False

    def _count(self, breaker: Breaker, now: float) -> None:
        breaker.count(now, self.breaker_failures, self.breaker_s)

    def _close_breakers(self, lane: Lane) -> None:
        provider_id = lane.target.provider.id
        if breaker := self._providers.get(provider_id):
            breaker.close()
        if record := self._keys.get((provider_id, lane.key)):
            record.breaker.close()

    def _record(self, lane: Lane) -> _KeyRecord:
        provider = lane.target.provider
        record = self._keys.get((provider.id, lane.key))
        if record is None:
            others = [self._keys.get((provider.id, key)) for key in provider.api_keys]
            # A new key begins where the least used one stands, or it would get everything.
            uses = max(min((each.uses for each in others if each), default=0) - 1, 0)
            record = self._keys[(provider.id, lane.key)] = _KeyRecord(uses=uses)
        return record

    def _rank(self, lane: Lane, now: float) -> tuple[bool, float, int]:
        record = self._keys.get((lane.target.provider.id, lane.key), _UNUSED)
        refused = _place(lane) in self._refusals or _whole_key(lane) in self._refusals
        limited_at = record.limited_at
        if limited_at is None or now - limited_at > _LIMIT_LIFE_S:
            limited_at = -1.0
        return refused, limited_at, record.uses

    def _pause_left(self, place: _Place, now: float) -> float:
        pause = self._pauses.get(place)
        return max(pause.until - now, 0.0) if pause else 0.0


_UNUSED = _KeyRecord()


def _place(lane: Lane) -> _Place:
    return lane.target.provider.id, lane.key, lane.target.model


def _whole_key(lane: Lane) -> _Place:
    return lane.target.provider.id, lane.key, ""


def _put(table: dict[K, V], key: K, value: V) -> None:
    """Sets the newest entry; the oldest one goes when there are too many."""
    table.pop(key, None)
    table[key] = value
    if len(table) > _MOST_PLACES:
        del table[next(iter(table))]


def _drop(table: dict[K, V], keys: Iterable[K]) -> None:
    for key in keys:
        del table[key]


def _first(reasons: dict[_Place, str], provider_id: str, key: str | None) -> str | None:
    found: Iterable[str] = (
        reason for place, reason in reasons.items() if place[:2] == (provider_id, key)
    )
    return next(iter(found), None)
