"""/admin/prices: what holds, whose it is, and how it is changed while the gateway runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer

FILE_PRICE = '[[prices]]\nmodel = "up:listed"\ninput = 0.1\noutput = 2\n'


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    answer = {"choices": [], "usage": {"prompt_tokens": 1_000_000, "completion_tokens": 0}}
    upstream.on("/v1/chat/completions", json_answer(answer))
    toml = "".join(
        (
            provider(upstream.url, "up", models=["listed", "own", "unknown"]),
            provider(upstream.url, "vendor", type="openai", models=["gpt-4o"]),
            FILE_PRICE,
        )
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def models(admin: httpx2.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = (await admin.get("/admin/prices")).json()
    return {each["model"]: each for each in answer["models"]}


async def test_each_price_says_whose_it_is(running: Running, admin: httpx2.AsyncClient) -> None:
    known = await models(admin)
    assert known["up:listed"]["source"] == "configuration file"
    assert known["up:listed"]["input"] == 0.1
    assert known["vendor:gpt-4o"]["source"].endswith("openai/gpt-4o, by the kind of provider")
    assert "up:unknown" not in known


async def test_a_price_that_is_set_holds_at_once_and_after_a_restart(
    running: Running, admin: httpx2.AsyncClient
) -> None:
    prices = [{"model": "up:*", "input": 3, "output": 4}]
    answer = (await admin.put("/admin/prices", json={"prices": prices})).json()
    assert answer["database"][0].items() >= prices[0].items()
    known = await models(admin)
    assert (known["up:own"]["input"], known["up:own"]["source"]) == (3, "database")
    assert known["up:listed"]["input"] == 0.1  # the file comes first
    async with running.client() as client:
        await client.post("/v1/chat/completions", json={"model": "up:own", "messages": []})
    await running.gateway.ledger.flush()
    row = (await admin.get("/admin/requests")).json()["requests"][0]
    assert (row["cost_usd"], row["price"]) == (3, "database")
    assert [spec.model for spec in await running.gateway.stored_prices()] == ["up:*"]


async def test_no_prices_take_them_all_away(admin: httpx2.AsyncClient) -> None:
    for prices in ([{"model": "up:*", "input": 3, "output": 4}], []):
        response = await admin.put("/admin/prices", json={"prices": prices})
        assert response.status_code == 200
    assert "up:own" not in await models(admin)


@pytest.mark.parametrize(
    ("price", "param"),
    [
        ({"model": "m", "input": -1, "output": 1}, "prices.0.input"),
        ({"model": "m", "input": 1}, "prices.0.output"),
        ({"model": "m", "input": 1, "output": 1, "inptu": 1}, "prices.0.inptu"),
    ],
)
async def test_a_price_that_is_none_is_refused(
    admin: httpx2.AsyncClient, price: dict[str, Any], param: str
) -> None:
    response = await admin.put("/admin/prices", json={"prices": [price]})
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
