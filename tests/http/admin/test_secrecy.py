"""No secret in any answer of the management API, whatever is configured."""

from __future__ import annotations

import asyncio

import httpx2
from running_gateway import ADMIN_KEY, KEY, Running

from dragoman.http import guard

FILED = "sk-upstream-secret-0123456789"
ADDED = (
    "sk-first-0123456789abcdefghijkl",
    "sk-second-0123456789abcdefghijk",
    "team-secret-0123456789abcdef",
    "sk-nested-0123456789abcdef",
    "proxy-password",
)
SHOWN_ON_PURPOSE = "/admin/keys/default/secret"


async def test_no_get_shows_a_secret(
    admin: httpx2.AsyncClient, running: Running, added: str
) -> None:
    proxy = {"proxy": "http://me:proxy-password@127.0.0.1:3128"}
    changed = await admin.patch(f"/admin/providers/{added}", json=proxy)
    made = (await admin.post("/admin/keys", json={"name": "laptop"})).json()
    session = running.gateway.box.mint(guard.SESSION_PURPOSE, 60)
    secrets = {KEY, ADMIN_KEY, FILED, *ADDED, made["key"], session}
    async with running.client() as client:
        await client.post("/v1/messages", content=b"{}", headers={"x-request-id": "req_1"})
    async with asyncio.timeout(10):  # until it is in the log
        while (await admin.get("/admin/requests/req_1")).status_code == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    document = (await admin.get("/api-docs.json")).json()
    paths = [
        path.format(provider=provider, key=key, request_id="req_1")
        for path, item in document["paths"].items()
        if path.startswith("/admin") and "get" in item
        for provider in ("filed", added)
        for key in ("default", "admin", made["id"])
    ]
    answers = {path: (await admin.get(path)) for path in paths}
    assert {answer.status_code for answer in answers.values()} == {200}
    answers["changed"] = changed
    for path, answer in answers.items():
        shown = {secret for secret in secrets if secret in answer.text}
        assert shown == ({KEY} if path == SHOWN_ON_PURPOSE else set()), path
