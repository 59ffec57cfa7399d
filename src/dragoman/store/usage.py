"""Sums of what requests used, by hour and by day, kept in step with the record of requests.

Ten million requests cannot be summed while somebody waits. So each batch of records is added to
the sums of its hours and days in the transaction that writes it, and questions are answered from
the sums: whole days where the span asked for has any, hours at its ends. Everything is therefore
exact, but begins and ends at full hours (UTC). The sums outlive the records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import add
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Executable, Select, Table, and_, func, select, union_all
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.histogram import find_bucket, find_percentiles
from dragoman.store.schema import gateway_keys, usage_latencies, usage_sums

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
PER_DOLLAR = 1_000_000_000
"""Costs are stored in billionths of a dollar."""

_SHORT_MS = 2 * DAY_MS
PERCENTILES = (50, 90, 95, 99)


class Grouping(StrEnum):
    """What usage can be told apart by."""

    MODEL = "model"
    KEY = "key"
    PROVIDER = "provider"
    DAY = "day"


class Measure(StrEnum):
    """What can be told of how long requests take: in whole, and until the first byte."""

    DURATION = "duration"
    FIRST_BYTE = "first_byte"


class Sums(NamedTuple):
    """What some requests used together. Token counts are disjoint, as in `ir.Usage`.

    `errors` counts requests that ended in one. `unpriced` counts those of models that have no
    price, `unmetered` those that were answered without a word on what they used; `cost`, in
    billionths of a dollar, is without both.
    """

    requests: int = 0
    errors: int = 0
    unpriced: int = 0
    unmetered: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_long_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    searches: int = 0
    duration_ms: int = 0
    cost: int = 0

    @property
    def uncached_tokens(self) -> int:
        """Input tokens that came from no cache, those that went into one among them."""
        return self.input_tokens + self.cache_write_tokens + self.cache_write_long_tokens

    @property
    def known_cost(self) -> Decimal:
        """The cost of what has a price, in dollars."""
        return Decimal(self.cost) / PER_DOLLAR

    @property
    def whole_cost(self) -> Decimal | None:
        """The cost in dollars; None where a part of it is unknown. Requests without counts make
        it unknown only where nothing else has a cost: a client that leaves early is no reason to
        hide what the others cost."""
        if self.unpriced or (self.unmetered and not self.cost):
            return None
        return self.known_cost


class Usage(NamedTuple):
    """The usage of one group; in a series, from `begins_at` (Unix milliseconds) on."""

    group: str
    sums: Sums
    begins_at: int = 0


class Latency(NamedTuple):
    """How long the requests of one group took: milliseconds by percentile, and how many they
    were."""

    group: str
    measure: Measure
    requests: int
    percentiles: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which usage is asked for: from `since` to `until` (Unix milliseconds; full hours, rounded
    outwards), of one key, provider or model, or of all."""

    since: int
    until: int
    key_id: str | None = None
    provider: str | None = None
    model: str | None = None


class Counted(Protocol):
    """What the sums are made of: see `store.requests.Record`. The names of the token counts are
    those of `Sums`."""

    @property
    def started_at(self) -> int: ...
    @property
    def key_id(self) -> str | None: ...
    @property
    def provider(self) -> str | None: ...
    @property
    def model(self) -> str | None: ...
    @property
    def error(self) -> str | None: ...
    @property
    def input_tokens(self) -> int | None: ...
    @property
    def first_byte_ms(self) -> int | None: ...
    @property
    def duration_ms(self) -> int: ...
    @property
    def cost(self) -> int | None: ...


_DURATION, _FIRST_BYTE = Measure.DURATION.value, Measure.FIRST_BYTE.value
_COUNTS = Sums._fields
_TOKENS = _COUNTS[4:11]
_SUM_PLACE = ("span", "begins_at", "key_id", "provider", "model")
_LATENCY_PLACE = ("span", "begins_at", "provider", "model", "measure", "bucket")

_Place = tuple[Any, ...]
_Counts = tuple[int, ...]


def sum_up(records: Sequence[Counted]) -> Sums:
    """What the records are together."""
    without_cost = [each for each in records if each.cost is None]
    unmetered = sum(each.input_tokens is None for each in without_cost)
    return Sums(
        len(records),
        sum(each.error is not None for each in records),
        len(without_cost) - unmetered,
        unmetered,
        *(sum(getattr(each, name) or 0 for each in records) for name in _TOKENS),
        duration_ms=sum(each.duration_ms for each in records),
        cost=sum(each.cost or 0 for each in records),
    )


