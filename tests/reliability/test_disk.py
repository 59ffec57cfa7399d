"""A database that fails: clear words at the start, and relaying that goes on afterwards."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from cli.processes import Home
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.errors import ConfigError, StoreError
from dragoman.store import database

CHAT = "/v1/chat/completions"
ASK = {"model": "up:m", "messages": []}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("*", json_answer({"choices": [], "usage": {"prompt_tokens": 3}}))
        yield scripted


async def ask(running: Running, times: int = 1) -> list[int]:
    async with running.client() as client:
        return [(await client.post(CHAT, json=ASK)).status_code for _ in range(times)]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what other tasks do sets no event
            await asyncio.sleep(0.02)


async def test_relaying_goes_on_while_another_program_holds_the_database(
    upstream: ScriptedUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_S", 0.1)
    async with run_gateway(tmp_path, provider(upstream.url)) as running:
        ledger = running.gateway.ledger
        holder = sqlite3.connect(tmp_path / "data/dragoman.db", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert await ask(running, 5) == [200] * 5
        await until(lambda: ledger.failure is not None)
        assert "is locked by another program" in (ledger.failure or "")
        async with running.client(running.admin_key) as admin:
            made = await admin.post("/admin/keys", json={"name": "late"})
        assert (made.status_code, made.json()["error"]["code"]) == (500, "store_error")
        assert await ask(running) == [200]
        holder.execute("ROLLBACK")
        holder.close()
        await until(lambda: ledger.failure is None and ledger.waiting == 0)
        assert ledger.lost == 0
    with sqlite3.connect(tmp_path / "data/dragoman.db") as kept:
        assert kept.execute("SELECT count(*) FROM requests").fetchone() == (6,)
    kept.close()


async def test_a_database_that_fails_in_every_way_stops_no_request(
    upstream: ScriptedUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("The disk is full.")

    async with run_gateway(tmp_path, provider(upstream.url)) as running:
        with monkeypatch.context() as broken:
            broken.setattr(database.Database, "read", fail)
            broken.setattr(database.Database, "write", fail)
            await until(lambda: running.gateway.ledger.waiting == 0)
            assert await ask(running, 3) == [200] * 3
            await until(lambda: running.gateway.ledger.failure == "The disk is full.")
            (tmp_path / "dragoman.toml").write_text(provider(upstream.url, "other"))
            await until(lambda: running.gateway.config.refusal == "The disk is full.")
            assert await ask(running) == [200]
        await until(lambda: running.gateway.ledger.failure is None)


def damage(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)


def replace_by_words(file: Path) -> None:
    file.write_text("This is no database." * 500)


@pytest.mark.parametrize("harm", [damage, replace_by_words])
async def test_a_damaged_file_is_told_at_the_start(
    harm: Callable[[Path], None], tmp_path: Path
) -> None:
    home = Home(tmp_path)
    home.data.mkdir()
    harm(home.data / "dragoman.db")
    outcome = await asyncio.to_thread(home.run, "serve", "-p", "0")
    assert outcome.status == 1
    assert "is damaged" in outcome.err
    assert "backup" in outcome.err


async def test_two_gateways_on_one_directory_both_serve(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    toml = provider(upstream.url)
    async with run_gateway(tmp_path, toml) as first, run_gateway(tmp_path, toml) as second:
        assert await ask(first) == await ask(second) == [200]
        issued = await first.gateway.keys.create("shared")
        revision = await first.gateway.store.database.revision()
        await until(lambda: second.gateway.revision == revision)
        assert second.gateway.keys.ring.authenticate(issued.secret).name == "shared"


async def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(ConfigError, match="cannot be used"):
        async with run_gateway(tmp_path):
            pass
