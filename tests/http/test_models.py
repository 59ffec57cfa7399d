"""http.models: one list for two SDKs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from running_gateway import Running, provider, run_gateway

TOML = (
    provider("http://127.0.0.1:9", "one", models=["a", "b/c"], name="One")
    + provider("http://127.0.0.1:9", "two", type="anthropic", models=["a:x"])
    + provider("http://127.0.0.1:9", "off", models=["hidden"], enabled=False)
    + '[aliases]\nfast = "two:a:x"\n'
)
IDS = ["fast", "one:a", "one:b/c", "two:a:x"]


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path, TOML) as gateway:
        yield gateway


async def get(running: Running, path: str, **headers: str) -> tuple[int, Any]:
    async with running.client() as client:
        response = await client.get(path, headers=headers)
    return response.status_code, response.json()


async def test_the_whole_list(running: Running) -> None:
    status, page = await get(running, "/v1/models")
    assert status == 200
    assert [entry["id"] for entry in page["data"]] == IDS
    assert {name: value for name, value in page.items() if name != "data"} == {
        "object": "list",
        "total": 4,
        "has_more": False,
        "first_id": "fast",
        "last_id": "two:a:x",
    }
    assert page["data"][1] == {
        "id": "one:a",
        "object": "model",
        "type": "model",
        "name": "a",
        "display_name": "a",
        "created": 0,
        "created_at": "1970-01-01T00:00:00Z",
        "owned_by": "One",
        "provider": "one",
        "provider_type": "openai-compatible",
    }


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ("limit=2", ["fast", "one:a"], True),
        ("limit=2&offset=2", ["one:b/c", "two:a:x"], False),
        ("offset=3", ["two:a:x"], False),
        ("offset=9", [], False),
        ("limit=1000", IDS, False),
        ("providerType=anthropic", ["fast", "two:a:x"], False),
        ("providerType=nothing", [], False),
        ("after_id=one:a&limit=1", ["one:b/c"], True),
        ("unknown=1", IDS, False),
    ],
)
async def test_pages(query: str, ids: list[str], more: bool, running: Running) -> None:
    status, page = await get(running, f"/v1/models?{query}")
    assert status == 200
    assert ([entry["id"] for entry in page["data"]], page["has_more"]) == (ids, more)


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=0", "limit"),
        ("limit=", "limit"),
        ("offset=1.5", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("after_id=nobody", "after_id"),
    ],
)
async def test_a_bad_parameter_is_named(query: str, param: str, running: Running) -> None:
    status, body = await get(running, f"/v1/models?{query}")
    assert (status, body["error"]["param"]) == (400, param)
    assert f"`{param}`" in body["error"]["message"]


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v1/models/one:a", "one:a"),
        ("/v1/models/one:b%2Fc", "one:b/c"),
        ("/v1/models/one:b/c", "one:b/c"),
        ("/v1/models/one%3Ab%2Fc", "one:b/c"),
        ("/v1/models/two:a:x", "two:a:x"),
        ("/v1/models/fast", "fast"),
        ("/models/one:a", "one:a"),
        ("/one/v1/models/a", "one:a"),
    ],
)
async def test_one_model(path: str, model: str, running: Running) -> None:
    status, entry = await get(running, path)
    assert (status, entry["id"]) == (200, model)


@pytest.mark.parametrize("model", ["one:nothing", "nobody:a", "off:hidden"])
async def test_an_unknown_model(model: str, running: Running) -> None:
    status, body = await get(running, f"/v1/models/{model}")
    assert (status, body["error"]["code"]) == (404, "model_not_found")
    status, body = await get(running, f"/v1/models/{model}", **{"anthropic-version": "2023-06-01"})
    assert (status, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")


async def test_the_models_of_one_provider(running: Running) -> None:
    _, page = await get(running, "/two/v1/models")
    assert [entry["id"] for entry in page["data"]] == ["two:a:x"]
    status, body = await get(running, "/nobody/v1/models")
    assert (status, body["error"]["code"]) == (404, "provider_not_found")


async def test_only_get_and_head(running: Running) -> None:
    async with running.client() as client:
        head = await client.head("/v1/models")
        post = await client.post("/v1/models")
    assert (head.status_code, head.content) == (200, b"")
    assert (post.status_code, post.headers["allow"]) == (405, "GET, HEAD")
