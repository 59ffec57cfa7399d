from __future__ import annotations

import pytest
from sqlalchemy import update

from dragoman.providers.provider import Model
from dragoman.store import model_lists, schema
from dragoman.store.model_lists import ModelList, ModelListStore

MODELS = (
    Model("gpt-4", "GPT-4", created=1_700_000_000, owned_by="openai"),
    Model(
        "vision",
        "Vision",
        context_length=128_000,
        max_output=8_192,
        abilities=frozenset({"vision"}),
    ),
)


@pytest.fixture
def store(database, monkeypatch):
    times = iter(range(1, 100))
    monkeypatch.setattr(model_lists, "now_ms", lambda: next(times))
    return ModelListStore(database)


async def test_a_provider_that_was_never_asked(store):
    assert await store.get("openai") == ModelList("openai")


async def test_a_list_comes_back_as_it_was(store):
    await store.record("openai", MODELS)
    assert await store.get("openai") == ModelList("openai", MODELS, fetched_at=1)


async def test_a_failure_keeps_the_last_good_list(store):
    await store.record("openai", MODELS)
    await store.record_failure("openai", "502 Bad Gateway")
    assert await store.get("openai") == ModelList("openai", MODELS, 1, "502 Bad Gateway", 2)


async def test_a_success_clears_the_failure(store):
    await store.record_failure("openai", "502 Bad Gateway")
    assert await store.get("openai") == ModelList("openai", (), None, "502 Bad Gateway", 1)
    await store.record("openai", MODELS[:1])
    assert await store.get("openai") == ModelList("openai", MODELS[:1], fetched_at=2)


async def test_lists_are_kept_apart_by_provider(store):
    await store.record("a", MODELS[:1])
    await store.record("b", MODELS[1:])
    await store.remove("a")
    assert await store.list() == {"b": ModelList("b", MODELS[1:], fetched_at=2)}


async def test_a_list_of_another_version_is_as_good_as_none(store, database):
    await store.record("a", MODELS)
    async with database.write() as connection:
        await connection.execute(update(schema.model_lists).values(models=[{"uid": 7}]))
    assert await store.list() == {"a": ModelList("a")}
