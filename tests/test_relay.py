"""relay: what reaches the provider, what comes back, and where a request goes when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from relaying import CHAT, post, relay_to
from running_gateway import Running
from scripted_upstream import (
    ScriptedUpstream,
    Stall,
    json_answer,
    script,
    sse_answer,
)


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with relay_to(upstream, tmp_path) as gateway:
        yield gateway


async def test_the_next_key_is_tried(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({"error": {"message": "no"}}, 429), json_answer({"ok": 1}))
    response = await post(running, CHAT, b'{"model":"two:m","messages":[]}')
    assert response.json() == {"ok": 1}
    assert response.headers["x-dragoman-attempts"] == "2"
    keys = [request.header("authorization") for request in upstream.requests]
    assert keys == ["Bearer first-key-1", "Bearer second-key-2"]


async def test_a_fault_of_the_caller_is_not_tried_again(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"error": {"message": "no"}}, 400))
    response = await post(running, CHAT, b'{"model":"two:m","messages":[]}')
    assert response.status_code == 400
    assert len(upstream.requests) == 1


async def test_an_alias_falls_back(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({"ok": 1}))
    response = await post(running, CHAT, b'{"model":"smart","messages":[]}')
    assert response.json() == {"ok": 1}
    assert response.headers["x-dragoman-provider"] == "two"
    assert response.headers["x-dragoman-attempts"] == "2"


async def test_an_unreachable_provider_is_502(running: Running) -> None:
    response = await post(running, CHAT, b'{"model":"dead:m","messages":[]}')
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_unreachable"


STREAM = b'{"model":"up:m","messages":[],"stream":true}'


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_answer_stops_the_provider(
    stream: bool, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Stall()))
    body = {"model": "up:m", "messages": [], "stream": stream}
    async with running.client() as client:
        asking = asyncio.create_task(client.post(CHAT, json=body))
        request = await upstream.request()
        asking.cancel()
        await asyncio.wait([asking])
    await asyncio.wait_for(request.closed(), 5)


async def test_a_client_that_leaves_in_mid_stream_stops_the_provider(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer({"choices": []}, Stall()))
    async with (
        running.client() as client,
        client.stream("POST", CHAT, content=STREAM) as response,
    ):
        await anext(response.aiter_raw())
    await asyncio.wait_for(upstream.requests[0].closed(), 5)
