"""The meter of a gateway that is one process: plain numbers, no locks, nothing to wait for.

A budget begins with what the database says was spent in its period, read once when the key is
first used. What a dying process held is gone with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dragoman.allowance import Period
from dragoman.limits import SOON_MS, Demand, Hold, Refusal, SpendingRecord, refuse_budget
from dragoman.limits.bucket import Bucket
from dragoman.store.clock import now_ms


@dataclass(slots=True)
class _Account:
    """One key's: its buckets, the costs of its holds and their sum, and what it has spent in the
    period of each budget, by the period and its beginning."""

    buckets: dict[str, Bucket] = field(default_factory=dict[str, Bucket])
    holds: dict[int, int] = field(default_factory=dict[int, int])
    held: int = 0
    spent: dict[tuple[Period, int], int] = field(default_factory=dict[tuple[Period, int], int])


class MemoryMeter:
    """A `Meter` in this process alone."""

    def __init__(self, spent_since: SpendingRecord, *, clock: Callable[[], int] = now_ms) -> None:
        self._spent_since = spent_since
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    async def reserve(self, hold: Hold) -> Refusal | None:
        """See `Meter.reserve`."""
        account = self._accounts.get(hold.key_id)
        if account is None:
            account = self._accounts[hold.key_id] = _Account()
        now = self._clock()
        hold.begin(now)
        await self._begin_periods(account, hold)
        _fill_buckets(account, hold, now)
        refusal = _find_refusal(account, hold, now)
        if refusal is None:
            for limited, bucket in account.buckets.items():
                bucket.level -= 1 if limited == "requests" else hold.demand.tokens
            account.holds[hold.id] = hold.demand.cost
            account.held += hold.demand.cost
        hold.windows = tuple(bucket.window(limited) for limited, bucket in account.buckets.items())
        return refusal

    def settle(self, hold: Hold, used: Demand) -> None:
        """See `Meter.settle`."""
        account = self._accounts[hold.key_id]
        account.held -= account.holds.pop(hold.id)
        for budget, began in zip(hold.allowance.budgets, hold.began, strict=True):
            if (budget.period, began) in account.spent:
                account.spent[budget.period, began] += used.cost
        bucket = account.buckets.get("tokens")
        if bucket is not None:
            bucket.fill(bucket.limit, self._clock())
            bucket.give_back(hold.demand.tokens - used.tokens)

    async def aclose(self) -> None:
        """Nothing is left to do."""

    async def _begin_periods(self, account: _Account, hold: Hold) -> None:
        """Reads what was spent in periods that are new here, and forgets those that are over."""
        for budget, began in zip(hold.allowance.budgets, hold.began, strict=True):
            if (budget.period, began) in account.spent:
                continue
            spent = await self._spent_since(hold.key_id, began)
            # Another request may have been quicker, and have settled since.
            account.spent.setdefault((budget.period, began), spent)
            for period, other in list(account.spent):
                if period is budget.period and other < began:
                    del account.spent[period, other]


def _fill_buckets(account: _Account, hold: Hold, now: int) -> None:
    """Brings the buckets up to now and to the limits that the key has by now."""
    for limited, limit in hold.allowance.of_the_minute():
        if limit is None:
            account.buckets.pop(limited, None)
        else:
            bucket = account.buckets.get(limited)
            if bucket is None:
                bucket = account.buckets[limited] = Bucket(limit, limit, now)
            bucket.fill(limit, now)


def _find_refusal(account: _Account, hold: Hold, now: int) -> Refusal | None:
    concurrency = hold.allowance.concurrency
    if concurrency is not None and len(account.holds) >= concurrency:
        return Refusal("concurrency", SOON_MS)
    for limited, bucket in account.buckets.items():
        if bucket.level < 1:
            return Refusal(limited, bucket.wait_ms())
    for budget, began in zip(hold.allowance.budgets, hold.began, strict=True):
        spent = account.spent.get((budget.period, began), 0)
        if spent + account.held >= budget.amount:
            return refuse_budget(budget, now, held=spent < budget.amount)
    return None
