"""/admin/usage: sums of what really went through the gateway, in the forms that a page draws."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer
from store.records import record

from dragoman.store.clock import now_ms
from dragoman.store.usage import DAY_MS, HOUR_MS

PRICES = '[[prices]]\nmodel = "up:m"\ninput = 1\noutput = 2\ncache_read = 0.5\n'
ANSWER = {
    "choices": [],
    "usage": {
        "prompt_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens": 5,
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
}


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path) -> AsyncGenerator[Running, None]:
    upstream.on("/v1/chat/completions", json_answer(ANSWER))
    toml = provider(upstream.url, "up", models=["m", "dear"]) + PRICES
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def ask(running: Running, *models: str) -> None:
    async with running.client() as client:
        for model in models:
            await client.post("/v1/chat/completions", json={"model": model, "messages": []})
    await running.gateway.ledger.flush()


async def fill(running: Running, *hours_ago: int, **fields: object) -> None:
    now = now_ms()
    rows = [record(now - hours * HOUR_MS, **fields) for hours in hours_ago]
    await running.gateway.store.requests.add(rows)


async def test_what_went_through_is_summed(running: Running, admin: httpx2.AsyncClient) -> None:
    await ask(running, "up:m", "up:m", "up:dear", "up:none")
    answer = (await admin.get("/admin/usage")).json()
    groups = {each["group"]: each for each in answer["groups"]}
    assert groups.keys() == {"up:m", "up:dear", ""}
    cheap = groups["up:m"]
    counts = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    assert [cheap[name] for name in counts] == [12, 8, 6, 4]
    assert cheap["cost_usd"] == 2 * (6 * 1 + 4 * 0.5 + 5 * 2) / 1_000_000
    assert (groups["up:dear"]["cost_usd"], groups["up:dear"]["unpriced_requests"]) == (None, 1)
    assert (groups[""]["errors"], groups[""]["cost_usd"]) == (1, 0)
    total = answer["total"]
    assert (total["requests"], total["cost_usd"]) == (4, None)
    assert total["known_cost_usd"] == cheap["cost_usd"]


@pytest.mark.parametrize(
    ("query", "groups"),
    [
        ({"by": "key"}, {"default"}),
        ({"by": "provider", "key": "default"}, {"up", "two"}),
        ({"by": "model", "provider": "two"}, {"two:m"}),
        ({"by": "model", "model": "up:m"}, {"up:m"}),
        ({"by": "model", "since": "1h"}, {"up:m"}),
        ({"by": "model", "since": "3d", "until": "1d"}, {"two:m"}),
    ],
)
async def test_questions_narrow_the_answer(
    running: Running, admin: httpx2.AsyncClient, query: dict[str, str], groups: set[str]
) -> None:
    await fill(running, 0)
    await fill(running, 48, provider="two")
    answer = (await admin.get("/admin/usage", params=query)).json()
    assert {each["group"] for each in answer["groups"]} == groups


@pytest.mark.parametrize(
    ("path", "query", "param"),
    [
        ("", {"since": "soon"}, "since"),
        ("", {"since": "1d", "until": "2d"}, "since"),
        ("", {"by": "colour"}, "by"),
        ("", {"model": "m"}, "model"),
        ("", {"model": "up:m", "provider": "two"}, "model"),
        ("/series", {"by": "day"}, "by"),
        ("/series", {"step": "hour", "since": "300d"}, "since"),
        ("/latency", {"by": "key"}, "by"),
        ("/latency", {"key": "default"}, "key"),
    ],
)
async def test_what_cannot_be_answered_is_refused_by_name(
    admin: httpx2.AsyncClient, path: str, query: dict[str, str], param: str
) -> None:
    response = await admin.get(f"/admin/usage{path}", params=query)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_an_unknown_key_is_not_found(admin: httpx2.AsyncClient) -> None:
    assert (await admin.get("/admin/usage", params={"key": "nobody"})).status_code == 404


async def test_csv_has_a_line_for_each_group(running: Running, admin: httpx2.AsyncClient) -> None:
    await fill(running, 0, cost=3)
    await fill(running, 0, model="a,b", cost=None)
    response = await admin.get("/admin/usage.csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = {row["group"]: row for row in csv.DictReader(io.StringIO(response.text))}
    assert rows["up:m"]["cost_usd"] == "0.000000003"
    assert (rows["up:a,b"]["cost_usd"], rows["up:a,b"]["requests"]) == ("", "1")


async def test_a_series_names_every_step(running: Running, admin: httpx2.AsyncClient) -> None:
    await fill(running, 0, 0, 2)
    await fill(running, 0, model="dear", cost=10**9)
    query = {"step": "hour", "since": "3h", "by": "model"}
    answer = (await admin.get("/admin/usage/series", params=query)).json()
    assert len(answer["times"]) == 4
    assert [each["group"] for each in answer["series"]] == ["up:dear", "up:m"]
    points = [(point["at"], point["requests"]) for point in answer["series"][1]["points"]]
    assert points == [(answer["times"][1], 1), (answer["times"][3], 2)]
    together = (await admin.get("/admin/usage/series", params={"since": "2d"})).json()
    assert [each["group"] for each in together["series"]] == [""]
    assert sum(point["requests"] for point in together["series"][0]["points"]) == 4


async def test_a_step_of_a_day_begins_at_midnight(
    running: Running, admin: httpx2.AsyncClient
) -> None:
    now = now_ms()
    await running.gateway.store.requests.add([record(now - now % DAY_MS)])
    answer = (await admin.get("/admin/usage/series", params={"since": "0d"})).json()
    assert [point["requests"] for point in answer["series"][0]["points"]] == [1]
    assert answer["times"][0].endswith("T00:00:00Z")


async def test_latency_is_told_in_percentiles(running: Running, admin: httpx2.AsyncClient) -> None:
    await running.gateway.store.requests.add(
        [record(now_ms(), duration_ms=n) for n in range(1, 11)]
    )
    answer = (await admin.get("/admin/usage/latency")).json()
    duration = next(each for each in answer["latencies"] if each["measure"] == "duration")
    assert duration == {
        "group": "",
        "measure": "duration",
        "requests": 10,
        "p50_ms": 5,
        "p90_ms": 9,
        "p95_ms": 10,
        "p99_ms": 10,
    }
