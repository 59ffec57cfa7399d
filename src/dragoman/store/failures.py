"""Turns what a database driver raises into a `StoreError` that says what to do.

SQLite names its result codes (https://www.sqlite.org/rescode.html), extended ones begin with the
name of their primary one; PostgreSQL has SQLSTATE codes of five characters whose first two are a
class (appendix A of its manual). Both tables below are searched by prefix, first match first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dragoman.errors import StoreError

_SQLITE = (
    ("SQLITE_BUSY", "is locked by another program. Close what else has it open, then try again."),
    ("SQLITE_LOCKED", "is locked by another program. Close what else has it open, then try again."),
    (
        "SQLITE_READONLY",
        "is read-only. Give the gateway's user the right to write the file and its directory.",
    ),
    ("SQLITE_FULL", "cannot grow: the disk is full. Free some space, then try again."),
    ("SQLITE_CORRUPT", "is damaged. Restore it from a backup, or move it away to start empty."),
    (
        "SQLITE_NOTADB",
        "is not a database file, or is damaged. Restore it from a backup, or move it away to start"
        " empty.",
    ),
    (
        "SQLITE_CANTOPEN",
        "cannot be opened. Make sure that its directory exists and that the gateway's user may"
        " read and write it.",
    ),
    ("SQLITE_IOERR", "cannot be read or written: the disk fails or is gone. Check the disk."),
)
_POSTGRESQL = (
    ("08", "does not answer or has dropped the connection. Check that the server runs."),
    ("28", "refuses the login. Check the user and password in DRAGOMAN_DATABASE_URL."),
    ("3D000", "does not exist. Create it, or correct the name in DRAGOMAN_DATABASE_URL."),
    ("25006", "is read-only. Point DRAGOMAN_DATABASE_URL at the primary server."),
    ("42501", "denies access. Grant the gateway's user the rights to create and use tables."),
    ("53100", "cannot grow: the disk is full. Free some space, then try again."),
    ("53300", "has no connection left. Raise its max_connections, or run fewer gateways."),
    ("57P", "is shutting down or starting. Try again when it runs."),
    ("55P03", "is locked by another program. Try again."),
    ("40", "was changed by another program at the same moment. Try again."),
)


@contextmanager
def explained(place: str) -> Generator[None]:
    """Raises `StoreError` for every failure of the database at `place` within the block.

    Violated constraints pass through as they are: only the caller knows what they mean.
    """
    try:
        yield
    except IntegrityError:
        raise
    except (DBAPIError, PoolTimeout, sqlite3.Error, OSError) as error:
        raise StoreError(f"The database {place} {_explain(error)}") from error


def is_locked(error: DBAPIError) -> bool:
    """Whether SQLite gave up because another connection holds a lock."""
    return (getattr(error.orig, "sqlite_errorname", None) or "").startswith("SQLITE_BUSY")


def _explain(error: Exception) -> str:
    if isinstance(error, PoolTimeout):
        return "is too busy: no connection came free in time. Try again."
    if isinstance(error, OSError):
        return (
            f"cannot be reached: {error.strerror or error}. Check its path or address, and that the"
            " gateway's user may use it."
        )
    cause = error.orig if isinstance(error, DBAPIError) else error
    for attribute, table in (("sqlite_errorname", _SQLITE), ("sqlstate", _POSTGRESQL)):
        code = getattr(cause, attribute, None) or ""
        for prefix, explanation in table:
            if code.startswith(prefix):
                return explanation
    # The driver's first line only: what follows may quote the row that was being written.
    reason = str(cause).partition("\n")[0]
    return f"failed: {reason}. Run `dragoman doctor`."
