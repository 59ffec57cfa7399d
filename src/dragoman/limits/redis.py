"""The meter that gateway processes share: accounts in Redis or Valkey, changed by scripts.

A hold is a lease that its process renews, so that what a dead process held is free again within
`LEASE_MS`. What was used is settled from a queue, beside the requests: it is tried until Redis has
taken it. While Redis does not answer, keys with limits are refused: serving them would be as if
they had none.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import structlog

from dragoman.errors import Overloaded
from dragoman.limits import SOON_MS, Demand, Hold, Refusal, SpendingRecord, refuse_budget
from dragoman.limits.bucket import Bucket
from dragoman.limits.scripts import BEGIN, FIRST_BUDGET, RENEW, RESERVE, SETTLE
from dragoman.store.clock import now_ms

if TYPE_CHECKING:
    from redis.asyncio import Redis

log = structlog.get_logger()

LEASE_MS = 20_000
RETRY_S = 1.0
_RENEW_S = 5.0
_BATCH = 100
CLOSING_S = 5.0


class RedisMeter:
    """A `Meter` whose accounts are in the Redis of `client`, which somebody else closes."""

    def __init__(
        self,
        client: Redis,
        spent_since: SpendingRecord,
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        from redis.exceptions import NoScriptError, RedisError

        self._client: Any = client
        self._unloaded = NoScriptError
        self._failures = (RedisError, OSError)
        self._spent_since = spent_since
        self._clock = clock
        register = self._client.register_script
        self._reserve, self._settle, self._renew, self._begin = map(
            register, (RESERVE, SETTLE, RENEW, BEGIN)
        )
        self._name = token_hex(8)
        self._live: dict[int, Hold] = {}
        self._settled: deque[tuple[Hold, Demand]] = deque()
        self._wake = asyncio.Event()
        self._all_settled = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    async def reserve(self, hold: Hold) -> Refusal | None:
        """See `Meter.reserve`. Raises Overloaded while Redis does not answer."""
        now = self._clock()
        hold.begin(now)
        try:
            refusal = await self._ask(hold, now)
        except self._failures as error:
            log.warning("limits not checked", error=str(error))
            raise Overloaded(
                "The limits of this key cannot be checked: Redis does not answer. Try again soon.",
                retry_after=1,
            ) from error
        if refusal is None:
            self._live[hold.id] = hold
            self._start()
        return refusal

    def settle(self, hold: Hold, used: Demand) -> None:
        """See `Meter.settle`."""
        self._live.pop(hold.id, None)
        self._settled.append((hold, used))
        self._all_settled.clear()
        self._start()
        self._wake.set()

    async def aclose(self) -> None:
        """Settles what is left, for as long as a few seconds."""
        if self._worker is None:
            return
        try:
            async with asyncio.timeout(CLOSING_S):
                await self.drain()
        except TimeoutError:
            log.warning("costs not settled", requests=len(self._settled))
        self._worker.cancel()
        await asyncio.wait([self._worker])

    async def drain(self) -> None:
        """Returns when everything that was settled is in Redis."""
        if self._settled:
            await self._all_settled.wait()

    async def _ask(self, hold: Hold, now: int) -> Refusal | None:
        """What the script answers; it is asked again after each period that has to begin."""
        allowance, demand = hold.allowance, hold.demand
        limits = [limit or 0 for _, limit in allowance.of_the_minute()]
        most = allowance.concurrency or 0
        arguments: list[str | int] = [
            now, self._id(hold), LEASE_MS, most, demand.cost, *limits, demand.tokens
        ]  # fmt: skip
        for field, budget in zip(_fields(hold), allowance.budgets, strict=True):
            arguments += (field, budget.amount)
        while True:
            reason, argument, *levels = await self._reserve(_keys(hold), arguments)
            if reason != "unknown":
                break
            await self._begin_period(hold, (int(argument) - FIRST_BUDGET) // 2)
        buckets = {
            limited: Bucket(limit, float(level), now)
            for (limited, limit), level in zip(allowance.of_the_minute(), levels, strict=True)
            if limit is not None
        }
        hold.windows = tuple(bucket.window(limited) for limited, bucket in buckets.items())
        match reason:
            case "granted":
                return None
            case "concurrency":
                return Refusal(reason, SOON_MS)
            case "requests" | "tokens":
                return Refusal(reason, buckets[reason].wait_ms())
            case _:
                budget = allowance.budgets[(int(argument) - FIRST_BUDGET) // 2]
                return refuse_budget(budget, now, held=reason == "held")

    async def _begin_period(self, hold: Hold, number: int) -> None:
        """Tells Redis what was spent in the period of the hold's budget of this number."""
        began = hold.began[number]
        spent = await self._spent_since(hold.key_id, began)
        await self._begin(_keys(hold)[:1], [_fields(hold)[number], spent, began])

    def _id(self, hold: Hold) -> str:
        """The hold's name among those of all processes. The meter draws its part of it when it is
        made, which is after a worker was forked."""
        return f"{self._name}-{hold.id}"

    def _start(self) -> None:
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Settles what is over, and renews the leases of what is not."""
        loop = asyncio.get_running_loop()
        renewed = loop.time()
        while True:
            try:
                async with asyncio.timeout_at(renewed + _RENEW_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            try:
                if loop.time() >= renewed + _RENEW_S:
                    await self._renew_leases()
                    renewed = loop.time()
                self._wake.clear()
                await self._settle_all()
            except self._failures as error:
                log.warning("limits not settled", error=str(error))
                self._wake.set()
                await asyncio.sleep(RETRY_S)

    async def _settle_all(self) -> None:
        """Settles in batches, each in one round trip. One that fails is settled again as a whole,
        which the script takes as if it were once."""
        while self._settled:
            batch = list(islice(self._settled, _BATCH))
            async with self._client.pipeline(transaction=False) as pipeline:
                for hold, used in batch:
                    returned = hold.demand.tokens - used.tokens
                    limit = hold.allowance.tpm or 0
                    arguments = [self._id(hold), used.cost, returned, limit, *_fields(hold)]
                    pipeline.evalsha(self._settle.sha, 3, *_keys(hold), *arguments)
                try:
                    await pipeline.execute()
                except self._unloaded:
                    await self._client.script_load(SETTLE)
                    continue
            for _ in batch:
                self._settled.popleft()
        self._all_settled.set()

    async def _renew_leases(self) -> None:
        until = self._clock() + LEASE_MS
        by_key: dict[str, list[Hold]] = {}
        for hold in self._live.values():
            by_key.setdefault(hold.key_id, []).append(hold)
        for holds in by_key.values():
            await self._renew(_keys(holds[0])[2:], [until, *map(self._id, holds)])


def _keys(hold: Hold) -> list[str]:
    """The Redis keys of the hold's account, as `scripts` describes them."""
    return [f"dragoman:{{{hold.key_id}}}:{name}" for name in ("account", "holds", "leases")]


def _fields(hold: Hold) -> list[str]:
    """The account's field for what was spent in the period of each budget."""
    return [
        f"{budget.period}:{began}"
        for budget, began in zip(hold.allowance.budgets, hold.began, strict=True)
    ]
