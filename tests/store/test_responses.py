from __future__ import annotations

import pytest
from sqlalchemy import select, update

from dragoman.errors import StoreError
from dragoman.secrets import SecretBox
from dragoman.store import responses as module
from dragoman.store.responses import ResponseStore, Turn
from dragoman.store.schema import responses

FOREVER = (0, 10**6, 10**12)


def turn(id, previous=None, text="hello"):
    said = [{"type": "message", "role": "user", "content": text}]
    return Turn(id, previous, said, {"id": id, "output": [{"text": text}]})


@pytest.fixture
def store(database, box):
    return ResponseStore(database, box)


@pytest.fixture
def clock(monkeypatch):
    """Sets the time; every turn of a test is then used at a moment of its own."""

    class Clock:
        now = 1000

        def __call__(self):
            self.now += 1
            return self.now

    ticking = Clock()
    monkeypatch.setattr(module, "now_ms", ticking)
    return ticking


async def ids(database):
    async with database.read() as connection:
        return sorted((await connection.execute(select(responses.c.id))).scalars())


async def test_a_turn_comes_back_as_it_was(store):
    kept = turn("a", text="ü \U0001f600")
    await store.add("k", kept)
    assert await store.get("k", "a") == kept
    assert await store.get("k", "b") is None


async def test_a_chain_begins_with_the_first_turn(store):
    for id, previous in (("a", None), ("b", "a"), ("c", "b"), ("d", "b")):
        await store.add("k", turn(id, previous))
    assert [each.id for each in await store.chain("k", "d")] == ["a", "b", "d"]
    assert [each.id for each in await store.chain("k", "c")] == ["a", "b", "c"]
    assert await store.chain("k", "e") == ()


async def test_a_chain_that_has_lost_a_link_is_none(store):
    for id, previous in (("a", None), ("b", "a"), ("c", "b")):
        await store.add("k", turn(id, previous))
    assert await store.remove("k", "a")
    assert not await store.remove("k", "a")
    assert await store.chain("k", "c") == ()
    assert await store.get("k", "c") == turn("c", "b")


async def test_every_key_has_its_own(store):
    await store.add("k", turn("a"))
    assert await store.get("other", "a") is None
    assert await store.chain("other", "a") == ()
    assert not await store.remove("other", "a")
    await store.add("other", turn("b", "a"))
    assert await store.chain("other", "b") == ()


async def test_nothing_that_was_said_is_readable_in_the_database(store, database):
    await store.add("k", turn("a", text="a secret thought"))
    async with database.read() as connection:
        (row,) = (await connection.execute(select(responses))).all()
    assert b"secret thought" not in row.sealed
    assert row.size == len(row.sealed)
    stranger = ResponseStore(database, SecretBox(bytes([1]) * 32, "another key"))
    with pytest.raises(StoreError):
        await stranger.get("k", "a")


async def test_remembering_is_no_change_of_the_configuration(store, database):
    before = await database.revision()
    await store.add("k", turn("a"))
    await store.prune(*FOREVER)
    assert await database.revision() == before


async def test_the_longest_unused_are_forgotten_first(store, database, clock):
    for id in "abcd":
        await store.add("k", turn(id))
    await store.prune(0, 2, 10**12)
    assert await ids(database) == ["c", "d"]


async def test_going_on_keeps_the_whole_conversation_fresh(store, database, clock):
    await store.add("k", turn("a"))
    await store.add("k", turn("x"))
    await store.add("k", turn("b", "a"), chain=["a"])
    await store.prune(0, 2, 10**12)
    assert await ids(database) == ["a", "b"]


async def test_what_is_too_old_is_forgotten(store, database, clock):
    await store.add("k", turn("a"))
    await store.add("k", turn("b"))
    await store.prune(clock.now, 10**6, 10**12)
    assert await ids(database) == ["b"]


async def test_bytes_are_bounded(store, database, clock):
    for id in "abc":
        await store.add("k", turn(id, text="x" * 1000))
    async with database.write() as connection:
        await connection.execute(update(responses).values(size=1000))
    await store.prune(0, 10**6, 2000)
    assert await ids(database) == ["b", "c"]
    await store.prune(0, 10**6, 999)
    assert await ids(database) == []
