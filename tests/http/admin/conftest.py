"""A running gateway with a provider in its file, and a client that may manage it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer

ALIASES = '[aliases]\nfast = ["filed:m"]\n'


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A server that lists two models and has no Responses API."""
    async with ScriptedUpstream() as scripted:
        scripted.on("/v1/models", json_answer({"data": [{"id": "one"}, {"id": "two"}]}))
        scripted.on("*", json_answer({"error": {"message": "no such path"}}, 404))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = provider(upstream.url, "filed") + ALIASES
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


@pytest.fixture
async def admin(running: Running) -> AsyncGenerator[httpx2.AsyncClient, None]:
    async with running.client(running.admin_key) as client:
        yield client


@pytest.fixture
async def added(admin: httpx2.AsyncClient, upstream: ScriptedUpstream) -> str:
    """The id of a provider of the database, with everything about it that is secret."""
    spec = {
        "id": "added",
        "type": "openai-compatible",
        "base_url": upstream.url,
        "api_keys": ["sk-first-0123456789abcdefghijkl", "sk-second-0123456789abcdefghijk"],
        "headers": {"x-team": "team-secret-0123456789abcdef"},
        "models": ["one"],
        "set": {"metadata": {"api_key": "sk-nested-0123456789abcdef"}},
    }
    response = await admin.post("/admin/providers", json=spec)
    assert response.status_code == 201, response.text
    return "added"
