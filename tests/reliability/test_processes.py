"""A gateway process that is told to end, told twice, or killed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from cli.processes import Home
from reliability.served import serve
from running_gateway import provider
from scripted_upstream import Gate, ScriptedUpstream, Stall, json_answer, sse_answer

CHAT = "/v1/chat/completions"
PIECE = {"choices": [{"index": 0, "delta": {"content": "x"}}]}
STREAM = {"model": "up:m", "messages": [], "stream": True}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


async def ended(process: subprocess.Popen[str]) -> int:
    return await asyncio.wait_for(asyncio.to_thread(process.wait), 30)


async def refused(url: str) -> None:
    """Returns when nobody listens there any more."""
    async with asyncio.timeout(20):
        while True:
            try:
                async with httpx2.AsyncClient() as other:
                    await other.get(f"{url}/health")
            except httpx2.ConnectError:
                return


async def test_sigterm_lets_streams_finish_and_takes_no_more(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    gate = Gate()
    upstream.on("*", sse_answer(PIECE, gate, PIECE, done=True))
    async with serve(tmp_path, upstream.url) as (process, client):
        asking = asyncio.create_task(client.post(CHAT, json=STREAM))
        await gate.reached()
        process.send_signal(signal.SIGTERM)
        await refused(str(client.base_url))
        gate.open()
        assert (await asking).text.endswith("data: [DONE]\n\n")
        assert await ended(process) == 0


async def test_after_the_grace_period_streams_end_in_an_error_event(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.on("*", sse_answer(PIECE, Stall()))
    async with serve(tmp_path, upstream.url, "grace_s = 1") as (process, client):
        async with client.stream("POST", CHAT, json=STREAM) as response:
            lines = response.aiter_lines()
            assert "content" in await anext(lines)
            process.send_signal(signal.SIGTERM)
            rest = [line async for line in lines if line]
        assert "The gateway is stopping." in json.loads(rest[-1][6:])["error"]["message"]
        assert await ended(process) == 0


async def test_a_second_signal_ends_at_once(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.on("*", sse_answer(PIECE, Stall()))
    async with serve(tmp_path, upstream.url, "grace_s = 600") as (process, client):
        async with client.stream("POST", CHAT, json=STREAM) as response:
            lines = response.aiter_lines()
            await anext(lines)
            process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.3)
            assert process.poll() is None
            process.send_signal(signal.SIGINT)
            rest = [line async for line in lines if line]
        assert "The gateway is stopping." in rest[-1]
        assert await ended(process) == 0


async def test_a_killed_gateway_starts_again_with_what_it_has_acknowledged(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.on("*", json_answer({"ok": 1}))
    home = Home(tmp_path)
    async with serve(tmp_path, upstream.url) as (process, client):
        made = home.run("key", "create", "--name", "kept", "--json").json["key"]
        process.send_signal(signal.SIGKILL)
        await ended(process)
    async with serve(tmp_path, upstream.url) as (process, client):
        response = await client.post(
            CHAT, json=STREAM | {"stream": False}, headers={"authorization": f"Bearer {made}"}
        )
        assert response.status_code == 200


async def test_a_changed_file_reaches_a_process_by_sighup(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.on("*", json_answer({"ok": 1}))
    async with serve(tmp_path, upstream.url) as (process, client):
        (tmp_path / "dragoman.toml").write_text(provider(upstream.url, "new"))
        process.send_signal(signal.SIGHUP)
        body = {"model": "new:m", "messages": []}
        async with asyncio.timeout(20):
            while (await client.post(CHAT, json=body)).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert await ended(process) == 0
