"""A gateway that is told to end loses no record; one that is killed loses a moment at most.

Real processes and a real database; what is found there afterwards is compared with what the
provider has seen and what the clients have been told.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from cli.processes import Home
from running_gateway import ADMIN_KEY, KEY, provider
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.paths import open_data_directory
from dragoman.secrets import SecretBox
from dragoman.store.requests import Record, Search
from dragoman.store.store import Store
from dragoman.store.usage import Scope, Sums

ANSWER = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}


class Load:
    """Clients that ask without pause; `answered` are the ids of requests that got their answer."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answered: set[str] = set()
        self._numbers = itertools.count()
        self._reached = asyncio.Condition()

    async def run(self, clients: int) -> None:
        await asyncio.gather(*(self._ask_forever() for _ in range(clients)))

    async def reach(self, count: int) -> None:
        """Returns when so many requests have been answered."""
        async with self._reached:
            await self._reached.wait_for(lambda: len(self.answered) >= count)

    async def _ask_forever(self) -> None:
        headers = {"authorization": f"Bearer {KEY}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30) as client:
            while True:
                name = f"r{next(self._numbers)}"
                try:
                    response = await client.post(
                        "/v1/chat/completions",
                        json={"model": "up:m", "messages": []},
                        headers={"x-request-id": name},
                    )
                except httpx2.TransportError:
                    return  # the gateway is gone
                if response.status_code == 200:
                    async with self._reached:
                        self.answered.add(name)
                        self._reached.notify_all()


@asynccontextmanager
async def gateway(
    folder: Path, upstream: ScriptedUpstream
) -> AsyncGenerator[tuple[Home, subprocess.Popen[str], str]]:
    """A gateway process in front of the upstream, and its URL. It logs little: nobody reads it."""
    upstream.on("*", json_answer(ANSWER))
    toml = provider(upstream.url) + '[server]\nlog_level = "error"\n'
    (folder / "dragoman.toml").write_text(toml)
    home = Home(folder)
    process = home.start(
        "serve", "-p", "0", "--json-banner", DRAGOMAN_API_KEY=KEY, DRAGOMAN_ADMIN_KEY=ADMIN_KEY
    )
    assert process.stdout is not None
    banner = json.loads(await asyncio.to_thread(process.stdout.readline))
    try:
        yield home, process, banner["url"]
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


async def read(home: Home) -> tuple[list[Record], Sums]:
    """The rows and the sums of the home's database."""
    directory = open_data_directory(home.data)
    store = await Store.open(directory.database, SecretBox.open(directory))
    page = await store.requests.search(Search(), 100_000)
    total = await store.usage.total(Scope(0, 4_000_000_000_000))
    await store.aclose()
    return list(page.records), total


async def test_sigterm_loses_nothing(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream, gateway(tmp_path, upstream) as (home, process, url):
        load = Load(url)
        running = asyncio.create_task(load.run(8))
        await load.reach(100)
        process.send_signal(signal.SIGTERM)
        await running
        assert await asyncio.to_thread(process.wait, 60) == 0
        rows, total = await read(home)
    ids = [row.request_id for row in rows]
    assert len(set(ids)) == len(ids)
    assert load.answered <= set(ids)
    assert sum(row.attempts for row in rows) == len(upstream.requests)
    assert total.requests == len(rows)
    assert total.output_tokens == 2 * sum(row.output_tokens is not None for row in rows)


async def test_sigkill_loses_a_moment_at_most(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream, gateway(tmp_path, upstream) as (home, process, url):
        load = Load(url)
        running = asyncio.create_task(load.run(8))
        await load.reach(100)
        long_ago = set(load.answered)
        await _until_written(url, long_ago)
        await load.reach(len(load.answered) + 50)
        process.send_signal(signal.SIGKILL)
        await running
        await asyncio.to_thread(process.wait, 60)
        rows, total = await read(home)
        seen = len(upstream.requests)
        outcome = await asyncio.to_thread(home.run, "usage", "--json")
    ids = [row.request_id for row in rows]
    assert len(set(ids)) == len(ids)
    assert long_ago <= set(ids)
    assert len(ids) <= seen  # a record is made when its request is over, never before
    assert total.requests == len(rows)
    assert total.output_tokens == 2 * len(rows)
    assert [line["requests"] for line in outcome.json] == [len(rows)]


async def _until_written(url: str, ids: set[str]) -> None:
    """Returns when all of the requests stand in the log of the running gateway."""
    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as admin:
        while True:
            answer = (await admin.get("/admin/requests", params={"limit": 1000})).json()
            if ids <= {row["id"] for row in answer["requests"]}:
                return
