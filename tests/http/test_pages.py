"""http.pages: health, the way in for a browser, and errors of paths that are not there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from running_gateway import Running, run_gateway

from dragoman import __version__
from dragoman.http.guard import LOGIN_PURPOSE, SESSION_COOKIE


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path) as gateway:
        yield gateway


@pytest.mark.parametrize("path", ["/health", "/health/"])
async def test_health_needs_no_key(path: str, running: Running) -> None:
    async with running.client(None, follow_redirects=True) as client:
        response = await client.get(path)
    health = response.json()
    assert (response.status_code, health["status"], health["version"]) == (200, "ok", __version__)
    age = datetime.now(UTC) - datetime.fromisoformat(health["timestamp"])
    assert timedelta(seconds=-1) < age < timedelta(seconds=60)


@pytest.mark.parametrize("path", ["/", "/health", "/api-docs", "/api-docs.json"])
async def test_head_works_wherever_get_does(path: str, running: Running) -> None:
    async with running.client(None, follow_redirects=True) as client:
        response = await client.head(path)
    assert (response.status_code, response.content) == (200, b"")


async def test_a_login_link_works_once(running: Running) -> None:
    token = running.gateway.box.mint(LOGIN_PURPOSE, 60)
    async with running.client(None) as client:
        first = await client.get("/", params={"token": token})
        assert first.status_code == 303
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await client.get("/admin/status")).status_code == 200
    async with running.client(None) as client:
        again = await client.get("/", params={"token": token})
        assert SESSION_COOKIE not in again.headers.get("set-cookie", "")
        assert again.headers["location"] == "./#/?link=used"
        assert (await client.get("/admin/status")).status_code == 401


async def test_a_made_up_link_opens_nothing(running: Running) -> None:
    async with running.client(None) as client:
        response = await client.get("/", params={"token": "made-up"})
        assert "set-cookie" not in response.headers
        assert (await client.get("/admin/status")).status_code == 401


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/admin/nothing", "/v1/messages/x"])
async def test_an_unknown_path_is_told_in_json(path: str, running: Running) -> None:
    async with running.client(running.admin_key) as client:
        response = await client.get(path)
    assert response.status_code == 404
    assert path in response.json()["error"]["message"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_unknown_method_is_told_with_those_that_work(running: Running) -> None:
    async with running.client(None) as client:
        response = await client.post("/health")
    assert response.status_code == 405
    assert "GET" in response.headers["allow"]
    assert response.json()["error"]["code"] == "method_not_allowed"
