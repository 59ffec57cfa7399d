"""http.admin.route: who is let in, from where, and what is read."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncGenerator

import httpx2
import pytest
import pytest_asyncio
from running_gateway import Running, provider, run_gateway

from dragoman.http import guard
from dragoman.runtime import COMMAND_PURPOSE

JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Running, None]:
    """One gateway for all tests here, since hardly any changes it."""
    toml = provider("http://127.0.0.1:1", "filed")
    async with run_gateway(tmp_path_factory.mktemp("gateway"), toml) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="module")
async def admin(running: Running) -> AsyncGenerator[httpx2.AsyncClient, None]:
    async with running.client(running.admin_key) as client:
        yield client


async def _operations(client: httpx2.AsyncClient) -> list[tuple[str, str]]:
    document = (await client.get("/api-docs.json")).json()
    return [
        (method.upper(), path.format(provider="filed", key="default", request_id="req_1"))
        for path, item in document["paths"].items()
        if path.startswith("/admin")
        for method in item
    ]


async def test_every_route_wants_a_key(running: Running) -> None:
    async with running.client(None) as client:
        operations = await _operations(client)
        assert len(operations) > 20
        for method, path in operations:
            response = await client.request(method, path)
            assert response.status_code == 401, (method, path)
            assert response.json()["error"]["code"] == "invalid_api_key"
            assert response.headers["www-authenticate"].startswith("Bearer")


async def test_an_inference_key_opens_no_route(running: Running) -> None:
    async with running.client() as client:
        for method, path in await _operations(client):
            response = await client.request(method, path)
            assert response.status_code == 403, (method, path)
            assert "`admin`" in response.json()["error"]["message"]


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "x-goog-api-key"])
async def test_an_admin_key_opens_management_and_nothing_else(
    header: str, running: Running
) -> None:
    value = f"Bearer {running.admin_key}" if header == "authorization" else running.admin_key
    async with running.client(None) as client:
        client.headers[header] = value
        assert (await client.get("/admin/status")).status_code == 200
        assert (await client.get("/v1/models")).status_code == 403


async def test_a_key_made_with_the_scope_admin(admin: httpx2.AsyncClient, running: Running) -> None:
    made = await admin.post("/admin/keys", json={"name": "second", "scopes": ["admin"]})
    async with running.client(made.json()["key"]) as client:
        assert (await client.get("/admin/status")).status_code == 200
        await admin.delete(f"/admin/keys/{made.json()['id']}")
        response = await client.get("/admin/status")
    assert response.status_code == 401
    assert "revoked" in response.json()["error"]["message"]


async def test_a_command_of_the_same_data_directory(running: Running) -> None:
    box = running.gateway.box
    async with running.client(box.mint(COMMAND_PURPOSE, 60)) as client:
        assert (await client.post("/admin/reload")).status_code == 200
    for wrong in (box.mint(COMMAND_PURPOSE, -1), box.mint(guard.LOGIN_PURPOSE, 60), "x"):
        async with running.client(wrong) as client:
            assert (await client.post("/admin/reload")).status_code == 401


async def test_a_browser_logs_in_by_its_link_once(running: Running) -> None:
    token = running.gateway.box.mint(guard.LOGIN_PURPOSE, 60)
    async with running.client(None) as browser:
        assert (await browser.get("/", params={"token": token})).status_code == 303
        assert (await browser.get("/admin/status")).status_code == 200
        assert (await browser.get("/v1/models")).status_code == 401
    async with running.client(None) as thief:
        await thief.get("/", params={"token": token})
        assert (await thief.get("/admin/status")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ({"host": "evil.example"}, "GET", 403),
        ({"host": "evil.example:23333"}, "POST", 403),
        ({"host": "localhost"}, "GET", 200),
        ({"origin": "https://evil.example"}, "POST", 403),
        ({"origin": "null"}, "POST", 403),
        ({"origin": "http://127.0.0.1:1"}, "POST", 403),
        ({"sec-fetch-site": "cross-site"}, "POST", 403),
        ({"sec-fetch-site": "same-site"}, "POST", 403),
        ({"sec-fetch-site": "same-origin"}, "POST", 200),
        ({"origin": "https://evil.example"}, "GET", 200),
    ],
)
async def test_foreign_hosts_and_pages(
    headers: dict[str, str], method: str, status: int, admin: httpx2.AsyncClient
) -> None:
    path = "/admin/reload" if method == "POST" else "/admin/status"
    response = await admin.request(method, path, headers=headers)
    assert response.status_code == status
    assert "access-control-allow-origin" not in response.headers
    if status == 403:
        assert response.json()["error"]["code"] == "forbidden"


async def test_its_own_page_may_change_things(admin: httpx2.AsyncClient, running: Running) -> None:
    response = await admin.post("/admin/reload", headers={"origin": running.url})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"{", JSON, 400, "not valid JSON"),
        (b'{"id": "a", "timeout": {"idle_s": Infinity}}', JSON, 400, "not valid JSON"),
        (b'{"id": ' + b"[" * 100_000, JSON, 400, "nested too deeply"),
        (b"[]", JSON, 400, "must be a JSON object"),
        (b'{"id": "a", "id": "b"}', JSON, 400, "`id` more than once"),
        (b"", JSON, 400, "`body`"),
        (b'{"id": "a"}', {}, 415, "application/json"),
        (b'{"id": "a"}', {"content-type": "text/plain"}, 415, "application/json"),
        (b'{"id": "a"}', {**JSON, "content-encoding": "br"}, 415, "content-encoding"),
        (b'{"id": "a", "colour": 1}', JSON, 400, "`colour`"),
        (b'{"id": "a", "timeout": {"idle": 1}}', JSON, 400, "`timeout.idle`"),
        (b'{"id": "A"}', JSON, 400, "`id`"),
        (gzip.compress(b" " * 5_000_000), {**JSON, "content-encoding": "gzip"}, 413, "4 MB"),
    ],
)
async def test_bodies_that_are_refused(
    body: bytes, headers: dict[str, str], status: int, said: str, admin: httpx2.AsyncClient
) -> None:
    response = await admin.post("/admin/providers", content=body, headers=headers)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]


async def test_a_stranger_is_refused_before_the_body_is_read(running: Running) -> None:
    asked = []

    async def parts() -> AsyncGenerator[bytes, None]:
        for part in (b"{", b" " * 5_000_000, b"}"):
            asked.append(part)
            yield part

    async with running.client(None) as client:
        response = await client.post("/admin/providers", content=parts(), headers=JSON)
    assert response.status_code == 401


async def test_every_answer_has_a_name_and_stays_out_of_caches(admin: httpx2.AsyncClient) -> None:
    response = await admin.get("/admin/status", headers={"x-request-id": "mine-1"})
    assert response.headers["x-request-id"] == "mine-1"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_head_of_every_get(running: Running, admin: httpx2.AsyncClient) -> None:
    async with running.client() as client:
        await client.post("/v1/messages", content=b"{}", headers={"x-request-id": "req_1"})
    async with asyncio.timeout(10):  # until it is in the log
        while (await admin.get("/admin/requests/req_1")).status_code == 404:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for method, path in await _operations(admin):
        if method == "GET":
            response = await admin.head(path)
            assert (response.status_code, response.content) == (200, b""), path
            assert int(response.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/admin/status", {"GET", "HEAD"}),
        ("/admin/providers", {"GET", "HEAD", "POST"}),
        ("/admin/providers/filed", {"GET", "HEAD", "PATCH", "PUT", "DELETE"}),
        ("/admin/reload", {"POST"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    path: str, allowed: set[str], admin: httpx2.AsyncClient
) -> None:
    response = await admin.request("OPTIONS", path)
    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == allowed


async def test_a_path_that_does_not_exist(admin: httpx2.AsyncClient) -> None:
    response = await admin.get("/admin/nonsense")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize(
    "path",
    ["/admin/status/", "//admin/status", "/admin//status", "/%61dmin/status", "/x/../admin/status"],
)
async def test_no_spelling_of_a_path_goes_round_the_guard(path: str, running: Running) -> None:
    async with running.client(None) as stranger:
        response = await stranger.get(running.url + path)
        assert response.status_code in {307, 401, 404}
        response = await stranger.post(
            running.url + path.replace("status", "reload"), headers={"origin": "http://evil"}
        )
        assert response.status_code in {307, 403, 404, 405}
