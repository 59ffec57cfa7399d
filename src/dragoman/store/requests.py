"""The record of requests: one row for each, and what was said in it where the owner wants that.

Rows are written in batches, together with the sums of `store.usage`. They are read newest first,
page by page: a page begins where the one before it ended, so that rows which arrive meanwhile move
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import Dialect, Row, and_, delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dragoman.errors import InvalidRequest, NotFound
from dragoman.secrets import SecretBox
from dragoman.store.database import Database
from dragoman.store.schema import request_bodies, requests
from dragoman.store.usage import add_to_sums

_DELETED_AT_ONCE = 2000


class Failure(msgspec.Struct, frozen=True):
    """An attempt that did not answer the request: at `target` (`provider:model`), for how long,
    and what the provider said. `status` is its HTTP status, null where there was none."""

    target: str
    error: str
    ms: int
    status: int | None = None


class Bodies(msgspec.Struct, frozen=True, kw_only=True):
    """What was said, redacted and cut short; between client and gateway, and, where the request
    was translated, between gateway and provider."""

    client_request: str | None = None
    upstream_request: str | None = None
    upstream_response: str | None = None
    client_response: str | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One request that is over. See `schema.requests` for the columns of the same names.

    Times are Unix milliseconds. `id` is given by the database. Token counts are None where the
    provider told nothing; `cost` is in billionths of a dollar, and None where it is unknown.
    """

    started_at: int
    request_id: str
    client: str
    operation: str
    protocol: str
    stream: bool
    status: int
    attempts: int
    duration_ms: int
    key_id: str | None = None
    key_name: str | None = None
    upstream_protocol: str | None = None
    provider: str | None = None
    model: str | None = None
    asked: str | None = None
    error: str | None = None
    failures: tuple[Failure, ...] = ()
    dropped: tuple[str, ...] = ()
    input_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_long_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    searches: int | None = None
    first_byte_ms: int | None = None
    cost: int | None = None
    price: str | None = None
    id: int | None = None
    bodies: Bodies | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Which requests are wanted; what is None does not matter.

    `since` and `until` are Unix milliseconds, the end excluded. `statuses` is a range of HTTP
    statuses, its end included. `failed` tells requests with an error from those without; `text`
    stands somewhere in the error, in upper or lower case.
    """

    since: int | None = None
    until: int | None = None
    key_id: str | None = None
    provider: str | None = None
    model: str | None = None
    statuses: tuple[int, int] | None = None
    failed: bool | None = None
    text: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some requests, the newest first; `next` continues behind them, None where nothing is left."""

    records: tuple[Record, ...]
    next: str | None


