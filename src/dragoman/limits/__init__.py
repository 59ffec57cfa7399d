"""Keeps gateway keys within their allowances, however many requests come at once.

A request first *reserves* what it may use, and when it is over it *settles* what it has used:

    reserve --granted--> held --settle(real use)--> spent
       |                  |---release-------------> as if it had never been
       |                  +---its process dies----> released when its lease runs out
       +--refused--> 429

Requests and tokens a minute are token buckets, as at OpenAI and Anthropic: a bucket holds one
minute's allowance and fills evenly. A request is let in while there is anything in the bucket, and
what it used beyond that is a debt that later requests wait for; so the average never exceeds the
limit, whatever the estimates were worth.

A budget lets a request in while what was spent plus what is held is below it. So the costs that
are recorded exceed a budget by less than one request's reservation, and by what requests cost
beyond their reservations. Refusing whatever might exceed it would be stricter and useless: a
request that may write 64,000 tokens would be refused from the start by a small budget, though
nearly all stop far earlier.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import NamedTuple, Protocol

from dragoman.allowance import Allowance, Budget, Period, format_dollars
from dragoman.errors import BudgetExceeded, DragomanError, RateLimitExceeded

_NUMBERS = count()

SOON_MS = 1000
"""When to try again where nobody knows when a request under way will end."""


class Demand(NamedTuple):
    """What a request may use: tokens, and nanodollars."""

    tokens: int = 0
    cost: int = 0


NOTHING = Demand()


class Window(NamedTuple):
    """How a limit of the minute stands: what is `limited` (`requests` or `tokens`), how much is
    left, and in how many seconds all of it will be there again."""

    limited: str
    limit: int
    remaining: int
    reset_s: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request must wait: the `Window.limited` it runs into, `concurrency`, or a budget.

    `wait_ms` is how long, None for ever. `held` says of a budget that it is not spent but held by
    requests under way.
    """

    reason: str | Budget
    wait_ms: int | None
    held: bool = False


@dataclass(eq=False, slots=True)
class Hold:
    """What one request has set aside; `granted` until it is settled or released.

    `windows` tell how the limits of the minute stood once it had asked, granted or not. `began`
    are the beginnings of its budgets' periods, in which its cost will count. `id` is unique in this
    process.
    """

    key_id: str
    allowance: Allowance
    demand: Demand = NOTHING
    id: int = field(default_factory=lambda: next(_NUMBERS))
    granted: bool = False
    windows: tuple[Window, ...] = ()
    began: tuple[int, ...] = ()

    def begin(self, now: int) -> None:
        """Notes the periods that the hold lies in."""
        self.began = tuple(budget.period.begins_at(now) for budget in self.allowance.budgets)


class Meter(Protocol):
    """Keeps the accounts of keys; the two that there are keep the same laws."""

    async def reserve(self, hold: Hold) -> Refusal | None:
        """Sets aside what `hold` demands, all of it or nothing; the reason where it does not."""
        ...

    def settle(self, hold: Hold, used: Demand) -> None:
        """Puts what was used in the place of what `hold` has set aside; may end later."""
        ...

    async def aclose(self) -> None:
        """Finishes what was settled."""
        ...


class SpendingRecord(Protocol):
    """What was spent before the meter began to count; a budget is continued from there."""

    async def __call__(self, key_id: str, since: int) -> int:
        """The nanodollars that requests of the key have cost since a Unix time in milliseconds."""
        ...


class Limits:
    """The gateway's side of a meter: asks it, and says no in words."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def reserve(self, hold: Hold, key_name: str) -> None:
        """Sets aside what `hold` demands. Raises RateLimitExceeded or BudgetExceeded."""
        refusal = await self._meter.reserve(hold)
        if refusal is not None:
            raise _explain(refusal, hold.allowance, key_name)
        hold.granted = True

    def settle(self, hold: Hold, used: Demand) -> None:
        """Replaces what `hold` has set aside by what was really used; a second time does nothing.

        Nothing used (`Demand()`) releases it.
        """
        if hold.granted:
            hold.granted = False
            self._meter.settle(hold, used)

    async def aclose(self) -> None:
        """Finishes what was settled."""
        await self._meter.aclose()


def refuse_budget(budget: Budget, now: int, *, held: bool) -> Refusal:
    """The refusal by a budget of which nothing is left at `now`, in Unix milliseconds."""
    if held:
        return Refusal(budget, SOON_MS, held=True)
    ends_at = budget.period.ends_at(now)
    return Refusal(budget, None if ends_at is None else ends_at - now)


def _explain(refusal: Refusal, allowance: Allowance, key_name: str) -> DragomanError:
    wait_s = None if refusal.wait_ms is None else max(1, math.ceil(refusal.wait_ms / 1000))
    match refusal.reason:
        case Budget() as budget if refusal.held:
            return BudgetExceeded(
                f"What is left of the budget of the key `{key_name}` ({_words(budget)}) is held by"
                " requests under way. Try again when they are done.",
                retry_after=wait_s,
                may_pass=True,
            )
        case Budget() as budget:
            return BudgetExceeded(
                f"The key `{key_name}` has spent its budget of {_words(budget)}."
                f" {_renewal(budget, wait_s)}",
                retry_after=wait_s,
            )
        case "concurrency":
            return RateLimitExceeded(
                f"The key `{key_name}` has {allowance.concurrency} requests under way, as many as"
                " it may. Try again when one is done.",
                retry_after=wait_s,
            )
        case limited:
            limit = allowance.rpm if limited == "requests" else allowance.tpm
            return RateLimitExceeded(
                f"The key `{key_name}` has used its {limit} {limited} a minute. Try again in"
                f" {wait_s} s.",
                retry_after=wait_s,
            )


def _words(budget: Budget) -> str:
    span = "in total" if budget.period is Period.TOTAL else f"a {budget.period}"
    return f"{format_dollars(budget.amount)} US dollars {span}"


def _renewal(budget: Budget, wait_s: int | None) -> str:
    if wait_s is None:
        return "Its owner can raise it, or make another key."
    ends = datetime.now(UTC).timestamp() + wait_s
    return f"It starts anew at {datetime.fromtimestamp(ends, UTC):%Y-%m-%d %H:%M} UTC."
