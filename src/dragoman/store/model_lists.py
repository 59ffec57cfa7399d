"""The model lists that providers gave when they were last asked.

A failed attempt is noted beside the last good list and never replaces it: a provider that is
down for a minute keeps its models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from dragoman.providers.provider import Model
from dragoman.store.clock import now_ms
from dragoman.store.database import Database
from dragoman.store.schema import model_lists


@dataclass(frozen=True, slots=True)
class ModelList:
    """What is known of one provider's models. Times are Unix milliseconds.

    `fetched_at` is None where no list ever came; `error` is None unless the latest attempt
    failed.
    """

    provider_id: str
    models: tuple[Model, ...] = ()
    fetched_at: int | None = None
    error: str | None = None
    error_at: int | None = None


class ModelListStore:
    """Reads and writes model lists, by provider id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> dict[str, ModelList]:
        """Every list by its provider's id."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(model_lists))).all()
        return {row.provider_id: _read(row) for row in rows}

    async def get(self, provider_id: str) -> ModelList:
        """The provider's list; an empty one where it was never asked."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(model_lists).where(model_lists.c.provider_id == provider_id)
            )
            row = found.one_or_none()
        return ModelList(provider_id) if row is None else _read(row)

    async def record(self, provider_id: str, models: Sequence[Model]) -> None:
        """Replaces the list with `models`, which the provider has just given."""
        values = {
            "models": msgspec.to_builtins(models),
            "fetched_at": now_ms(),
            "error": None,
            "error_at": None,
        }
        await self._put(provider_id, values)

    async def record_failure(self, provider_id: str, error: str) -> None:
        """Notes that asking has just failed, in words without secrets."""
        await self._put(provider_id, {"error": error, "error_at": now_ms()})

    async def remove(self, provider_id: str) -> None:
        """Forgets the provider's list."""
        async with self._database.write() as connection:
            await connection.execute(
                delete(model_lists).where(model_lists.c.provider_id == provider_id)
            )

    async def _put(self, provider_id: str, values: Mapping[str, Any]) -> None:
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(model_lists).where(model_lists.c.provider_id == provider_id).values(values)
            )
            if not changed.rowcount:
                row: dict[str, Any] = {"models": [], **values}
                await connection.execute(insert(model_lists).values(provider_id=provider_id, **row))


def _read(row: Row[Any]) -> ModelList:
    try:
        return msgspec.convert(row, ModelList, from_attributes=True)
    except msgspec.ValidationError:
        # Written by another version. It is only a copy: the provider will be asked again.
        return ModelList(row.provider_id)
