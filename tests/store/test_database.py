from __future__ import annotations

import asyncio
import os
import signal
import socket
import sqlite3
import stat
import sys

import pytest
from sqlalchemy import func, insert, select, text, update

from dragoman.errors import ConfigError, StoreError
from dragoman.store.database import Database
from dragoman.store.schema import change_counter, settings


def put(name, value=1):
    return insert(settings).values(name=name, value=value)


async def names(database):
    async with database.read() as connection:
        rows = await connection.execute(select(settings.c.name).order_by(settings.c.name))
        return list(rows.scalars())


async def open_and_close(where):
    await (await Database.open(where)).aclose()


class TestTransactions:
    async def test_a_write_is_kept(self, database):
        async with database.write() as connection:
            await connection.execute(put("a"))
        assert await names(database) == ["a"]

    async def test_a_write_that_raises_is_undone_with_its_revision(self, database):
        async def write():
            async with database.write() as connection:
                await connection.execute(put("a"))
                raise LookupError

        with pytest.raises(LookupError):
            await write()
        assert await names(database) == []
        assert await database.revision() == 0

    async def test_a_cancelled_write_is_undone_and_frees_the_way(self, database):
        written = asyncio.Event()

        async def write_forever():
            async with database.write() as connection:
                await connection.execute(put("a"))
                written.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(write_forever())
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.write() as connection:
            await connection.execute(put("b"))
        assert await names(database) == ["b"]

    async def test_a_reader_neither_waits_for_a_writer_nor_sees_half_of_it(self, database):
        async with database.write() as connection:
            await connection.execute(put("a"))
            assert await names(database) == []

    async def test_writers_of_several_processes_take_turns(self, where, database):
        """Each reads a number and writes one more; a lost turn would lose a count."""
        other = await Database.open(where)
        async with database.write() as connection:
            await connection.execute(put("count", 0))

        async def count(writer):
            async with writer.write() as connection:
                found = await connection.execute(select(settings.c.value))
                await asyncio.sleep(0)
                await connection.execute(update(settings).values(value=found.scalar_one() + 1))

        await asyncio.gather(*(count(writer) for writer in (database, other) * 15))
        async with database.read() as connection:
            assert (await connection.execute(select(settings.c.value))).scalar_one() == 30
        await other.aclose()


class TestRevision:
    async def test_every_counted_write_raises_it_for_all_to_see(self, where, database):
        other = await Database.open(where)
        for expected in (1, 2):
            async with database.write():
                pass
            assert await database.revision() == await other.revision() == expected
        await other.aclose()

    async def test_reads_and_uncounted_writes_leave_it(self, database):
        async with database.write(counted=False) as connection:
            await connection.execute(put("a"))
        assert await names(database) == ["a"]
        assert await database.revision() == 0

    async def test_there_is_one_counter_only(self, database):
        async with database.read() as connection:
            rows = await connection.execute(select(func.count()).select_from(change_counter))
            assert rows.scalar_one() == 1


class TestSqliteFiles:
    async def test_file_and_companions_are_private_whatever_the_umask(self, tmp_path):
        former = os.umask(0)
        try:
            database = await Database.open(tmp_path / "dragoman.db")
            async with database.write() as connection:
                await connection.execute(put("a"))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
            await database.aclose()
        finally:
            os.umask(former)
        assert modes == dict.fromkeys(("dragoman.db", "dragoman.db-wal", "dragoman.db-shm"), 0o600)

    async def test_a_path_may_hold_anything(self, tmp_path):
        where = tmp_path / "50% of what? #1 ü"
        where.mkdir()
        await open_and_close(where / "dragoman.db")
        assert [path.name for path in where.iterdir()] == ["dragoman.db"]

    async def test_a_url_names_a_file_too(self, tmp_path):
        await open_and_close(f"sqlite:///{tmp_path}/other.db")
        assert (tmp_path / "other.db").exists()

    async def test_the_pragmas_hold_on_every_connection(self, tmp_path):
        database = await Database.open(tmp_path / "dragoman.db")
        expected = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}
        async with database.read() as one, database.read() as two:
            for connection in (one, two):
                for pragma, value in expected.items():
                    row = await connection.execute(text(f"PRAGMA {pragma}"))
                    assert row.scalar_one() == value
        await database.aclose()


