"""catalog: lists of models, fetched, paged, kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, answer, json_answer

from dragoman.errors import StoreError
from dragoman.store.model_lists import ModelListStore

MODELS = {"data": [{"id": "a"}, {"id": "b"}]}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("/v1/models", json_answer(MODELS))
        yield scripted


async def listed(running: Running, count: int) -> list[str]:
    """The ids of `/v1/models` as soon as there are `count`."""
    async with running.client() as client:
        while True:
            ids = [entry["id"] for entry in (await client.get("/v1/models")).json()["data"]]
            if len(ids) == count:
                return ids
            await asyncio.sleep(0.05)


async def test_a_list_is_fetched_in_the_background(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with run_gateway(tmp_path, provider(upstream.url, models=None)) as running:
        assert await listed(running, 2) == ["up:a", "up:b"]
    assert upstream.requests[0].header("authorization") == "Bearer sk-upstream-secret-0123456789"


async def test_a_failure_keeps_the_last_good_list(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with run_gateway(tmp_path, provider(upstream.url, models=None)) as running:
        await listed(running, 2)
        upstream.on("/v1/models", answer(b"<html>down</html>", 503))
        known = await running.gateway.catalog.refresh(running.gateway.router.providers["up"])
        assert [model.id for model in known.models] == ["a", "b"]
        assert known.error == "down"
        assert await listed(running, 2) == ["up:a", "up:b"]


async def test_a_list_outlives_the_process(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    toml = provider(upstream.url, models=None)
    async with run_gateway(tmp_path, toml) as running:
        await listed(running, 2)
    count = len(upstream.requests)
    async with run_gateway(tmp_path, toml) as running:
        assert await listed(running, 2) == ["up:a", "up:b"]
    assert len(upstream.requests) == count


async def test_pages_are_followed(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.on(
        "/v1/models",
        json_answer({"data": [{"id": "a"}], "has_more": True, "last_id": "a"}),
        json_answer({"data": [{"id": "b"}], "has_more": False, "last_id": "b"}),
    )
    toml = provider(upstream.url, type="anthropic", models=None)
    async with run_gateway(tmp_path, toml) as running:
        assert await listed(running, 2) == ["up:a", "up:b"]
    assert "after_id=a" in upstream.requests[1].query


async def test_models_listed_by_hand_are_not_asked_for(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with run_gateway(tmp_path, provider(upstream.url, models=["mine"])) as running:
        assert await listed(running, 1) == ["up:mine"]
        await asyncio.sleep(0.1)
    assert upstream.requests == []


async def test_a_database_that_fails_stops_no_list(
    upstream: ScriptedUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(ModelListStore, "record", fail)
    monkeypatch.setattr(ModelListStore, "record_failure", fail)
    async with run_gateway(tmp_path, provider(upstream.url, models=None)) as running:
        assert await listed(running, 2) == ["up:a", "up:b"]
        upstream.on("/v1/models", answer(b"down", 503))
        known = await running.gateway.catalog.refresh(running.gateway.router.providers["up"])
        assert (len(known.models), known.error) == (2, "down")


async def test_a_clock_that_was_put_back_makes_a_list_due(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    async with run_gateway(tmp_path, provider(upstream.url, models=None)) as running:
        await listed(running, 2)
        catalog, up = running.gateway.catalog, running.gateway.router.providers["up"]
        assert not catalog._is_due(up, 3600)
        known = catalog.lists["up"]
        later = round((time.time() + 86_400) * 1000)
        catalog.lists["up"] = replace(known, fetched_at=later)
        assert catalog._is_due(up, 3600)
        catalog.lists["up"] = replace(known, error="no", error_at=later, fetched_at=None)
        assert catalog._is_due(up, 3600)
