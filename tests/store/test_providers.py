from __future__ import annotations

import pytest
from sqlalchemy import select, text, update

from dragoman.errors import Conflict, ProviderNotFound, StoreError
from dragoman.providers.provider import Model
from dragoman.providers.spec import ProviderSpec
from dragoman.store.model_lists import ModelListStore
from dragoman.store.providers import ProviderStore
from dragoman.store.schema import providers

FULL = ProviderSpec.model_validate(
    {
        "id": "my-openai",
        "preset": "openai",
        "type": "openai",
        "name": "My OpenAI",
        "base_url": "https://api.example.com/v1",
        "base_urls": {"messages": "https://api.example.com/anthropic"},
        "api_keys": ["sk-SECRET-1", "sk-SECRET-2"],
        "models": ["gpt-4", {"id": "gpt-4o", "name": "GPT-4o", "context_length": 128000}],
        "protocols": ["chat", "messages"],
        "headers": {"x-team": "SECRET-team"},
        "enabled": False,
        "timeout": {"connect_s": 3},
        "proxy": "http://user:SECRET@proxy:3128",
        "set": {"temperature": 0.5},
        "drop": ["store"],
        "rename": {"max_tokens": "max_completion_tokens"},
    }
)


@pytest.fixture
def store(database, box):
    return ProviderStore(database, box)


async def test_a_specification_comes_back_as_it_was(store):
    await store.add(FULL)
    assert await store.get("my-openai") == FULL


async def test_a_single_key_becomes_the_first_of_several(store):
    await store.add(ProviderSpec(id="a", api_key="k1", api_keys=["k2"]))
    spec = await store.get("a")
    assert (spec.api_key, spec.api_keys) == (None, ["k1", "k2"])


async def test_no_secret_is_stored_in_the_clear(store, database):
    await store.add(FULL)
    async with database.read() as connection:
        row = (await connection.execute(select(providers))).one()
    assert "SECRET" not in repr(row)
    assert "api.example.com" in repr(row)


async def test_defaults_are_left_out_so_that_better_ones_can_come(store, database):
    await store.add(ProviderSpec(id="a"))
    async with database.read() as connection:
        assert (await connection.execute(select(providers.c.spec))).scalar_one() == {}


async def test_providers_keep_the_order_in_which_they_came(store):
    for name in ("zeta", "alpha", "mid"):
        await store.add(ProviderSpec(id=name))
    await store.remove("alpha")
    await store.add(ProviderSpec(id="alpha"))
    assert [spec.id for spec in await store.list()] == ["zeta", "mid", "alpha"]


async def test_an_id_can_be_taken_once(store, database):
    await store.add(FULL)
    revision = await database.revision()
    with pytest.raises(Conflict, match="my-openai"):
        await store.add(ProviderSpec(id="my-openai"))
    assert await store.get("my-openai") == FULL
    assert await database.revision() == revision


async def test_replacing_keeps_the_place(store):
    await store.add(FULL)
    await store.add(ProviderSpec(id="b"))
    await store.replace(ProviderSpec(id="my-openai", name="New"))
    assert [(spec.id, spec.name) for spec in await store.list()] == [
        ("my-openai", "New"),
        ("b", None),
    ]


async def test_switching_changes_nothing_else(store):
    await store.add(FULL)
    await store.set_enabled("my-openai", True)
    assert await store.get("my-openai") == FULL.model_copy(update={"enabled": True})


async def test_removing_takes_the_model_list_along(store, database):
    lists = ModelListStore(database)
    await store.add(FULL)
    await lists.record("my-openai", [Model("gpt-4", "GPT-4")])
    await store.remove("my-openai")
    assert await store.list() == ()
    assert await lists.list() == {}


async def test_a_missing_provider_is_named(store):
    for action in (
        store.get("nobody"),
        store.replace(ProviderSpec(id="nobody")),
        store.set_enabled("nobody", True),
        store.remove("nobody"),
    ):
        with pytest.raises(ProviderNotFound, match="nobody"):
            await action


async def test_a_row_of_another_version_is_refused_without_its_secrets(store, database):
    await store.add(FULL)
    async with database.write() as connection:
        await connection.execute(update(providers).values(spec={"colour": "SECRET"}))
    with pytest.raises(StoreError, match=r"'my-openai' cannot be read: colour") as caught:
        await store.list()
    assert "SECRET" not in caught.value.message


async def test_swapped_secrets_are_noticed(store, database):
    await store.add(FULL)
    async with database.write() as connection:
        await connection.execute(update(providers).values(sealed=b"nonsense"))
    with pytest.raises(StoreError, match="damaged"):
        await store.get("my-openai")


async def test_ids_are_parameters_and_never_sql(store, database):
    with pytest.raises(ProviderNotFound):
        await store.get("'; DROP TABLE providers; --")
    async with database.read() as connection:
        await connection.execute(text("SELECT id FROM providers"))
