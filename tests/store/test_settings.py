from __future__ import annotations

import asyncio

import pytest

from dragoman.store.settings import SettingStore


@pytest.fixture
def settings(database):
    return SettingStore(database)


async def test_a_setting_that_was_never_set(settings):
    assert await settings.get("theme") is None
    assert await settings.get("theme", "dark") == "dark"


@pytest.mark.parametrize("value", [{"a": [1, 2.5, "ü"]}, [], "", 0, False, None])
async def test_every_json_value_comes_back(settings, value):
    await settings.set("name", value)
    assert await settings.get("name", "default") == value


async def test_setting_again_replaces(settings):
    await settings.set("name", 1)
    await settings.set("name", 2)
    await settings.set("other", 3)
    assert await settings.list() == {"name": 2, "other": 3}


async def test_removing_forgets_and_need_not_find(settings):
    await settings.set("name", 1)
    await settings.remove("name")
    await settings.remove("name")
    assert await settings.list() == {}


async def test_set_once_lets_the_first_one_win(settings):
    values = await asyncio.gather(*(settings.set_once("name", number) for number in range(5)))
    assert len(set(values)) == 1
    assert await settings.get("name") == values[0]