class TestProcesses:
    OPEN_AND_WRITE = """
import asyncio, pathlib, sys
from dragoman.store.database import Database
from dragoman.store.settings import SettingStore

async def main(where, count):
    database = await Database.open(pathlib.Path(where))
    settings = SettingStore(database)
    for number in range(count):
        await settings.set(f"{number:05}", number)
        print(number, flush=True)
    await database.aclose()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""

    def start(self, where, count):
        return asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            self.OPEN_AND_WRITE,
            str(where),
            str(count),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def test_several_may_open_a_fresh_directory_at_once(self, tmp_path):
        processes = [await self.start(tmp_path / "dragoman.db", 1) for _ in range(3)]
        for process in processes:
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
        database = await Database.open(tmp_path / "dragoman.db")
        assert await database.revision() == 3
        await database.aclose()

    async def test_a_killed_process_loses_nothing_that_it_acknowledged(self, tmp_path):
        process = await self.start(tmp_path / "dragoman.db", 100_000)
        acknowledged = [int(await process.stdout.readline()) for _ in range(25)]
        process.send_signal(signal.SIGKILL)
        rest, _ = await process.communicate()
        acknowledged += [int(line) for line in rest.split(b"\n")[:-1]]
        database = await Database.open(tmp_path / "dragoman.db")
        assert set(await names(database)) >= {f"{number:05}" for number in acknowledged}
        async with database.read() as connection:
            check = await connection.execute(text("PRAGMA integrity_check"))
            assert check.scalar_one() == "ok"
        await database.aclose()


class TestTrouble:
    async def test_a_file_that_is_no_database(self, tmp_path):
        where = tmp_path / "dragoman.db"
        where.write_bytes(b"not a database " * 500)
        with pytest.raises(StoreError, match=r"dragoman\.db is not a database file"):
            await Database.open(where)
        assert where.read_bytes().startswith(b"not a database")

    async def test_a_damaged_file(self, tmp_path):
        where = tmp_path / "dragoman.db"
        database = await Database.open(where)
        async with database.write() as connection:
            for number in range(200):
                await connection.execute(put(f"name {number}", "x" * 500))
        await database.aclose()
        content = bytearray(where.read_bytes())
        content[4096:] = b"\xa5" * (len(content) - 4096)
        where.write_bytes(content)
        with pytest.raises(StoreError, match="is damaged"):
            await Database.open(where)

    async def test_one_that_another_program_holds(self, tmp_path):
        where = tmp_path / "dragoman.db"
        database = await Database.open(f"sqlite:///{where}?timeout=0.01")
        holder = sqlite3.connect(where, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="is locked"):
            async with database.write():
                pass
        holder.execute("ROLLBACK")
        holder.close()
        async with database.write():
            pass
        await database.aclose()

    async def test_a_read_only_one_can_be_read(self, tmp_path):
        where = tmp_path / "dragoman.db"
        await open_and_close(where)
        database = await Database.open(f"sqlite:///file:{where}?mode=ro&uri=true")
        assert await names(database) == []
        with pytest.raises(StoreError, match="is read-only"):
            async with database.write():
                pass
        await database.aclose()

    async def test_a_full_disk(self, tmp_path):
        database = await Database.open(tmp_path / "dragoman.db")

        async def write():
            async with database.write() as connection:
                await connection.execute(text("PRAGMA max_page_count = 1"))
                await connection.execute(put("a", "x" * 100_000))

        with pytest.raises(StoreError, match="disk is full"):
            await write()
        assert await database.revision() == 0
        await database.aclose()

    @pytest.mark.parametrize("url", ["{}/none/dragoman.db", "file:{}/none/a.db?uri=true"])
    async def test_a_directory_that_does_not_exist(self, tmp_path, url):
        with pytest.raises(StoreError, match=r"none.*(cannot be (opened|reached))"):
            await Database.open("sqlite:///" + url.format(tmp_path))

    async def test_a_server_that_does_not_answer(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
            port = taken.getsockname()[1]
            with pytest.raises(StoreError, match="cannot be reached") as caught:
                await Database.open(f"postgresql://user:SECRET@127.0.0.1:{port}/name")
        assert "SECRET" not in caught.value.message

    async def test_errors_do_not_quote_what_was_being_written(self, database):
        with pytest.raises(StoreError) as caught:
            async with database.write() as connection:
                await connection.execute(
                    text("INSERT INTO nowhere VALUES (:value)"), {"value": "SECRET"}
                )
        assert "SECRET" not in f"{caught.value} {caught.value.__cause__}"

    async def test_a_missing_database_on_a_server(self, where):
        if not isinstance(where, str):
            pytest.skip("SQLite makes a missing database")
        with pytest.raises(StoreError, match="does not exist"):
            await Database.open(where + "_missing")


class TestUrls:
    @pytest.mark.parametrize(
        "url", ["mysql://user:SECRET@host/name", "SECRET", "sqlite://", "", "postgresql"]
    )
    async def test_what_is_not_understood_is_refused_without_quoting_it(self, url):
        with pytest.raises(ConfigError, match="DRAGOMAN_DATABASE_URL") as caught:
            await Database.open(url)
        assert "SECRET" not in caught.value.message

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
    async def test_hosted_databases_give_their_urls_in_libpqs_form(self, where, scheme):
        if not isinstance(where, str):
            pytest.skip("PostgreSQL only")
        url = where.replace("postgresql://", f"{scheme}://") + "?sslmode=prefer"
        await open_and_close(url)

    async def test_without_the_driver_the_extra_is_named(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "asyncpg", None)
        with pytest.raises(ConfigError, match=r"dragoman\[postgres\]"):
            await Database.open("postgresql://127.0.0.1/name")


async def test_counted_writes_are_told(database):
    told = []
    database.on_change = lambda: told.append(1)
    async with database.write():
        assert not told
    async with database.write(counted=False):
        pass
    with pytest.raises(LookupError):
        async with database.write():
            raise LookupError
    assert told == [1]
