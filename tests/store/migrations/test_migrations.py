from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from dragoman.errors import StoreError
from dragoman.store import migrations
from dragoman.store.database import Database


def scripts():
    config = Config()
    config.set_main_option("script_location", str(migrations.FOLDER))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def test_the_file_names_tell_what_alembic_would_read():
    line = [script.revision for script in scripts().walk_revisions()]
    assert tuple(reversed(line)) == migrations.REVISIONS
    assert scripts().get_heads() == [migrations.HEAD]


async def test_a_fresh_database_is_at_the_head(database):
    async with database.read() as connection:
        assert await connection.run_sync(migrations.current) == migrations.HEAD


async def test_an_unfinished_migration_leaves_nothing_behind(where, monkeypatch):
    upgrade = migrations.upgrade

    def interrupted(connection):
        upgrade(connection)
        raise StoreError("interrupted")

    monkeypatch.setattr(migrations, "upgrade", interrupted)
    with pytest.raises(StoreError, match="interrupted"):
        await Database.open(where)
    monkeypatch.undo()
    database = await Database.open(where)
    assert await database.revision() == 0
    await database.aclose()


async def test_a_newer_schema_is_left_alone(where):
    database = await Database.open(where)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.aclose()
    with pytest.raises(StoreError, match=r"newer Dragoman .*9999"):
        await Database.open(where)


def test_alembic_is_not_imported_when_there_is_nothing_to_do(tmp_path):
    program = (
        "import asyncio, pathlib, sys\n"
        "from dragoman.store.database import Database\n"
        "async def main():\n"
        "    await (await Database.open(pathlib.Path(sys.argv[1]))).aclose()\n"
        "asyncio.run(main())\n"
        "print('alembic' in sys.modules)"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / "dragoman.db")],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert outputs == ["True", "False"]
