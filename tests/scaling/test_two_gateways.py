"""Two gateway processes with one PostgreSQL and one Redis are one gateway.

Needs `DRAGOMAN_TEST_POSTGRES_URL` and a Redis or Valkey server.
"""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cli.processes import Home
from redis_server import run_redis
from running_gateway import ADMIN_KEY, KEY, provider
from scripted_upstream import ScriptedUpstream, json_answer
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from dragoman.shared import open_redis

POSTGRES_URL = os.environ.get("DRAGOMAN_TEST_POSTGRES_URL")
CHAT = "/v1/chat/completions"
HELLO = "Hello, hello, hello, is there anybody in there who listens?"
ASK = {"model": "up:m", "max_tokens": 60, "messages": [{"role": "user", "content": HELLO}]}
ANSWER = {
    "id": "a",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 40, "completion_tokens": 60, "total_tokens": 100},
}
COST = 100
"""What a request costs, in dollars; it reserves a little more."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not POSTGRES_URL, reason="no DRAGOMAN_TEST_POSTGRES_URL"),
]


@dataclass
class Pair:
    """Two gateways; `urls` are theirs, `redis` and `upstream` what both use."""

    urls: list[str]
    redis: Any
    upstream: ScriptedUpstream
    stack: AsyncExitStack

    async def client(self, number: int, key: str) -> httpx2.AsyncClient:
        return await self.stack.enter_async_context(
            httpx2.AsyncClient(
                base_url=self.urls[number],
                headers={"authorization": f"Bearer {key}"},
                timeout=60,
                limits=httpx2.Limits(max_connections=32),
            )
        )

    async def make_key(self, **terms: object) -> dict[str, Any]:
        admin = await self.client(0, ADMIN_KEY)
        return (await admin.post("/admin/keys", json={"name": "k", **terms})).json()

    async def both(self, key: str) -> list[httpx2.AsyncClient]:
        """A client of each gateway, once both know the key."""
        clients = [await self.client(number, key) for number in range(2)]
        for client in clients:
            await until(client, "/v1/models", 200)
        return clients


async def until(client: httpx2.AsyncClient, path: str, status: int) -> None:
    while (await client.get(path)).status_code != status:
        pass


@asynccontextmanager
async def new_database() -> AsyncGenerator[str]:
    url = make_url(str(POSTGRES_URL)).set(drivername="postgresql+asyncpg")
    name = f"dragoman_test_{uuid.uuid4().hex}"
    server = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    async with server.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    await server.dispose()


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncGenerator[Pair]:
    async with AsyncExitStack() as stack:
        redis_url = stack.enter_context(run_redis())
        database = await stack.enter_async_context(new_database())
        upstream = await stack.enter_async_context(ScriptedUpstream())
        upstream.on(CHAT, json_answer(ANSWER))
        urls: list[str] = []
        for name in ("one", "other"):
            home = Home(tmp_path / name)
            home.folder.mkdir()
            prices = '[[prices]]\nmodel = "up:m"\ninput = 1000000\noutput = 1000000\n'
            (home.folder / "dragoman.toml").write_text(
                '[server]\nlog_level = "error"\n' + provider(upstream.url) + prices
            )
            process = stack.enter_context(
                home.start(
                    "serve",
                    "-p",
                    "0",
                    "--json-banner",
                    DRAGOMAN_API_KEY=KEY,
                    DRAGOMAN_ADMIN_KEY=ADMIN_KEY,
                    DRAGOMAN_DATABASE_URL=database,
                    DRAGOMAN_REDIS_URL=redis_url,
                    DRAGOMAN_SECRET_KEY="the-same-passphrase-for-both",
                )
            )
            stack.callback(process.terminate)
            assert process.stdout is not None
            urls.append(json.loads(await asyncio.to_thread(process.stdout.readline))["url"])
        client = open_redis(redis_url)
        stack.push_async_callback(client.aclose)
        yield Pair(urls, client, upstream, stack)


async def usage_of(pair: Pair, key: str, requests: int) -> dict[str, Any]:
    """The usage of a key, once so many requests are recorded."""
    admin = await pair.client(1, ADMIN_KEY)
    while True:
        answer = (await admin.get("/admin/usage", params={"by": "key", "key": key})).json()
        if answer["total"]["requests"] >= requests:
            return answer["total"]
        await asyncio.sleep(0.05)


async def test_sums_are_exact_to_the_last_request(pair: Pair) -> None:
    made = await pair.make_key(budgets=["1000000/day"], tpm=100_000_000)
    clients = await pair.both(made["key"])
    answers = await asyncio.gather(
        *(clients[number % 2].post(CHAT, json=ASK) for number in range(400))
    )
    assert {answer.status_code for answer in answers} == {200}
    usage = await usage_of(pair, made["id"], 400)
    assert len(pair.upstream.requests) == 400
    assert usage["requests"] == 400
    assert usage["cost_usd"] == 400 * COST
    assert usage["input_tokens"] + usage["output_tokens"] == 400 * 100
    while int(await pair.redis.hget(f"dragoman:{{{made['id']}}}:account", "held")):
        pass
    account = await pair.redis.hgetall(f"dragoman:{{{made['id']}}}:account")
    (spent,) = [int(value) for name, value in account.items() if name.startswith("day:")]
    assert spent == 400 * COST * 1_000_000_000


async def test_a_budget_is_one_for_both(pair: Pair) -> None:
    made = await pair.make_key(budgets=[f"{COST * 10}/total"])
    clients = await pair.both(made["key"])

    async def ask_until_spent(client: httpx2.AsyncClient) -> int:
        served = 0
        while True:
            answer = await client.post(CHAT, json=ASK)
            if answer.status_code == 200:
                served += 1
            elif "has spent its budget" in answer.json()["error"]["message"]:
                return served

    served = await asyncio.gather(*(ask_until_spent(clients[number % 2]) for number in range(16)))
    assert sum(served) in {10, 11}
    assert (await usage_of(pair, made["id"], sum(served)))["cost_usd"] == sum(served) * COST


async def test_requests_a_minute_are_counted_together(pair: Pair) -> None:
    made = await pair.make_key(rpm=10)
    clients = await pair.both(made["key"])
    answers = await asyncio.gather(
        *(clients[number % 2].post(CHAT, json=ASK) for number in range(40))
    )
    served = sum(answer.status_code == 200 for answer in answers)
    assert 10 <= served <= 12  # the bucket fills a little while they are under way


async def test_changes_at_one_hold_at_the_other(pair: Pair) -> None:
    made = await pair.make_key()
    _, other = await pair.both(made["key"])
    admin = await pair.client(0, ADMIN_KEY)
    spec = {"id": "added", "type": "openai-compatible", "base_url": pair.upstream.url}
    await admin.post("/admin/providers", json={**spec, "models": ["n"]})
    while "added:n" not in (await other.get("/v1/models")).text:
        pass
    await admin.delete(f"/admin/keys/{made['id']}")
    await until(other, "/v1/models", 401)
