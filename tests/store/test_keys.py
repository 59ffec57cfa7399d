from __future__ import annotations

from dataclasses import replace

import pytest

from dragoman.errors import Conflict, NotFound
from dragoman.store import keys
from dragoman.store.keys import KeyRecord, KeyStore

RECORD = KeyRecord(
    id="key_1",
    name="laptop",
    digest=b"\0digest\xff",
    hint="sk-dragoman-ab…wxyz",
    scopes=("admin", "inference"),
    models=("anthropic:*",),
    sealed=b"\0sealed\xff",
    expires_at=4_102_444_800_000,
    created_at=1_700_000_000_000,
    rpm=60,
    tpm=100_000,
    concurrency=4,
    budgets=("5/day", "100/month"),
)


@pytest.fixture
def store(database, monkeypatch):
    monkeypatch.setattr(keys, "now_ms", lambda: 42)
    return KeyStore(database)


async def test_a_record_comes_back_as_it_was(store):
    await store.add(RECORD)
    assert await store.get("key_1") == RECORD


async def test_the_oldest_comes_first(store):
    await store.add(replace(RECORD, id="key_0", digest=b"0", created_at=RECORD.created_at + 1))
    await store.add(RECORD)
    assert [record.id for record in await store.list()] == ["key_1", "key_0"]


@pytest.mark.parametrize("change", [{"digest": b"other"}, {"id": "key_2"}])
async def test_neither_id_nor_digest_can_be_there_twice(store, change):
    await store.add(RECORD)
    with pytest.raises(Conflict):
        await store.add(replace(RECORD, **change))


async def test_rotating_replaces_what_belongs_to_the_secret(store):
    await store.add(RECORD)
    await store.rotate("key_1", digest=b"new", hint="h", sealed=b"s")
    assert await store.get("key_1") == replace(
        RECORD, digest=b"new", hint="h", sealed=b"s", rotated_at=42
    )


async def test_terms_are_changed_one_by_one(store):
    await store.add(RECORD)
    await store.change("key_1", {"rpm": None, "budgets": ["1/week"]})
    assert await store.get("key_1") == replace(RECORD, rpm=None, budgets=("1/week",))


async def test_revoking_keeps_the_row_and_forgets_the_copy(store):
    await store.add(RECORD)
    await store.revoke("key_1")
    assert await store.get("key_1") == replace(RECORD, sealed=None, revoked_at=42)


async def test_a_revoked_key_stays_dead(store):
    await store.add(RECORD)
    await store.revoke("key_1")
    with pytest.raises(NotFound):
        await store.rotate("key_1", digest=b"new", hint="h")
    with pytest.raises(NotFound):
        await store.revoke("key_1")
    with pytest.raises(NotFound):
        await store.change("key_1", {"rpm": 1})


async def test_a_missing_key_is_named(store):
    with pytest.raises(NotFound, match="nobody"):
        await store.get("nobody")


def test_no_secret_in_its_repr():
    assert "digest" not in repr(RECORD)
    assert "sealed" not in repr(RECORD)
