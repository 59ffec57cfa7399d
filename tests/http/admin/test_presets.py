"""http.admin.presets: what a form needs to know before a provider is added."""

from __future__ import annotations

import httpx2

from dragoman.providers.presets import PRESETS
from dragoman.providers.types import TYPES


async def test_every_preset_is_there(admin: httpx2.AsyncClient) -> None:
    presets = {row["id"]: row for row in (await admin.get("/admin/presets")).json()["presets"]}
    assert list(presets) == list(PRESETS)
    deepseek = presets["deepseek"]
    assert deepseek["base_url"] == "https://api.deepseek.com/v1"
    assert deepseek["base_urls"] == {"messages": "https://api.deepseek.com/anthropic/v1"}
    assert deepseek["protocols"] == ["chat", "messages", "responses"]
    assert deepseek["needs_key"] is True
    assert presets["vllm"]["needs_key"] is False
    assert presets["azure-openai"]["base_url"] is None
    assert presets["azure-openai"]["example"] != ""


async def test_every_preset_says_of_which_type_it_is(admin: httpx2.AsyncClient) -> None:
    types = {row["id"]: row for row in (await admin.get("/admin/types")).json()["types"]}
    assert list(types) == list(TYPES)
    for preset in (await admin.get("/admin/presets")).json()["presets"]:
        assert preset["type"] in types
        assert preset["protocols"]


async def test_a_preset_with_an_address_makes_a_provider_with_a_key_alone(
    admin: httpx2.AsyncClient,
) -> None:
    for preset in (await admin.get("/admin/presets")).json()["presets"]:
        if preset["base_url"] is None or preset["id"] not in {"openai", "deepseek", "vllm"}:
            continue
        spec = {"id": f"my-{preset['id']}", "preset": preset["id"], "models": ["m"]}
        added = (await admin.post("/admin/providers", json=spec)).json()
        assert added["protocols"] == preset["protocols"]
