"""Writes the record of requests in the background, in batches, and loses none of it.

A request that is over leaves its record here and is done; within `GATHER_S` it is in the database,
with all others of that time in one transaction. So a process that is killed loses a moment at
most, and one that is told to end writes what it has.

The queue is bounded. When the database is slow, new requests wait until there is room: they slow
down, and no record vanishes. When the database *fails*, relaying goes on: records are kept in
memory and written once it works again; only beyond `MOST_KEPT` are the oldest given up, counted,
and reported.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from dragoman.errors import StoreError, UpstreamRefused
from dragoman.ir import Usage
from dragoman.store.requests import Bodies, Failure, Record, RequestStore
from dragoman.usage import Attempt, Entry

log = structlog.get_logger()

GATHER_S = 0.2
"""How long a record waits for company. With the writing itself it stays within 250 ms."""

LARGEST_BATCH = 2000
CAPACITY = 20_000
"""So many records may wait before new requests do."""

MOST_KEPT = 50_000
"""So many are kept while the database fails."""

_RETRY_S = 1.0
_LAST_TRIES = 3
_DAY_S = 86_400
_SWEEP_S = 3600.0
_LONGEST_NAME = 300
_LONGEST_ERROR = 2000
_LARGEST_COUNT = 10**12
_LARGEST_COST = 10**15


_UNWRITABLE = (SQLAlchemyError, ArithmeticError, ValueError)
"""What drivers raise for a value that they do not take."""


class Ledger:
    """The queue and its writer. `run` writes until it is cancelled; `aclose` writes the rest.

    `failure` says why the database does not take records, None while it does; `lost` counts those
    that were given up since the start.
    """

    def __init__(self, store: RequestStore) -> None:
        self._store = store
        self._queue: deque[Record] = deque()
        self._batch: list[Record] = []
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._writing: asyncio.Task[None] | None = None
        self.failure: str | None = None
        self.lost = 0

    @property
    def waiting(self) -> int:
        """How many records are not written yet."""
        return len(self._batch) + len(self._queue)

    @property
    def is_full(self) -> bool:
        """Whether new requests are to wait."""
        return len(self._queue) >= CAPACITY and self.failure is None

    async def admit(self) -> None:
        """Returns as soon as there is room for the record of another request."""
        while self.is_full:
            self._room.clear()
            await self._room.wait()

    def add(self, record: Record) -> None:
        """Takes a record; never fails and never waits."""
        self._queue.append(record)
        self._arrived.set()
        if len(self._queue) > MOST_KEPT:
            self._queue.popleft()
            self.lost += 1

    async def run(self) -> None:
        """Writes what arrives until cancelled. Whatever fails, it goes on."""
        while True:
            await self._arrived.wait()
            if len(self._queue) < LARGEST_BATCH:
                await asyncio.sleep(GATHER_S)
            await self._write()
            if self.failure is not None:
                await asyncio.sleep(_RETRY_S)

    async def flush(self) -> None:
        """Writes everything that has arrived; where the database fails, `failure` says so."""
        while self.waiting:
            await self._write()
            if self.failure is not None:
                return

    async def aclose(self) -> None:
        """Writes the rest. A database that keeps failing costs the records that are left."""
        for tries_left in reversed(range(_LAST_TRIES)):
            await self.flush()
            if not self.waiting:
                return
            if tries_left:
                await asyncio.sleep(_RETRY_S)
        log.error("usage records lost", records=self.waiting, error=self.failure)

    async def _write(self) -> None:
        """Writes one batch. Whoever is cancelled here leaves the writing to go on: nobody could
        tell otherwise whether the batch is in the database."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_batch())
        await asyncio.shield(self._writing)

    async def _write_batch(self) -> None:
        while self._queue and len(self._batch) < LARGEST_BATCH:
            self._batch.append(self._queue.popleft())
        if not self._queue:
            self._arrived.clear()
        try:
            await self._write_or_part()
        except StoreError as error:
            if self.failure is None:
                log.warning("usage records not written", error=error.message, waiting=self.waiting)
            self.failure = error.message
            self._arrived.set()
        else:
            if self.failure is not None:
                log.info("usage records are written again", waiting=self.waiting)
            self.failure = None
        self._room.set()

    async def _write_or_part(self) -> None:
        """Writes the batch, or its records one by one where one of them cannot be written, which
        must not hold up the others. Raises StoreError, and keeps what was not written."""
        try:
            await self._store.add(self._batch)
            self._batch = []
        except _UNWRITABLE:
            while self._batch:
                try:
                    await self._store.add(self._batch[:1])
                except _UNWRITABLE as error:
                    self.lost += 1
                    log.error("usage record lost", records=1, error=type(error).__name__)
                del self._batch[0]


