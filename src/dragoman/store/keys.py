"""Gateway keys as rows: digests, never the keys themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from dragoman.errors import Conflict, NotFound
from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.schema import gateway_keys


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """One row. Times are Unix milliseconds; `sealed` is the key itself, encrypted, and there for
    the default key alone; `hint` is its masked form; `models` are globs; `budgets` are as people
    write them (`5/day`), None in rows that are older than budgets."""

    id: str
    name: str
    digest: bytes = field(repr=False)
    hint: str
    scopes: tuple[str, ...]
    created_at: int
    models: tuple[str, ...] = ()
    sealed: bytes | None = field(default=None, repr=False)
    expires_at: int | None = None
    revoked_at: int | None = None
    rotated_at: int | None = None
    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    budgets: tuple[str, ...] | None = None


class KeyStore:
    """Reads and writes key rows. A row is never deleted: usage refers to it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> tuple[KeyRecord, ...]:
        """Every key, revoked ones too, the oldest first."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(gateway_keys).order_by(gateway_keys.c.created_at, gateway_keys.c.id)
            )
            return tuple(_read(row) for row in rows)

    async def get(self, key_id: str) -> KeyRecord:
        """One key. Raises `NotFound`."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(gateway_keys).where(gateway_keys.c.id == key_id)
            )
            row = found.one_or_none()
        if row is None:
            raise _not_found(key_id)
        return _read(row)

    async def add(self, record: KeyRecord) -> None:
        """Adds a key. Raises `Conflict` when its id or the key itself is there already."""
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(gateway_keys).values(asdict(record)))
        except IntegrityError:
            raise Conflict("This gateway key exists already. Create another.") from None

    async def rotate(
        self, key_id: str, *, digest: bytes, hint: str, sealed: bytes | None = None
    ) -> None:
        """Puts a new key in the place of the old one. Raises `NotFound` also for a revoked key."""
        await self._change(
            key_id, {"digest": digest, "hint": hint, "sealed": sealed, "rotated_at": now_ms()}
        )

    async def change(self, key_id: str, terms: Mapping[str, Any]) -> None:
        """Gives some of a key's terms other values: `models`, `expires_at`, `rpm`, `tpm`,
        `concurrency`, `budgets`. Raises `NotFound` also for a revoked key."""
        await self._change(key_id, dict(terms))

    async def revoke(self, key_id: str) -> None:
        """Ends a key for good. Raises `NotFound` also for a revoked key."""
        await self._change(key_id, {"revoked_at": now_ms(), "sealed": None})

    async def _change(self, key_id: str, values: dict[str, Any]) -> None:
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(gateway_keys)
                .where(gateway_keys.c.id == key_id, gateway_keys.c.revoked_at.is_(None))
                .values(values)
            )
            if not changed.rowcount:
                raise _not_found(key_id)


def _read(row: Row[Any]) -> KeyRecord:
    return msgspec.convert(row, KeyRecord, from_attributes=True)


def _not_found(key_id: str) -> NotFound:
    return NotFound(f"There is no live gateway key {key_id!r}. `dragoman key list` shows all.")
