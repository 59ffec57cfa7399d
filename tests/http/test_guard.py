"""http.guard: who may manage the gateway, and from which page."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from running_gateway import Running, run_gateway

from dragoman.errors import Forbidden
from dragoman.http.guard import (
    SESSION_COOKIE,
    SESSION_PURPOSE,
    check_origin,
    is_loopback,
)
from dragoman.runtime import COMMAND_PURPOSE


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = '[server]\ntrusted_hosts = ["gateway.lan"]\n'
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def status(running: Running, key: str | None, **headers: str) -> int:
    async with running.client(key) as client:
        return (await client.get("/admin/status", headers=headers)).status_code


async def test_who_may_manage(running: Running) -> None:
    box = running.gateway.box
    command = box.mint(COMMAND_PURPOSE, 60)
    session = f"{SESSION_COOKIE}={box.mint(SESSION_PURPOSE, 60)}"
    swapped = f"{SESSION_COOKIE}={command}"
    expired = f"{SESSION_COOKIE}={box.mint(SESSION_PURPOSE, -1)}"
    assert await status(running, running.admin_key) == 200
    assert await status(running, command) == 200
    assert await status(running, None, cookie=session) == 200
    assert await status(running, None) == 401
    assert await status(running, "sk-wrong") == 401
    assert await status(running, running.key) == 403
    assert await status(running, None, cookie=swapped) == 401
    assert await status(running, None, cookie=expired) == 401
    assert await status(running, None, cookie=f"{SESSION_COOKIE}=x; a") == 401


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:23333", 200),
        ("localhost", 200),
        ("[::1]:23333", 200),
        ("gateway.lan", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:23333", 403),
        ("@127.0.0.1", 200),
        ("[", 403),
    ],
)
async def test_a_foreign_host_name_is_refused(host: str, code: int, running: Running) -> None:
    assert await status(running, running.admin_key, host=host) == code


@pytest.mark.parametrize("path", ["/admin/reload", "//admin/reload", "/admin//reload/"])
async def test_a_page_of_another_origin_changes_nothing(path: str, running: Running) -> None:
    async with running.client(running.admin_key) as client:
        for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
            response = await client.post(running.url + path, headers=headers)
            assert response.status_code in {403, 404}
        own = await client.post("/admin/reload", headers={"origin": running.url})
        assert own.status_code == 200


@pytest.mark.parametrize(
    ("method", "origin", "allowed"),
    [
        ("GET", "https://evil.example", True),
        ("POST", "http://me:1", True),
        ("POST", "http://me:2", False),
        ("DELETE", "null", False),
        ("PUT", "", False),
    ],
)
def test_origins(method: str, origin: str, allowed: bool) -> None:
    headers = {b"host": b"me:1", b"origin": origin.encode()}
    if allowed:
        check_origin(method, headers)
    else:
        with pytest.raises(Forbidden):
            check_origin(method, headers)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("a.localhost", True),
        ("0.0.0.0", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_what_loopback_is(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


async def test_management_never_has_cors(tmp_path: Path) -> None:
    toml = '[server]\ncors_origins = ["https://app.example.com"]\n'
    async with run_gateway(tmp_path, toml) as running, running.client(running.admin_key) as client:
        origin = {"origin": "https://app.example.com"}
        plain = await client.get("/admin/status", headers=origin)
        asked = await client.options(
            "/admin/status", headers=origin | {"access-control-request-method": "GET"}
        )
    for response in (plain, asked):
        assert not any(name.startswith("access-control") for name in response.headers)
