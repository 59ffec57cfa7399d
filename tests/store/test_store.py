from __future__ import annotations

import pytest

from dragoman.errors import StoreError
from dragoman.providers.spec import ProviderSpec
from dragoman.secrets import SecretBox
from dragoman.store.store import Store


async def test_everything_is_there_after_a_restart(where, box):
    store = await Store.open(where, box)
    await store.providers.add(ProviderSpec(id="a", api_key="sk-1"))
    await store.settings.set("theme", "dark")
    await store.model_lists.record_failure("a", "down")
    await store.aclose()

    store = await Store.open(where, box)
    assert [spec.api_keys for spec in await store.providers.list()] == [["sk-1"]]
    assert await store.settings.get("theme") == "dark"
    assert (await store.model_lists.get("a")).error == "down"
    assert await store.keys.list() == ()
    await store.aclose()


async def test_another_secret_key_is_refused_at_once(where, box):
    await (await Store.open(where, box)).aclose()
    other = SecretBox(bytes([1]) * 32, "DRAGOMAN_SECRET_KEY")
    with pytest.raises(StoreError, match=rf"{box.fingerprint}.*DRAGOMAN_SECRET_KEY"):
        await Store.open(where, other)
    await (await Store.open(where, box)).aclose()


async def test_opening_again_changes_nothing(where, box):
    store = await Store.open(where, box)
    revision = await store.database.revision()
    await store.aclose()
    store = await Store.open(where, box)
    assert await store.database.revision() == revision
    await store.aclose()
