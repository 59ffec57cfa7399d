"""http.admin.providers: added, changed, tried and removed while the gateway runs."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from running_gateway import Running
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.providers.spec import ProviderSpec

FIRST, SECOND = "sk-first-0123456789abcdefghijkl", "sk-second-0123456789abcdefghijk"


async def _models(running: Running) -> list[str]:
    async with running.client() as client:
        return [entry["id"] for entry in (await client.get("/v1/models")).json()["data"]]


async def _stored(running: Running, provider_id: str) -> ProviderSpec:
    return await running.gateway.store.providers.get(provider_id)


async def test_the_list_tells_where_each_comes_from(admin: httpx2.AsyncClient, added: str) -> None:
    answer = (await admin.get("/admin/providers")).json()
    first, second = answer["providers"]
    assert (first["id"], first["source"], first["managed_by_file"]) == ("filed", "file", True)
    assert (second["id"], second["source"], second["managed_by_file"]) == (added, "database", False)
    assert second["api_keys"] == ["sk-f…ijkl", "sk-s…hijk"]
    assert second["key_count"] == 2
    assert second["model_count"] == 1
    assert second["state"] == "ready"
    assert answer["problems"] == {}


async def test_one_is_shown_with_what_was_written(
    admin: httpx2.AsyncClient, added: str, upstream: ScriptedUpstream
) -> None:
    shown = (await admin.get(f"/admin/providers/{added}")).json()
    assert shown["spec"]["base_url"] == upstream.url
    assert shown["base_urls"]["chat"] == f"{upstream.url}/v1"
    assert shown["spec"]["headers"] == {"x-team": "team…cdef"}
    assert shown["spec"]["set"] == {"metadata": {"api_key": "***"}}
    assert [model["id"] for model in shown["models"]] == ["added:one"]


async def test_adding_one_offers_its_models_at_once(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    spec = {"id": "new", "type": "openai", "api_key": FIRST, "models": ["a", "b"]}
    answer = await admin.post("/admin/providers", json=spec)
    assert answer.status_code == 201
    assert answer.json()["protocols"] == ["chat", "completions", "embeddings", "responses"]
    assert {"new:a", "new:b"} <= set(await _models(running))


@pytest.mark.parametrize(
    ("spec", "status", "said"),
    [
        ({"id": "filed", "type": "openai"}, 409, "already"),
        ({"id": "added", "type": "openai"}, 409, "already"),
        ({"id": "v1", "type": "openai"}, 400, "path of the gateway"),
        ({"id": "x", "type": "openia"}, 400, 'Did you mean "openai"'),
        ({"id": "x"}, 400, "`type` or a `preset`"),
        ({"id": "x", "type": "openai", "base_url": "ftp://a"}, 400, "http://"),
        ({"id": "x", "type": "openai", "api_keys": ["sk-f…ijkl"]}, 400, "outside ASCII"),
        ({"type": "openai"}, 400, "`id`"),
    ],
)
async def test_what_cannot_work_is_not_added(
    spec: dict[str, Any], status: int, said: str, admin: httpx2.AsyncClient, added: str
) -> None:
    before = (await admin.get("/admin/providers")).json()
    answer = await admin.post("/admin/providers", json=spec)
    assert answer.status_code == status
    assert said in answer.json()["error"]["message"]
    assert (await admin.get("/admin/providers")).json() == before


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        ({"name": "New name"}, [FIRST, SECOND]),
        ({"add_api_keys": ["sk-third"]}, [FIRST, SECOND, "sk-third"]),
        ({"api_keys": ["sk-third"]}, ["sk-third"]),
        ({"api_key": "sk-third"}, ["sk-third"]),
        ({"api_keys": None}, []),
        ({"api_keys": None, "add_api_keys": ["sk-third"]}, ["sk-third"]),
        ({"api_keys": ["sk-s…hijk", "sk-third", "sk-f…ijkl"]}, [SECOND, "sk-third", FIRST]),
    ],
)
async def test_a_change_leaves_the_rest_as_it_was(
    change: dict[str, Any],
    keys: list[str],
    admin: httpx2.AsyncClient,
    added: str,
    running: Running,
) -> None:
    before = await _stored(running, added)
    answer = await admin.patch(f"/admin/providers/{added}", json=change)
    assert answer.status_code == 200, answer.text
    assert answer.json()["key_count"] == len(keys)
    after = await _stored(running, added)
    assert after.api_keys == keys
    assert after.name == change.get("name")
    assert (after.headers, after.set, after.models) == (before.headers, before.set, before.models)


async def test_null_puts_a_member_back_to_its_default(
    admin: httpx2.AsyncClient, added: str, running: Running
) -> None:
    path = f"/admin/providers/{added}"
    await admin.patch(path, json={"timeout": {"idle_s": 5}, "name": "X"})
    assert running.gateway.router.providers[added].timeouts.idle_s == 5
    change = {"timeout": None, "name": None, "headers": None, "set": None, "models": None}
    assert (await admin.patch(path, json=change)).status_code == 200
    provider = running.gateway.router.providers[added]
    assert (provider.name, provider.timeouts.idle_s, provider.models) == (added, 300, None)
    assert (dict(provider.headers), dict(provider.edits)) == ({}, {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "other"}, "`id`"),
        ({"colour": "red"}, "`colour`"),
        ({"timeout": {"idle_s": -1}}, "`timeout.idle_s`"),
        ({"type": None}, "`type` or a `preset`"),
        ({"api_keys": ["…"]}, "outside ASCII"),
        ({"headers": {"x-team": "…"}}, "no valid header"),
    ],
)
async def test_a_change_that_cannot_work_changes_nothing(
    change: dict[str, Any],
    said: str,
    admin: httpx2.AsyncClient,
    added: str,
    running: Running,
) -> None:
    before = await _stored(running, added)
    answer = await admin.patch(f"/admin/providers/{added}", json=change)
    assert answer.status_code == 400
    assert said in answer.json()["error"]["message"]
    assert await _stored(running, added) == before


async def test_what_was_shown_can_be_put_back(
    admin: httpx2.AsyncClient, added: str, running: Running
) -> None:
    path = f"/admin/providers/{added}"
    before = await _stored(running, added)
    spec = (await admin.get(path)).json()["spec"]
    assert (await admin.put(path, json=spec)).status_code == 200
    assert await _stored(running, added) == before


async def test_put_replaces_everything(
    admin: httpx2.AsyncClient, added: str, running: Running
) -> None:
    path = f"/admin/providers/{added}"
    spec = {"id": added, "type": "anthropic"}
    assert (await admin.put(path, json=spec)).json()["protocols"] == ["messages"]
    assert await _stored(running, added) == ProviderSpec.model_validate(spec)
    renamed = await admin.put(path, json={**spec, "id": "other"})
    assert (renamed.status_code, renamed.json()["error"]["param"]) == (400, "id")


async def test_switched_off_it_is_gone_from_the_models_at_once(
    admin: httpx2.AsyncClient, added: str, running: Running
) -> None:
    assert "added:one" in await _models(running)
    off = (await admin.post(f"/admin/providers/{added}/disable")).json()
    assert (off["enabled"], off["state"], off["model_count"]) == (False, "disabled", 1)
    assert "added:one" not in await _models(running)
    assert (await admin.post(f"/admin/providers/{added}/enable")).json()["enabled"] is True
    assert "added:one" in await _models(running)


async def test_removed_it_is_gone(admin: httpx2.AsyncClient, added: str, running: Running) -> None:
    answer = await admin.delete(f"/admin/providers/{added}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "added:one" not in await _models(running)
    for method in ("GET", "DELETE"):
        answer = await admin.request(method, f"/admin/providers/{added}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "provider_not_found"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"name": "X"}),
        ("PUT", "", {"id": "filed", "type": "openai"}),
        ("DELETE", "", None),
        ("POST", "/enable", None),
        ("POST", "/disable", None),
    ],
)
async def test_what_the_file_says_is_changed_in_the_file(
    method: str, path: str, body: Any, admin: httpx2.AsyncClient, running: Running
) -> None:
    content = {"json": body} if body else {}
    answer = await admin.request(method, f"/admin/providers/filed{path}", **content)
    assert answer.status_code == 409
    assert str(running.gateway.settings.file) in answer.json()["error"]["message"]
    assert running.gateway.router.providers["filed"].enabled


async def test_a_stored_provider_that_cannot_work_can_be_put_right_or_removed(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    for provider_id in ("broken", "hopeless"):
        await running.gateway.store.providers.add(ProviderSpec(id=provider_id, type="bygone"))
    await admin.post("/admin/reload")
    problems = (await admin.get("/admin/providers")).json()["problems"]
    assert set(problems) == {"broken", "hopeless"}
    answer = await admin.get("/admin/providers/broken")
    assert answer.status_code == 404
    assert problems["broken"] in answer.json()["error"]["message"]
    changed = await admin.patch("/admin/providers/broken", json={"type": "openai"})
    assert changed.json()["type"] == "openai"
    assert (await admin.delete("/admin/providers/hopeless")).status_code == 204
    assert (await admin.get("/admin/providers")).json()["problems"] == {}


async def test_trying_one_that_is_not_stored(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream
) -> None:
    spec = {"id": "new", "type": "openai-compatible", "base_url": upstream.url, "api_key": FIRST}
    answer = (await admin.post("/admin/providers/test", json=spec)).json()
    assert (answer["ok"], answer["models"]) == (True, 2)
    assert answer["protocols"] == ["chat", "completions", "embeddings"]
    assert upstream.requests[0].header("authorization") == f"Bearer {FIRST}"
    assert "new" not in running.gateway.router.providers
    refused = await admin.post("/admin/providers/test", json={**spec, "type": "nonsense"})
    assert refused.status_code == 400


async def test_trying_one_that_is_being_edited_uses_its_stored_keys(
    admin: httpx2.AsyncClient, added: str, upstream: ScriptedUpstream
) -> None:
    spec = (await admin.get(f"/admin/providers/{added}")).json()["spec"]
    assert (await admin.post("/admin/providers/test", json=spec)).json()["ok"]
    assert upstream.requests[0].header("authorization") == f"Bearer {FIRST}"


async def test_masks_do_not_reach_the_keys_of_the_file(admin: httpx2.AsyncClient) -> None:
    """Else whoever manages the gateway could send a key of the environment anywhere."""
    spec = (await admin.get("/admin/providers/filed")).json()["spec"]
    answer = await admin.post("/admin/providers/test", json=spec)
    assert answer.status_code == 400
    assert "outside ASCII" in answer.json()["error"]["message"]


async def test_a_refusal_is_told_without_the_key(
    admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    refusal = {"error": {"message": f"Incorrect API key provided: {FIRST}."}}
    upstream.on("/v1/models", json_answer(refusal, 401))
    spec = {"id": "new", "type": "openai-compatible", "base_url": upstream.url, "api_key": FIRST}
    assert (await admin.post("/admin/providers", json=spec)).status_code == 201
    tried = (await admin.post("/admin/providers/new/test")).json()
    assert tried["ok"] is False
    assert "Incorrect API key" in tried["message"]
    fetched = await admin.post("/admin/providers/new/models")
    assert fetched.status_code == 502
    shown = (await admin.get("/admin/providers/new")).json()
    assert shown["state"] == "failing"
    assert "Incorrect API key" in shown["error"]
    for text in (tried["message"], fetched.text, shown["error"]):
        assert FIRST not in text


async def test_fetching_models(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream
) -> None:
    spec = {"id": "new", "type": "openai-compatible", "base_url": upstream.url}
    await admin.post("/admin/providers", json=spec)
    assert (await admin.post("/admin/providers/new/models")).json() == {"models": 2}
    assert {"new:one", "new:two"} <= set(await _models(running))
    shown = (await admin.get("/admin/providers/new")).json()
    assert shown["model_count"] == 2
    assert shown["fetched_at"].endswith("Z")


async def test_fetching_models_of_a_provider_without_a_list(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    await admin.post("/admin/providers", json={"id": "perplexity", "api_key": FIRST})
    assert running.gateway.router.providers["perplexity"].list_url == ""
    answer = await admin.post("/admin/providers/perplexity/models")
    assert answer.status_code == 400
    assert "no list" in answer.json()["error"]["message"]


async def test_another_address_makes_what_was_found_out_before_worthless(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("/v1/responses", json_answer({"error": {"message": "empty"}}, 400))
    spec = {"id": "new", "type": "openai-compatible", "base_url": upstream.url}
    await admin.post("/admin/providers", json=spec)
    await admin.post("/admin/providers/new/models")
    assert "responses" in (await admin.post("/admin/providers/new/test")).json()["protocols"]
    named = (await admin.patch("/admin/providers/new", json={"name": "N"})).json()
    assert (named["model_count"], "responses" in named["protocols"]) == (2, True)
    elsewhere = {"base_url": "http://127.0.0.1:1"}
    moved = (await admin.patch("/admin/providers/new", json=elsewhere)).json()
    assert (moved["model_count"], "responses" in moved["protocols"]) == (0, False)


async def test_changes_at_the_same_time_do_not_undo_each_other(
    admin: httpx2.AsyncClient, added: str, running: Running
) -> None:
    path = f"/admin/providers/{added}"
    keys = [f"sk-{number}" for number in range(8)]
    answers = await asyncio.gather(
        *(admin.patch(path, json={"add_api_keys": [key]}) for key in keys),
        admin.patch(path, json={"name": "New name"}),
    )
    assert {answer.status_code for answer in answers} == {200}
    stored = await _stored(running, added)
    assert sorted(stored.api_keys) == sorted([FIRST, SECOND, *keys])
    assert running.gateway.router.providers[added].name == "New name"
    assert running.gateway.revision == await running.gateway.store.database.revision()


async def test_keys_are_shown_as_they_fare(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream, added: str
) -> None:
    refused = json_answer({"error": {"message": "Incorrect API key."}}, 401)
    limited = json_answer({"error": {"message": "Slow down."}}, 429, {"retry-after": "60"})
    upstream.on("/v1/chat/completions", refused, limited)
    async with running.client() as client:
        body: dict[str, Any] = {"model": "added:one", "messages": []}
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 429
    shown = (await admin.get(f"/admin/providers/{added}")).json()
    first, second = shown["keys"]
    assert (first["key"], first["state"]) == ("sk-f…ijkl", "refused")
    assert "Incorrect API key." in first["reason"]
    assert (second["state"], second["reason"]) == ("limited", "Slow down.")
    assert 0 < second["wait_s"] <= 60
    assert (shown["state"], shown["breaker"]) == ("ready", "closed")
    assert FIRST not in str(shown)
    assert SECOND not in str(shown)


async def test_a_provider_none_of_whose_keys_works_is_failing(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream, added: str
) -> None:
    upstream.on("/v1/chat/completions", json_answer({"error": {"message": "no"}}, 401))
    async with running.client() as client:
        await client.post("/v1/chat/completions", json={"model": "added:one", "messages": []})
    assert (await admin.get("/admin/status")).json()["providers"][added] == "failing"
    upstream.on("/v1/chat/completions", json_answer({"ok": 1}))
    assert (await admin.post(f"/admin/providers/{added}/test")).json()["ok"]
    assert (await admin.get("/admin/status")).json()["providers"][added] == "ready"