async def add_to_sums(connection: AsyncConnection, records: Iterable[Counted]) -> None:
    """Adds records to the sums of their hours and days, within the caller's transaction."""
    groups: dict[_Place, list[Counted]] = {}
    for each in records:
        hour = each.started_at - each.started_at % HOUR_MS
        place = (hour, each.key_id or "", each.provider or "", each.model or "")
        groups.setdefault(place, []).append(each)
    sums = {place: sum_up(group) for place, group in groups.items()}
    latencies = Counter[_Place]()
    for (hour, _, provider, model), group in groups.items():
        if provider:
            for measure, bucket in _measure(group):
                latencies[hour, provider, model, measure, bucket] += 1
    await _add(connection, usage_sums, _SUM_PLACE, _COUNTS, _with_days(sums))
    counts = _with_days({place: (count,) for place, count in latencies.items()})
    await _add(connection, usage_latencies, _LATENCY_PLACE, ("requests",), counts)


def _measure(records: Iterable[Counted]) -> Iterator[tuple[str, int]]:
    """Measure and bucket of every duration of the requests that went well."""
    for each in records:
        if each.error is None:
            yield _DURATION, find_bucket(each.duration_ms)
            if each.first_byte_ms is not None:
                yield _FIRST_BYTE, find_bucket(each.first_byte_ms)


def _with_days(hours: Mapping[_Place, _Counts]) -> dict[_Place, _Counts]:
    """The same counts with their span in front, of their hours and of their days."""
    counts: dict[_Place, _Counts] = {}
    for (hour, *rest), added in hours.items():
        counts[HOUR_MS, hour, *rest] = added
        day = (DAY_MS, hour - hour % DAY_MS, *rest)
        known = counts.get(day)
        counts[day] = added if known is None else tuple(map(add, known, added))
    return counts


async def _add(
    connection: AsyncConnection,
    table: Table,
    place: tuple[str, ...],
    counts: tuple[str, ...],
    added: Mapping[_Place, _Counts],
) -> None:
    """Adds to rows that are there, and makes those that are not.

    In one order, so that two processes that add to the same rows never wait for each other.
    """
    if not added:
        return
    statement = _addition(connection.dialect.name, table, place, counts)
    names = (*place, *counts)
    rows = [dict(zip(names, (*key, *added[key]), strict=True)) for key in sorted(added)]
    await connection.execute(statement, rows)


@cache
def _addition(
    dialect: str, table: Table, place: tuple[str, ...], counts: tuple[str, ...]
) -> Executable:
    language = sqlite if dialect == "sqlite" else postgresql
    statement = language.insert(table)
    return statement.on_conflict_do_update(
        index_elements=place,
        set_={name: table.c[name] + statement.excluded[name] for name in counts},
    )


