"""Where a request goes, and where it goes next when that fails.

A request tries lanes in rounds. The first round takes every lane that is fit, target by target
and key by key. Failures that may pass (no connection, a 5xx, a limit that ends soon) are tried
again in further rounds, after a pause that doubles and is drawn by lot, so that many clients do
not come back at the same moment. All of it is bounded: by `routing.Retry`, and by the provider's
`retries`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from dragoman.errors import (
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from dragoman.health import Health, Lane
from dragoman.routing import Retry, Strategy, Target

LONGEST_WAIT_S = 5.0
"""A caller is told to come back rather than held for longer than this between two attempts."""

_FIRST_BACKOFF_S = 0.25
_MAY_PASS = frozenset({408, 409})
_WILL_STAY = frozenset({501, 505})


class Failover:
    """The attempts of one request: `next` says where, `fail` is told what came of it."""

    def __init__(
        self, targets: Sequence[Target], health: Health, retry: Retry, *, stands_in: bool = True
    ) -> None:
        """`targets` are in the order in which they are to be tried. Without `stands_in` only the
        first of them is, and only once with each key."""
        self._health = health
        self._retry = retry
        self._stands_in = stands_in
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + retry.within_s
        chosen = targets if stands_in else targets[:1]
        self._waiting = [lane for target in chosen for lane in health.lanes(target)]
        self._resting: list[Lane] = []
        self._failed: list[tuple[Lane, UpstreamError]] = []
        self._attempts = 0
        self._round = 0

    async def next(self) -> Lane | None:
        """The lane to try now, or None where there is nothing left to try."""
        while self._attempts < self._retry.attempts:
            while self._waiting:
                lane = self._waiting.pop(0)
                if self._health.wait(lane) == 0:
                    self._attempts += 1
                    return lane
                self._resting.append(lane)
            if not await self._begin_round():
                return None
        return None

    def fail(self, lane: Lane, error: UpstreamError) -> None:
        """Notes that the attempt at `lane` has failed. Where the provider could not be reached,
        its other keys cannot help."""
        self._failed.append((lane, error))
        if isinstance(error, UpstreamUnreachable | UpstreamTimeout):
            lost = lane.target.provider.id
            self._waiting = [each for each in self._waiting if each.target.provider.id != lost]

    def failure(self) -> UpstreamError:
        """What to tell the caller when nothing is left: the last failure that is more than a
        refused key of the gateway's own, or that nobody could be asked."""
        errors = [error for _, error in self._failed]
        if not errors:
            return self._unavailable()
        telling = [error for error in errors if error.status not in {401, 403}]
        return (telling or errors)[-1]

    async def _begin_round(self) -> bool:
        """Waits until it makes sense to go on; false where it does not."""
        lanes = [lane for lane, error in self._last_failures() if self._may_repeat(lane, error)]
        lanes += self._resting
        if not lanes:
            return False
        pause = min(map(self._health.wait, lanes))
        if self._failed:
            backoff = _FIRST_BACKOFF_S * 2**self._round
            pause = max(pause, backoff * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        if pause > LONGEST_WAIT_S or self._loop.time() + pause > self._deadline:
            return False
        await asyncio.sleep(pause)
        self._round += 1
        self._waiting, self._resting = lanes, []
        return True

    def _last_failures(self) -> list[tuple[Lane, UpstreamError]]:
        """The latest failure of every lane that was tried."""
        latest = {(lane.target.name, lane.key): (lane, error) for lane, error in self._failed}
        return list(latest.values())

    def _may_repeat(self, lane: Lane, error: UpstreamError) -> bool:
        return self._stands_in and self._round < lane.target.provider.retries and may_pass(error)

    def _unavailable(self) -> UpstreamUnavailable:
        wait = min(map(self._health.wait, self._resting))
        limited = all(map(self._health.is_limited, self._resting))
        names = ", ".join(dict.fromkeys(f"`{lane.target.provider.id}`" for lane in self._resting))
        why = "reached its limits" if limited else "failed too often in a row"
        return UpstreamUnavailable(
            f"The provider {names} {why} and is not asked for {wait:.0f} s;"
            " `dragoman provider list` shows its state.",
            retry_after=wait,
            limited=limited,
        )


def arrange(
    targets: Sequence[Target], strategy: Strategy, health: Health, *, stream: bool
) -> Sequence[Target]:
    """`targets` in the order in which they are to be tried."""
    match strategy:
        case Strategy.ORDER:
            return targets
        case Strategy.WEIGHTED:
            # Exponential lots: the smallest is the target's with a chance that is its weight's
            # share, and so on among the rest.
            return sorted(targets, key=lambda each: random.expovariate(each.weight))
        case Strategy.LEAST_LATENCY:
            return sorted(targets, key=lambda each: health.latency(each, stream=stream))


def may_pass(error: UpstreamError) -> bool:
    """Whether the same lane may do better soon. Not a timeout: that has cost enough already."""
    match error:
        case UpstreamTimeout() | UpstreamError(lasts=True):
            return False
        case UpstreamRefused(status=429):
            return error.retry_after is not None
        case UpstreamRefused():
            return error.status in _MAY_PASS or (
                error.status >= 500 and error.status not in _WILL_STAY
            )
        case _:
            return True
