"""upstream.answers: answers in forms that nobody asked for."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from relaying import CHAT, post, relay_to
from running_gateway import Running
from scripted_upstream import (
    ScriptedUpstream,
    answer,
)

from dragoman.upstream import answers


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with relay_to(upstream, tmp_path) as gateway:
        yield gateway


async def test_a_compressed_answer_is_unpacked(
    running: Running, upstream: ScriptedUpstream
) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    upstream.on("*", answer(gzip.compress(b'{"ok":1}'), headers=headers))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.content == b'{"ok":1}'
    assert "content-encoding" not in response.headers
    assert upstream.requests[0].header("accept-encoding") == "identity"


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_that_is_too_long_is_a_death(
    packed: bool, running: Running, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LONGEST_BODY", 1000)
    body = gzip.compress(b" " * 1001) if packed else b" " * 1001
    headers = {"content-encoding": "gzip"} if packed else {}
    upstream.on("*", answer(body, headers=headers))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert "longer than" in response.json()["error"]["message"]


async def test_a_damaged_compressed_answer_is_a_death(
    running: Running, upstream: ScriptedUpstream
) -> None:
    packed = gzip.compress(b'{"ok":1}')[:-6]
    upstream.on("*", answer(packed, headers={"content-encoding": "gzip"}))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert "damaged" in response.json()["error"]["message"]