class UsageStore:
    """Answers questions about usage out of the sums."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def total(self, scope: Scope) -> Sums:
        """Everything together."""
        parts = _parts(scope).subquery()
        async with self._database.read() as connection:
            row = (await connection.execute(_summed(parts))).one()
        return _read_sums(row)

    async def spent(self, key_id: str, since: int) -> int:
        """What the requests of a key have cost since the full hour `since` (Unix milliseconds),
        in billionths of a dollar; without those whose cost is unknown."""
        now = now_ms()
        return (await self.total(Scope(since, max(now, since) + HOUR_MS, key_id))).cost

    async def by_group(self, scope: Scope, by: Grouping) -> list[Usage]:
        """The usage of each group, the largest first; days in their order."""
        parts = _parts(scope).subquery()
        columns = _group_columns(parts.c, by)
        statement = _summed(parts, *columns).group_by(*columns)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
            names = await _key_names(connection) if by is Grouping.KEY else {}
        found = [Usage(_name_group(row, by, names), _read_sums(row)) for row in rows]
        if by is Grouping.DAY:
            return sorted(found, key=lambda each: each.group)
        return sorted(found, key=lambda each: (-each.sums.cost, -each.sums.requests, each.group))

    async def series(self, scope: Scope, by: Grouping | None, span: int) -> list[Usage]:
        """The usage of each group (of all together where `by` is None) in each hour or day of
        the scope that has any, in the order of time. `span` is `HOUR_MS` or `DAY_MS`."""
        part = _part(scope, span, scope.since - scope.since % span, scope.until).subquery()
        columns = (part.c.begins_at, *(_group_columns(part.c, by) if by else ()))
        statement = _summed(part, *columns).group_by(*columns).order_by(*columns)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
            names = await _key_names(connection) if by is Grouping.KEY else {}
        return [
            Usage(_name_group(row, by, names) if by else "", _read_sums(row), row.begins_at)
            for row in rows
        ]

    async def latencies(self, scope: Scope, by: Grouping | None) -> list[Latency]:
        """How long successful requests took, at most an eighth too high (`store.histogram`), in
        full hours, or, of a span of more than two days, in full days.

        The scope's key does not count here, and `by` may not be `KEY`: latency belongs to a model.
        """
        span = HOUR_MS if scope.until - scope.since <= _SHORT_MS else DAY_MS
        begin = scope.since - scope.since % span
        parts = _part(scope, span, begin, scope.until, usage_latencies).subquery()
        groups = _group_columns(parts.c, by) if by else ()
        columns = (*groups, parts.c.measure, parts.c.bucket)
        statement = select(*columns, func.sum(parts.c.requests).label("number")).group_by(*columns)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        counts: dict[tuple[str, Measure], dict[int, int]] = {}
        for row in rows:
            group = _name_group(row, by, {}) if by else ""
            counts.setdefault((group, Measure(row.measure)), {})[row.bucket] = int(row.number)
        return [
            Latency(
                group,
                measure,
                sum(buckets.values()),
                dict(zip(PERCENTILES, find_percentiles(buckets, PERCENTILES), strict=True)),
            )
            for (group, measure), buckets in sorted(counts.items())
        ]


def round_outwards(since: int, until: int) -> tuple[int, int]:
    """The full hours that hold a span of time."""
    return since - since % HOUR_MS, until + -until % HOUR_MS


def _parts(scope: Scope) -> Any:
    """The rows that make up the scope: its whole days, and hours before and after them."""
    since, until = round_outwards(scope.since, scope.until)
    first_day, last_day = since + -since % DAY_MS, until - until % DAY_MS
    if first_day >= last_day:
        return _part(scope, HOUR_MS, since, until)
    return union_all(
        _part(scope, HOUR_MS, since, first_day),
        _part(scope, DAY_MS, first_day, last_day),
        _part(scope, HOUR_MS, last_day, until),
    )


_NEEDED = {
    usage_sums: ("begins_at", "key_id", "provider", "model", *_COUNTS),
    usage_latencies: ("begins_at", "provider", "model", "measure", "bucket", "requests"),
}


def _part(
    scope: Scope, span: int, since: int, until: int, table: Table = usage_sums
) -> Select[Any]:
    columns = table.c
    wanted = [columns.span == span, columns.begins_at >= since, columns.begins_at < until]
    if scope.key_id is not None and "key_id" in columns:
        wanted.append(columns.key_id == scope.key_id)
    if scope.provider is not None:
        wanted.append(columns.provider == scope.provider)
    if scope.model is not None:
        wanted.append(columns.model == scope.model)
    return select(*(columns[name] for name in _NEEDED[table])).where(and_(*wanted))


def _summed(parts: Any, *columns: ColumnElement[Any]) -> Select[Any]:
    sums = (func.coalesce(func.sum(parts.c[name]), 0).label(name) for name in _COUNTS)
    return select(*columns, *sums)


def _group_columns(columns: Any, by: Grouping) -> tuple[ColumnElement[Any], ...]:
    match by:
        case Grouping.MODEL:
            return columns.provider, columns.model
        case Grouping.PROVIDER:
            return (columns.provider,)
        case Grouping.KEY:
            return (columns.key_id,)
        case Grouping.DAY:
            return ((columns.begins_at - columns.begins_at % DAY_MS).label("day"),)


def _name_group(row: Any, by: Grouping, key_names: Mapping[str, str]) -> str:
    """What the group is called; nothing for requests that did not get so far."""
    match by:
        case Grouping.MODEL:
            return f"{row.provider}:{row.model}" if row.provider else ""
        case Grouping.PROVIDER:
            return row.provider
        case Grouping.KEY:
            return key_names.get(row.key_id, row.key_id)
        case Grouping.DAY:
            return datetime.fromtimestamp(row.day / 1000, UTC).date().isoformat()


async def _key_names(connection: AsyncConnection) -> dict[str, str]:
    rows = await connection.execute(select(gateway_keys.c.id, gateway_keys.c.name))
    return {row.id: row.name for row in rows}


def _read_sums(row: Any) -> Sums:
    # PostgreSQL adds up big integers to decimals.
    return Sums(**{name: int(getattr(row, name)) for name in _COUNTS})
