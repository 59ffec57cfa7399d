"""A database of each kind for every test that asks for `where` or `database`.

PostgreSQL takes part when `DRAGOMAN_TEST_POSTGRES_URL` names a server whose user may create
databases; every test gets one of its own.
"""

from __future__ import annotations

import os
import uuid

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from dragoman.secrets import SecretBox
from dragoman.store.database import Database

POSTGRES_URL = os.environ.get("DRAGOMAN_TEST_POSTGRES_URL")


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param(
            "postgresql",
            marks=pytest.mark.skipif(not POSTGRES_URL, reason="no DRAGOMAN_TEST_POSTGRES_URL"),
        ),
    ]
)
async def where(request, tmp_path):
    """What `Database.open` takes, for a database that does not exist yet or is empty."""
    if request.param == "sqlite":
        yield tmp_path / "dragoman.db"
        return
    url = make_url(POSTGRES_URL).set(drivername="postgresql+asyncpg")
    name = f"dragoman_test_{uuid.uuid4().hex}"
    server = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


@pytest.fixture
async def database(where):
    database = await Database.open(where)
    yield database
    await database.aclose()


@pytest.fixture
def box():
    return SecretBox(bytes(32), "the test's key")
