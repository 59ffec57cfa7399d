"""One database, SQLite or PostgreSQL, with the same statements on both.

Reads and writes are transactions. Writes come one after the other: SQLite knows only one writer
anyway (`BEGIN IMMEDIATE` takes its place at once instead of failing half-way), and on PostgreSQL
the update of the change counter, with which every write begins, makes the next one wait. So a
write may look first and then act, with nobody in between.

SQLite runs in WAL mode with `synchronous=NORMAL`: a committed write survives the death of the
process; a power failure may take the last few, and never the file's integrity
(https://www.sqlite.org/pragma.html#pragma_synchronous).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, event, make_url, select, text, update
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from dragoman.errors import ConfigError, StoreError
from dragoman.paths import PRIVATE_FILE
from dragoman.store import migrations
from dragoman.store.failures import explained, is_locked
from dragoman.store.schema import change_counter

_BUSY_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 10.0
_MIGRATION_LOCK = 0x6472_6167_6F6D_616E  # "dragoman"; PostgreSQL's advisory locks are numbers


class Database:
    """An open database; `Database.open` makes one, `aclose` ends it. `on_change` is called after
    each counted write of this process."""

    def __init__(self, engine: AsyncEngine) -> None:
        url = engine.url
        self.place = url.render_as_string(hide_password=True)
        self._sqlite = url.get_backend_name() == "sqlite"
        self._reader = engine
        self._writer = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._turn = asyncio.Lock()
        self.on_change: Callable[[], None] = lambda: None
        if self._sqlite:
            self.place = url.database or self.place
            event.listen(engine.sync_engine, "connect", _set_pragmas)
            event.listen(engine.sync_engine, "begin", _begin)

    @classmethod
    async def open(cls, where: Path | str) -> Database:
        """Opens the SQLite file or the database URL `where`, creating and migrating as needed.

        URLs begin with `postgresql://` or `sqlite:///`. Raises `ConfigError` for a URL that is
        not understood, `StoreError` for a database that cannot be used.
        """
        url = _read_url(where)
        database = cls(_create_engine(url))
        try:
            with explained(database.place):
                if database._sqlite:
                    _create_private_file(url)
                await database._prepare()
        except BaseException:
            await database.aclose()
            raise
        return database

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._reader.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncConnection]:
        """A transaction that only reads; it sees the database as it was at its first query."""
        with explained(self.place):
            async with self._reader.begin() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, counted: bool = True) -> AsyncGenerator[AsyncConnection]:
        """A transaction that is committed when the block ends and undone when it raises.

        It raises the revision, on which every other process reads its configuration anew; what
        is written often and configures nothing (usage records) says `counted=False`. On
        PostgreSQL such a write does not wait for others. Do not open one inside another.
        """
        async with self._turn:
            with explained(self.place):
                async with self._writer.begin() as connection:
                    if counted:
                        await connection.execute(
                            update(change_counter).values(revision=change_counter.c.revision + 1)
                        )
                    yield connection
        if counted:
            self.on_change()

    async def revision(self) -> int:
        """How many counted writes the database has seen."""
        async with self.read() as connection:
            return (await connection.execute(select(change_counter.c.revision))).scalar_one()

    async def _prepare(self) -> None:
        async with self._reader.begin() as connection:
            reached = await connection.run_sync(migrations.current)
        if reached != migrations.HEAD:
            await self._migrate()
        if self._sqlite:
            await self._use_wal()

    async def _migrate(self) -> None:
        """Migrates in one transaction, and only one process at a time; the others find it done."""
        async with self._writer.begin() as connection:
            if not self._sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
                )
            reached = await connection.run_sync(migrations.current)
            if reached is not None and reached not in migrations.REVISIONS:
                raise StoreError(
                    f"The database {self.place} was made by a newer Dragoman (its schema is"
                    f" {reached}, this program knows up to {migrations.HEAD}). Install that"
                    " version, or restore a backup from before it."
                )
            if reached != migrations.HEAD:
                await connection.run_sync(migrations.upgrade)

    async def _use_wal(self) -> None:
        # The change needs the file for itself for a moment, and SQLite's busy timeout does not
        # cover it when two processes try at once. Afterwards the file remembers its mode.
        engine = self._reader.execution_options(sqlite_begin=None)
        for attempts_left in range(100, -1, -1):
            try:
                async with engine.connect() as connection:
                    await connection.execute(text("PRAGMA journal_mode = WAL"))
                return
            except DBAPIError as error:
                if not is_locked(error) or not attempts_left:
                    raise
            await asyncio.sleep(0.05)


def _read_url(where: Path | str) -> URL:
    """The SQLAlchemy URL for a file or for what stands in `DRAGOMAN_DATABASE_URL`."""
    if isinstance(where, Path):
        return _sqlite_url(URL.create("sqlite", database=str(where)))
    try:
        url = make_url(where)
    except ArgumentError:
        raise ConfigError(_UNKNOWN_URL) from None
    match url.get_backend_name():
        case "sqlite" if url.database:
            return _sqlite_url(url)
        case "postgresql" | "postgres":
            return _postgresql_url(url)
        case _:
            raise ConfigError(_UNKNOWN_URL)


_UNKNOWN_URL = (
    "DRAGOMAN_DATABASE_URL is not a database URL that Dragoman knows. Write"
    " postgresql://USER:PASSWORD@HOST/DATABASE or sqlite:////path/to/dragoman.db."
)


def _sqlite_url(url: URL) -> URL:
    query = {"timeout": str(_BUSY_TIMEOUT_S), **url.query}
    return url.set(drivername="sqlite+aiosqlite", query=query)


def _postgresql_url(url: URL) -> URL:
    query = dict(url.query)
    # libpq's name for what asyncpg calls `ssl`; hosted databases hand out URLs in libpq's form.
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    return url.set(drivername="postgresql+asyncpg", query=query)


def _create_engine(url: URL) -> AsyncEngine:
    # Parameters stay out of errors and logs: among them are digests and sealed secrets.
    if url.get_backend_name() == "sqlite":
        # No isolation level: the driver must not begin transactions of its own, see `_begin`.
        return create_async_engine(
            url, hide_parameters=True, connect_args={"isolation_level": None}
        )
    try:
        return create_async_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"timeout": _CONNECT_TIMEOUT_S},
        )
    except ModuleNotFoundError:
        raise ConfigError(
            "PostgreSQL needs the driver asyncpg. Install it with `pip install"
            " 'dragoman[postgres]'`, or unset DRAGOMAN_DATABASE_URL to use SQLite."
        ) from None


def _create_private_file(url: URL) -> None:
    """Makes a missing SQLite file with mode 0600, which its companion files then inherit."""
    if url.database is None or url.database.startswith("file:"):
        return
    with suppress(FileExistsError):
        os.close(os.open(url.database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get("sqlite_begin", "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
