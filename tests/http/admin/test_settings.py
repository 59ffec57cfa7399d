"""http.admin.settings: what holds, where it comes from, and no secret."""

from __future__ import annotations

from pathlib import Path

import httpx2
from running_gateway import ADMIN_KEY, KEY, Running, run_gateway

from dragoman.config import LocalSettings, ServerSettings


async def test_each_value_has_its_origin(admin: httpx2.AsyncClient, running: Running) -> None:
    answer = (await admin.get("/admin/settings")).json()
    assert answer["file"] == str(running.gateway.settings.file)
    settings = {row["name"]: (row["value"], row["origin"]) for row in answer["settings"]}
    assert settings["server.port"] == (0, "command line --port")
    assert settings["server.keepalive_s"] == (15, "default")
    assert settings["server.api_key"] == ("***", "environment variable DRAGOMAN_API_KEY")
    assert settings["server.database_url"] == (None, "default")
    value, origin = settings["aliases.fast"]
    assert value == ["filed:m"]
    assert origin.startswith("dragoman.toml, line ")


async def test_every_setting_is_listed(admin: httpx2.AsyncClient) -> None:
    names = {row["name"] for row in (await admin.get("/admin/settings")).json()["settings"]}
    assert {f"server.{name}" for name in ServerSettings.model_fields} <= names
    assert {f"local.{name}" for name in LocalSettings.model_fields} <= names


async def test_secrets_are_masked(tmp_path: Path) -> None:
    toml = (
        '[server]\ndatabase_url = "sqlite:///'
        + str(tmp_path / "secret-name.db")
        + '"\n[local]\nenabled = false\nmodels = [{ id = "own", path = "own.gguf" }]\n'
    )
    async with run_gateway(tmp_path, toml) as running, running.client(ADMIN_KEY) as client:
        answer = await client.get("/admin/settings")
        status = (await client.get("/admin/status")).json()
    for secret in (KEY, ADMIN_KEY, "secret-name"):
        assert secret not in answer.text
    settings = {row["name"]: row["value"] for row in answer.json()["settings"]}
    assert settings["local.models"] == [{"id": "own", "path": str(tmp_path / "own.gguf")}]
    assert status["database"] == "sqlite"
