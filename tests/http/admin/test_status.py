"""http.admin.status: how the gateway is doing, and taking over what others have changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx2
import pytest
from running_gateway import Running
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman import __version__
from dragoman.local.process import State, Status
from dragoman.providers.spec import ProviderSpec


async def test_what_runs(admin: httpx2.AsyncClient, running: Running, added: str) -> None:
    status = (await admin.get("/admin/status")).json()
    assert status["version"] == __version__
    assert status["url"] == running.url
    assert status["config_file"] == str(running.gateway.settings.file)
    assert status["data_dir"] == str(running.gateway.directory.path)
    assert status["database"] == "sqlite"
    assert status["revision"] == await running.gateway.store.database.revision()
    assert status["providers"] == {"filed": "ready", added: "ready"}
    assert status["models"] == 2
    assert status["uptime_s"] >= 0
    started = datetime.fromisoformat(status["started_at"]).timestamp()
    assert started == pytest.approx(running.gateway.started_at, abs=1e-5)


async def test_requests_are_counted(
    admin: httpx2.AsyncClient, running: Running, upstream: ScriptedUpstream
) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    upstream.on("/v1/chat/completions", json_answer({"choices": [], "usage": usage}))
    async with running.client() as client:
        body: dict[str, Any] = {"model": "fast", "messages": []}
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
        await client.post("/v1/chat/completions", json={"model": "nobody:m", "messages": []})
    totals = (await admin.get("/admin/status")).json()["totals"]
    assert (totals["requests"], totals["errors"]) == (2, 1)
    assert totals["by_status"] == {"200": 1, "404": 1}
    assert (totals["input_tokens"], totals["output_tokens"]) == (3, 4)


async def test_local_models(admin: httpx2.AsyncClient, running: Running, monkeypatch: Any) -> None:
    told = Status("own", "/models/own.gguf", State.FAILED, users=2, error="It ended.")
    monkeypatch.setattr(running.gateway.local, "status", lambda: (told,))
    (shown,) = (await admin.get("/admin/status")).json()["local_models"]
    assert shown == {
        "id": "own",
        "path": "/models/own.gguf",
        "state": "failed",
        "users": 2,
        "rss": None,
        "since": None,
        "error": "It ended.",
    }


async def test_reloading_takes_over_what_another_process_has_stored(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    await running.gateway.store.providers.add(ProviderSpec(id="late", type="openai"))
    answer = await admin.post("/admin/reload")
    assert answer.json() == {"revision": await running.gateway.store.database.revision()}
    assert "late" in (await admin.get("/admin/status")).json()["providers"]


async def test_how_the_configuration_came_to_be(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    running.gateway.config.refuse("dragoman.toml, line 2: no.")
    status = (await admin.get("/admin/status")).json()
    assert status["configuration"] == {
        "file": str(running.gateway.settings.file),
        "loaded_at": status["configuration"]["loaded_at"],
        "needs_restart": [],
        "refusal": "dragoman.toml, line 2: no.",
    }
    assert status["load"] == {"served": 0, "waiting": 0, "limit": 2000}
