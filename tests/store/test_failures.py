from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from dragoman.errors import StoreError
from dragoman.store.failures import explained, is_locked


class PostgresError(Exception):
    def __init__(self, sqlstate):
        super().__init__("first line\nDETAIL: Key (digest)=(SECRET) is there")
        self.sqlstate = sqlstate


def sqlite_error(name):
    error = sqlite3.OperationalError("what SQLite says")
    error.sqlite_errorname = name
    return error


def wrapped(cause):
    return OperationalError("SELECT 1", {}, cause)


def explain(error):
    with pytest.raises(StoreError) as caught, explained("/data/dragoman.db"):
        raise error
    assert caught.value.__cause__ is error
    return caught.value.message


@pytest.mark.parametrize(
    ("error", "explanation"),
    [
        (sqlite_error("SQLITE_BUSY_SNAPSHOT"), "is locked"),
        (sqlite_error("SQLITE_READONLY_DBMOVED"), "is read-only"),
        (sqlite_error("SQLITE_FULL"), "disk is full"),
        (sqlite_error("SQLITE_CORRUPT_INDEX"), "is damaged"),
        (sqlite_error("SQLITE_NOTADB"), "is not a database file"),
        (sqlite_error("SQLITE_CANTOPEN_ISDIR"), "cannot be opened"),
        (sqlite_error("SQLITE_IOERR_WRITE"), "disk fails"),
        (PostgresError("08006"), "does not answer"),
        (PostgresError("28P01"), "refuses the login"),
        (PostgresError("3D000"), "does not exist"),
        (PostgresError("25006"), "is read-only"),
        (PostgresError("42501"), "denies access"),
        (PostgresError("53100"), "disk is full"),
        (PostgresError("53300"), "no connection left"),
        (PostgresError("57P01"), "is shutting down"),
        (PostgresError("40P01"), "Try again"),
    ],
)
def test_each_code_says_what_to_do(error, explanation):
    assert explain(wrapped(error)).startswith("The database /data/dragoman.db ")
    assert explanation in explain(wrapped(error))


def test_errors_of_the_driver_that_nobody_wrapped():
    assert "is locked" in explain(sqlite_error("SQLITE_BUSY"))
    assert "cannot be reached: Connection refused" in explain(
        ConnectionRefusedError(111, "Connection refused")
    )
    assert "too busy" in explain(PoolTimeout())


def test_an_unknown_code_gives_the_drivers_first_line_and_no_row():
    message = explain(wrapped(PostgresError("XX000")))
    assert "first line" in message
    assert "SECRET" not in message


@pytest.mark.parametrize("error", [IntegrityError("", {}, Exception()), LookupError()])
def test_other_errors_pass_through(error):
    with pytest.raises(type(error)) as caught, explained("place"):
        raise error
    assert caught.value is error


def test_only_a_busy_sqlite_counts_as_locked():
    assert is_locked(wrapped(sqlite_error("SQLITE_BUSY")))
    assert not is_locked(wrapped(sqlite_error("SQLITE_FULL")))
    assert not is_locked(DBAPIError("", {}, PostgresError("40P01")))
