"""http.admin.keys: gateway keys made, listed, renewed and ended over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from running_gateway import ADMIN_KEY, KEY, Running, run_gateway


async def _status(running: Running, key: str) -> int:
    async with running.client(key) as client:
        return (await client.get("/v1/models")).status_code


async def test_a_new_key_opens_the_models_that_it_may_use(
    admin: httpx2.AsyncClient, running: Running
) -> None:
    answer = await admin.post("/admin/keys", json={"name": "laptop", "models": ["fast"]})
    assert answer.status_code == 201
    made = answer.json()
    assert made["key"].startswith("sk-dragoman-")
    assert (made["scopes"], made["models"], made["state"]) == (["inference"], ["fast"], "live")
    async with running.client(made["key"]) as client:
        listed = (await client.get("/v1/models")).json()["data"]
    assert [entry["id"] for entry in listed] == ["fast"]


async def test_a_secret_is_told_once(admin: httpx2.AsyncClient) -> None:
    made = (await admin.post("/admin/keys", json={"name": "laptop"})).json()
    secret = made.pop("key")
    for reference in (made["id"], "laptop"):
        shown = await admin.get(f"/admin/keys/{reference}")
        assert shown.json() == made
        assert secret not in shown.text
    listed = await admin.get("/admin/keys")
    assert made in listed.json()["keys"]
    assert secret not in listed.text


async def test_rotation_ends_the_old_secret(admin: httpx2.AsyncClient, running: Running) -> None:
    made = (await admin.post("/admin/keys", json={"name": "laptop"})).json()
    rotated = (await admin.post(f"/admin/keys/{made['id']}/rotate")).json()
    assert rotated["id"] == made["id"]
    assert rotated["rotated_at"] is not None
    assert await _status(running, made["key"]) == 401
    assert await _status(running, rotated["key"]) == 200


async def test_a_revoked_key_stays_in_the_list(admin: httpx2.AsyncClient, running: Running) -> None:
    made = (await admin.post("/admin/keys", json={"name": "laptop"})).json()
    ended = await admin.delete(f"/admin/keys/{made['id']}")
    assert (ended.status_code, ended.json()["state"]) == (200, "revoked")
    assert await _status(running, made["key"]) == 401
    assert ended.json() in (await admin.get("/admin/keys")).json()["keys"]
    assert (await admin.post(f"/admin/keys/{made['id']}/rotate")).status_code == 409


@pytest.mark.parametrize(
    ("expires", "days"), [("30d", 30), ("12h", 0.5), ("2w", 14), (" 1440m ", 1)]
)
async def test_expiry_as_a_span(expires: str, days: float, admin: httpx2.AsyncClient) -> None:
    made = (await admin.post("/admin/keys", json={"name": "k", "expires": expires})).json()
    created, ends = (datetime.fromisoformat(made[name]) for name in ("created_at", "expires_at"))
    assert abs(ends - created - timedelta(days=days)) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expires", "at"),
    [
        ("2999-01-31", datetime(2999, 1, 31, tzinfo=UTC)),
        ("2999-01-31T12:00:00+02:00", datetime(2999, 1, 31, 10, tzinfo=UTC)),
        ("2999-01-31T12:00:00Z", datetime(2999, 1, 31, 12, tzinfo=UTC)),
    ],
)
async def test_expiry_as_a_time(expires: str, at: datetime, admin: httpx2.AsyncClient) -> None:
    made = (await admin.post("/admin/keys", json={"name": "k", "expires": expires})).json()
    assert datetime.fromisoformat(made["expires_at"]) == at


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "name"),
        ({"name": " "}, 400, "name"),
        ({"name": "default"}, 409, "name"),
        ({"name": "k", "scopes": []}, 400, "scopes"),
        ({"name": "k", "scopes": ["all"]}, 400, "scopes.0"),
        ({"name": "k", "models": [""]}, 400, "models"),
        ({"name": "k", "expires": "soon"}, 400, "expires"),
        ({"name": "k", "expires": "999999w"}, 400, "expires"),
        ({"name": "k", "expires": "2020-01-01"}, 400, "expires"),
        ({"name": "k", "expires": "0d"}, 400, "expires"),
        ({"name": "k", "rpm": 0}, 400, "rpm"),
        ({"name": "k", "tpm": -1}, 400, "tpm"),
        ({"name": "k", "concurrency": "many"}, 400, "concurrency"),
        ({"name": "k", "budgets": ["5"]}, 400, "budgets"),
        ({"name": "k", "budgets": ["5/day", "6/day"]}, 400, "budgets"),
        ({"name": "k", "budget": "5/day"}, 400, "budget"),
    ],
)
async def test_terms_that_make_no_sense(
    body: dict[str, Any], status: int, param: str, admin: httpx2.AsyncClient
) -> None:
    answer = await admin.post("/admin/keys", json=body)
    assert answer.status_code == status
    assert answer.json()["error"]["param"] == param
    assert len((await admin.get("/admin/keys")).json()["keys"]) == 2


@pytest.mark.parametrize("key", ["default", "admin"])
async def test_pinned_keys_are_changed_where_they_stand(
    key: str, admin: httpx2.AsyncClient
) -> None:
    shown = (await admin.get(f"/admin/keys/{key}")).json()
    assert shown["pinned_by"].startswith("environment variable DRAGOMAN_")
    for method, path in (("POST", "/rotate"), ("DELETE", "")):
        answer = await admin.request(method, f"/admin/keys/{key}{path}")
        assert answer.status_code == 409
        assert shown["pinned_by"] in answer.json()["error"]["message"]


async def test_the_default_key_can_be_shown_again(
    admin: httpx2.AsyncClient, tmp_path: Path
) -> None:
    assert (await admin.get("/admin/keys/default/secret")).json() == {"key": KEY}
    folder = tmp_path / "other"
    folder.mkdir()
    async with (
        run_gateway(folder, environ={"DRAGOMAN_API_KEY": ""}) as unpinned,
        unpinned.client(ADMIN_KEY) as client,
    ):
        first = (await client.get("/admin/keys/default/secret")).json()["key"]
        assert await _status(unpinned, first) == 200
        second = (await client.post("/admin/keys/default/rotate")).json()["key"]
        assert (await client.get("/admin/keys/default/secret")).json() == {"key": second}
        assert await _status(unpinned, first) == 401
        assert (await client.delete("/admin/keys/default")).status_code == 409


async def test_a_key_that_is_not_there(admin: httpx2.AsyncClient) -> None:
    for method, path in (("GET", ""), ("POST", "/rotate"), ("DELETE", "")):
        answer = await admin.request(method, f"/admin/keys/nobody{path}")
        assert answer.status_code == 404
        assert "'nobody'" in answer.json()["error"]["message"]


async def test_a_name_that_several_keys_have(admin: httpx2.AsyncClient) -> None:
    made = [(await admin.post("/admin/keys", json={"name": "twin"})).json() for _ in range(2)]
    answer = await admin.get("/admin/keys/twin")
    assert answer.status_code == 409
    assert all(key["id"] in answer.json()["error"]["message"] for key in made)


LIMITS = {"rpm": 60, "tpm": 9000, "concurrency": 2, "budgets": ["5/day", "0.5/total"]}


async def test_limits_are_made_shown_and_changed(admin: httpx2.AsyncClient) -> None:
    made = (await admin.post("/admin/keys", json={"name": "k", "expires": "1d", **LIMITS})).json()
    assert {name: made[name] for name in LIMITS} == LIMITS
    change = {"rpm": None, "budgets": ["6/day"], "models": ["filed:*"]}
    changed = await admin.patch("/admin/keys/k", json=change)
    assert changed.status_code == 200
    made.pop("key")
    assert changed.json() == {**made, **change}
    assert (await admin.get("/admin/keys/k")).json() == changed.json()
    endless = (await admin.patch("/admin/keys/k", json={"expires": None})).json()
    assert endless == {**changed.json(), "expires_at": None}


@pytest.mark.parametrize(
    ("body", "param"),
    [({"rpm": 0}, "rpm"), ({"budgets": ["5"]}, "budgets"), ({"name": "other"}, "name")],
)
async def test_a_change_that_makes_no_sense_is_refused(
    body: dict[str, Any], param: str, admin: httpx2.AsyncClient
) -> None:
    made = (await admin.post("/admin/keys", json={"name": "k"})).json()
    answer = await admin.patch("/admin/keys/k", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    made.pop("key")
    assert (await admin.get("/admin/keys/k")).json() == made