async def forget_forever(store: RequestStore, ages: Callable[[], tuple[float, float]]) -> None:
    """Deletes old records and bodies every hour until cancelled. `ages` tells how many days each
    of the two are kept; 0 is for ever."""
    while True:
        now = time.time()
        retention_days, bodies_days = ages()
        try:
            if retention_days:
                await store.forget_before(round((now - retention_days * _DAY_S) * 1000))
            if bodies_days:
                await store.forget_bodies_before(round((now - bodies_days * _DAY_S) * 1000))
        except StoreError as error:
            log.warning("old usage records not deleted", error=error.message)
        await asyncio.sleep(_SWEEP_S)


def make_record(entry: Entry) -> Record:
    """What is kept of a request that is over. Texts of others are cut short, and their numbers
    bounded, to what every database takes."""
    target, usage, key = entry.target, entry.usage, entry.key
    ended = entry.started if entry.ended is None else entry.ended
    asked_protocol = entry.operation.protocol.value
    _, _, translated = entry.translation.partition("->")
    return Record(
        started_at=round(entry.started_at * 1000),
        request_id=entry.request_id,
        key_id=key.id if key else None,
        key_name=key.name if key else None,
        client=_clean(entry.client, _LONGEST_NAME),
        operation=entry.operation.name,
        protocol=asked_protocol,
        upstream_protocol=(translated or asked_protocol) if target else None,
        provider=target.provider.id if target else None,
        model=_clean(target.model, _LONGEST_NAME) if target else None,
        asked=_asked(entry),
        stream=entry.stream,
        status=entry.status,
        error=None if entry.error is None else _clean(entry.error, _LONGEST_ERROR),
        attempts=entry.attempts,
        failures=tuple(map(_describe, entry.failures)),
        dropped=entry.dropped,
        first_byte_ms=None if entry.first_byte is None else _ms(entry.first_byte - entry.started),
        duration_ms=_ms(ended - entry.started),
        cost=None if entry.cost is None else min(entry.cost, _LARGEST_COST),
        price=entry.price,
        bodies=_bodies(entry, is_translated=bool(translated)),
        **({} if usage is None else _counts(usage)),
    )


def _asked(entry: Entry) -> str | None:
    """The name that was asked for, where it is not simply the target's."""
    if entry.target is not None and entry.asked == entry.target.name:
        return None
    return _clean(entry.asked, _LONGEST_NAME) if entry.asked else None


def _bodies(entry: Entry, *, is_translated: bool) -> Bodies | None:
    if entry.transcript is None:
        return None
    secrets = entry.target.provider.api_keys if entry.target else ()
    return entry.transcript.bodies(translated=is_translated, secrets=secrets)


def _counts(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": _bounded(usage.input),
        "cache_read_tokens": _bounded(usage.cache_read),
        "cache_write_tokens": _bounded(usage.cache_write),
        "cache_write_long_tokens": _bounded(usage.cache_write_long),
        "output_tokens": _bounded(usage.output),
        "reasoning_tokens": _bounded(usage.reasoning),
        "searches": _bounded(usage.searches),
    }


def _describe(attempt: Attempt) -> Failure:
    error = attempt.error
    return Failure(
        target=_clean(attempt.target.name, _LONGEST_NAME),
        error=_clean(error.message, _LONGEST_ERROR),
        ms=_ms(attempt.seconds),
        status=error.status if isinstance(error, UpstreamRefused) else None,
    )


def _bounded(count: int) -> int:
    return count if 0 <= count <= _LARGEST_COUNT else (0 if count < 0 else _LARGEST_COUNT)


def _ms(seconds: float) -> int:
    return max(round(seconds * 1000), 0)


def _clean(text: str, longest: int) -> str:
    """Without what PostgreSQL (NUL) or UTF-8 (lone surrogates) cannot hold."""
    text = text[:longest].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
