"""Limits as a client meets them: a whole gateway, a scripted provider, keys with limits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import Close, Gate, ScriptedUpstream, head, json_answer, script, sse_answer

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
COUNTED = {"prompt_tokens": 40, "completion_tokens": 60, "total_tokens": 100}
ANSWER = {
    "id": "a",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
    "usage": COUNTED,
}
# A dollar for each token: what was used can be read off the budget.
PRICES = '[[prices]]\nmodel = "up:m"\ninput = 1000000\noutput = 1000000\n'
ASK = {"model": "up:m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on(CHAT, json_answer(ANSWER, headers={"x-ratelimit-limit-requests": "5000"}))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path, provider(upstream.url) + PRICES) as gateway:
        yield gateway


@asynccontextmanager
async def limited(running: Running, **limits: object) -> AsyncGenerator[httpx2.AsyncClient, None]:
    """A client with a key of its own."""
    async with running.client(running.admin_key) as admin:
        made = (await admin.post("/admin/keys", json={"name": "laptop", **limits})).json()
    async with running.client(made["key"]) as client:
        yield client


def code(response: httpx2.Response) -> tuple[int, Any]:
    return response.status_code, response.json().get("error", {}).get("code")


async def test_requests_a_minute(running: Running) -> None:
    async with limited(running, rpm=2) as client:
        first = await client.post(CHAT, json=ASK)
        assert first.headers.get_list("x-ratelimit-limit-requests") == ["2"]
        assert first.headers["x-ratelimit-remaining-requests"] == "1"
        await client.post(CHAT, json=ASK)
        refused = await client.post(CHAT, json=ASK)
    assert code(refused) == (429, "rate_limit_exceeded")
    assert 25 <= int(refused.headers["retry-after"]) <= 30
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert "x-should-retry" not in refused.headers


async def test_a_refusal_in_anthropics_dialect(running: Running) -> None:
    async with limited(running, rpm=1, tpm=100_000) as client:
        await client.post(MESSAGES, json=ASK)
        refused = await client.post(MESSAGES, json=ASK)
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "rate_limit_error"
    assert refused.headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert refused.headers["anthropic-ratelimit-tokens-limit"] == "100000"
    assert "x-ratelimit-limit-requests" not in refused.headers


async def test_tokens_are_counted_as_the_provider_told_them(running: Running) -> None:
    async with limited(running, tpm=100_000) as client:
        for _ in range(2):
            answer = await client.post(CHAT, json=ASK)
    reserved = len(json.dumps(ASK, separators=(",", ":"))) // 3 + 1 + 100
    left = int(answer.headers["x-ratelimit-remaining-tokens"])
    assert abs(left - (100_000 - 100 - reserved)) < 60


async def test_requests_at_once(running: Running, upstream: ScriptedUpstream) -> None:
    gate = Gate()
    body = json.dumps(ANSWER).encode()
    upstream.on(
        CHAT,
        script(head(200, {"content-type": "application/json", "content-length": str(len(body))}),
               gate, body),
        json_answer(ANSWER),
    )  # fmt: skip
    async with limited(running, concurrency=1) as client:
        first = asyncio.ensure_future(client.post(CHAT, json=ASK))
        await gate.reached()
        assert code(await client.post(CHAT, json=ASK)) == (429, "rate_limit_exceeded")
        gate.open()
        assert (await first).status_code == 200
        assert (await client.post(CHAT, json=ASK)).status_code == 200


async def test_a_budget_is_spent_by_what_requests_really_cost(running: Running) -> None:
    async with limited(running, budgets=["250/day"]) as client:
        for _ in range(3):
            assert (await client.post(CHAT, json=ASK)).status_code == 200
        refused = await client.post(CHAT, json=ASK)
    assert code(refused) == (429, "budget_exceeded")
    assert "250 US dollars a day" in refused.json()["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert int(refused.headers["retry-after"]) <= 86_400


async def test_many_at_once_overshoot_by_one_reservation_at_most(running: Running) -> None:
    """Each reserves more than 100 of 250 dollars and costs 100 of them."""
    async with limited(running, budgets=["250/total"]) as client:
        answers = await asyncio.gather(*(client.post(CHAT, json=ASK) for _ in range(20)))
        assert {code(each)[0] for each in answers} == {200, 429}
        while (await client.post(CHAT, json=ASK)).status_code == 200:
            pass
    spent = sum(each.status_code == 200 for each in answers) * 100
    assert spent <= 300
    async with running.client(running.admin_key) as admin:
        await running.gateway.ledger.flush()
        usage = (await admin.get("/admin/usage?by=key&key=laptop")).json()
    assert usage["total"]["cost_usd"] == 300


async def test_what_no_provider_answered_costs_nothing(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on(CHAT, json_answer({"error": {"message": "no"}}, 400))
    async with limited(running, budgets=["1/day"], tpm=1000, concurrency=1) as client:
        for _ in range(3):
            assert code(await client.post(CHAT, json=ASK))[0] == 400


async def test_a_stream_that_breaks_off_costs_what_was_reserved(
    running: Running, upstream: ScriptedUpstream
) -> None:
    event = {"id": "a", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    upstream.on(CHAT, sse_answer(event, Close()))
    async with limited(running, budgets=["1/day"]) as client:
        await client.post(CHAT, json={**ASK, "stream": True})
        assert code(await client.post(CHAT, json=ASK)) == (429, "budget_exceeded")


async def test_a_client_that_leaves_gives_its_place_back(
    running: Running, upstream: ScriptedUpstream
) -> None:
    gate = Gate()
    upstream.on(CHAT, script(gate), json_answer(ANSWER))
    async with limited(running, concurrency=1) as client:
        leaving = asyncio.ensure_future(client.post(CHAT, json=ASK))
        await gate.reached()
        leaving.cancel()
        await upstream.requests[0].closed()
        while (answer := await client.post(CHAT, json=ASK)).status_code == 429:
            pass
        assert answer.status_code == 200


async def test_counting_tokens_is_free(running: Running) -> None:
    async with limited(running, rpm=1, concurrency=1, budgets=["1/total"]) as client:
        for _ in range(5):
            answer = await client.post(f"{MESSAGES}/count_tokens", json=ASK)
            assert answer.status_code == 200


async def test_a_budget_goes_on_after_a_restart(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    toml = provider(upstream.url) + PRICES
    async with (
        run_gateway(tmp_path, toml) as running,
        limited(running, budgets=["150/total"]) as client,
    ):
        secret = client.headers["authorization"].removeprefix("Bearer ")
        assert (await client.post(CHAT, json=ASK)).status_code == 200
    async with run_gateway(tmp_path, toml) as running, running.client(secret) as client:
        assert (await client.post(CHAT, json=ASK)).status_code == 200
        assert code(await client.post(CHAT, json=ASK)) == (429, "budget_exceeded")


async def test_a_new_limit_knows_what_was_used_before_it(running: Running) -> None:
    async with limited(running) as client, running.client(running.admin_key) as admin:
        await client.post(CHAT, json=ASK)
        await admin.patch("/admin/keys/laptop", json={"budgets": ["100/day"]})
        assert code(await client.post(CHAT, json=ASK)) == (429, "budget_exceeded")
        await admin.patch("/admin/keys/laptop", json={"budgets": ["101/day"]})
        assert (await client.post(CHAT, json=ASK)).status_code == 200
