"""Settings that are made at run time: names with JSON values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update

from dragoman.store.database import Database
from dragoman.store.schema import settings


class SettingStore:
    """Reads and writes settings. A value is whatever JSON can say."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(self) -> dict[str, Any]:
        """Every setting by its name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(settings.c.name, settings.c.value))
            return {name: value for name, value in rows}

    async def get(self, name: str, default: Any = None) -> Any:
        """The value of one setting, or `default` where it was never set."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(settings.c.value).where(settings.c.name == name)
            )
            row = found.one_or_none()
            return default if row is None else row.value

    async def set(self, name: str, value: Any) -> None:
        """Sets or replaces one setting."""
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(settings).where(settings.c.name == name).values(value=value)
            )
            if not changed.rowcount:
                await connection.execute(insert(settings).values(name=name, value=value))

    async def set_once(self, name: str, value: Any) -> Any:
        """Sets a setting unless somebody was earlier; gives the value that now stands."""
        async with self._database.write() as connection:
            found = await connection.execute(
                select(settings.c.value).where(settings.c.name == name)
            )
            row = found.one_or_none()
            if row is not None:
                return row.value
            await connection.execute(insert(settings).values(name=name, value=value))
            return value

    async def remove(self, name: str) -> None:
        """Forgets one setting, if there is one of that name."""
        async with self._database.write() as connection:
            await connection.execute(delete(settings).where(settings.c.name == name))