class RequestStore:
    """Writes records and searches them."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def add(self, records: Sequence[Record]) -> None:
        """Writes a batch and adds it to the sums, all or nothing."""
        async with self._database.write(counted=False) as connection:
            if plain := [_values(record) for record in records if record.bodies is None]:
                await connection.exec_driver_sql(_insertion(connection.dialect), plain)
            for record in records:
                if record.bodies is not None:
                    await self._add_with_bodies(connection, record, record.bodies)
            await add_to_sums(connection, records)

    async def _add_with_bodies(
        self, connection: AsyncConnection, record: Record, bodies: Bodies
    ) -> None:
        values = dict(zip(_COLUMNS, _values(record), strict=True))
        values |= {"failures": msgspec.to_builtins(record.failures), "dropped": record.dropped}
        statement = insert(requests).values(values).returning(requests.c.id)
        row_id = (await connection.execute(statement)).scalar_one()
        sealed = {
            name: None if text is None else self._box.encrypt(text)
            for name, text in msgspec.structs.asdict(bodies).items()
        }
        await connection.execute(
            insert(request_bodies).values(request=row_id, started_at=record.started_at, **sealed)
        )

    async def search(self, wanted: Search, limit: int, after: str | None = None) -> Page:
        """The newest of the wanted requests, `limit` at most, from where the page ended that gave
        `after`. Raises InvalidRequest for an `after` that no page gave."""
        columns = requests.c
        conditions = _conditions(wanted)
        if after is not None:
            started_at, row_id = _read_cursor(after)
            conditions += [
                columns.started_at <= started_at,
                or_(columns.started_at < started_at, columns.id < row_id),
            ]
        statement = (
            select(requests)
            .where(and_(True, *conditions))
            .order_by(columns.started_at.desc(), columns.id.desc())
            .limit(limit + 1)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        found = tuple(_read(row) for row in rows[:limit])
        is_last = len(rows) <= limit
        return Page(found, None if is_last else f"{found[-1].started_at}-{found[-1].id}")

    async def get(self, request_id: str) -> Record:
        """The request with this id, the newest where clients gave several the same; with its
        bodies, where they were kept. Raises NotFound."""
        page = await self.search(Search(request_id=request_id), 1)
        if not page.records:
            raise NotFound(
                f"There is no request {request_id!r}. It may be older than `retention_days`."
            )
        (record,) = page.records
        statement = select(request_bodies).where(request_bodies.c.request == record.id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return record
        return msgspec.structs.replace(record, bodies=self._open(row))

    async def forget_before(self, time: int) -> int:
        """Deletes the records of requests that began before `time`, with their bodies, and gives
        their number. The sums stay."""
        return await self._delete(requests, requests.c.id, requests.c.started_at < time)

    async def forget_bodies_before(self, time: int) -> int:
        """Deletes the bodies of such requests, and gives their number; the records stay."""
        column = request_bodies.c.started_at
        return await self._delete(request_bodies, request_bodies.c.request, column < time)

    async def _delete(self, table: Any, key: Any, condition: Any) -> int:
        """Deletes bit by bit, so that nobody waits long for the database."""
        deleted = 0
        while True:
            chosen = select(key).where(condition).limit(_DELETED_AT_ONCE)
            async with self._database.write(counted=False) as connection:
                result = await connection.execute(delete(table).where(key.in_(chosen)))
            deleted += result.rowcount
            if result.rowcount < _DELETED_AT_ONCE:
                return deleted

    def _open(self, row: Row[Any]) -> Bodies:
        return Bodies(
            **{
                name: self._box.decrypt(sealed)
                for name in Bodies.__struct_fields__
                if (sealed := getattr(row, name)) is not None
            }
        )


def _conditions(wanted: Search) -> list[Any]:
    columns = requests.c
    conditions: list[Any] = []
    if wanted.since is not None:
        conditions.append(columns.started_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.started_at < wanted.until)
    for column, value in (
        (columns.key_id, wanted.key_id),
        (columns.provider, wanted.provider),
        (columns.model, wanted.model),
        (columns.request_id, wanted.request_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.statuses is not None:
        conditions.append(columns.status.between(*wanted.statuses))
        if wanted.statuses[0] >= 400:  # always with an error, and those are quickly found
            conditions.append(columns.error.is_not(None))
    if wanted.failed is not None:
        conditions.append(columns.error.is_not(None) if wanted.failed else columns.error.is_(None))
    if wanted.text:
        conditions += [
            columns.error.is_not(None),
            columns.error.icontains(wanted.text, autoescape=True),
        ]
    return conditions


def _read_cursor(text: str) -> tuple[int, int]:
    started_at, _, row_id = text.partition("-")
    if not (started_at.isdecimal() and row_id.isdecimal()):
        raise InvalidRequest(
            "This is no place in the list: give what `next` of another page holds.", param="after"
        )
    return int(started_at), int(row_id)


def _values(record: Record) -> tuple[Any, ...]:
    """The columns of a row in their order; those of JSON are the last."""
    return (*_plain_values(record), _encode(record.failures), _encode(record.dropped))


def _encode(items: tuple[Any, ...]) -> str:
    return msgspec.json.encode(items).decode() if items else "[]"


@cache
def _insertion(dialect: Dialect) -> str:
    """The statement that inserts a row, in the driver's own words.

    Told to SQLAlchemy as it is, a batch costs less than half as much processor time: there are
    thirty columns, and each value would be looked up by its name.
    """
    return insert(requests).inline().compile(dialect=dialect, column_keys=_COLUMNS).string


def _read(row: Row[Any]) -> Record:
    return msgspec.convert(row, Record, from_attributes=True)


_COLUMNS = [column.name for column in requests.c if not column.primary_key]
_plain_values = attrgetter(*(name for name in _COLUMNS if name not in {"failures", "dropped"}))
