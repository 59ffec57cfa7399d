from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
import structlog
from redis_server import run_redis

from dragoman.errors import ConfigError
from dragoman.shared import Notices, open_redis


async def test_a_client_connects_when_it_is_used() -> None:
    with run_redis() as url:
        client = open_redis(url)
        await client.set("name", "value")
        assert await client.get("name") == "value"
        await client.aclose()


async def test_a_connection_that_was_cut_is_made_anew() -> None:
    with run_redis() as url:
        client = open_redis(url)
        other = open_redis(url)
        await client.ping()
        await other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert await client.ping()
        await client.aclose()
        await other.aclose()


def test_an_url_that_is_not_understood_is_not_quoted() -> None:
    with pytest.raises(ConfigError, match="DRAGOMAN_REDIS_URL") as caught:
        open_redis("http://user:secret@host")
    assert "secret" not in caught.value.message


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigError, match=r"pip install 'dragoman\[redis\]'"):
        open_redis("redis://localhost")


@asynccontextmanager
async def listening(url: str) -> AsyncGenerator[tuple[Notices, asyncio.Event]]:
    heard = asyncio.Event()
    client = open_redis(url)
    notices = Notices(client, heard.set)
    running = asyncio.create_task(notices.run())
    yield notices, heard
    running.cancel()
    await asyncio.wait([running])
    await client.aclose()


async def test_a_notice_is_heard_by_everybody() -> None:
    with run_redis() as url:
        async with (
            listening(url) as (one, _),
            listening(url) as (_, heard),
            listening(url) as (
                _,
                also_heard,
            ),
        ):
            for event in (heard, also_heard):
                await event.wait()  # it listens
                event.clear()
            one.publish()
            await heard.wait()
            await also_heard.wait()


async def test_notices_go_on_when_redis_comes_back() -> None:
    with structlog.testing.capture_logs():
        with run_redis() as url:
            port = int(url.rpartition(":")[2].partition("/")[0])
            context = listening(url)
            notices, heard = await context.__aenter__()
            await heard.wait()
        heard.clear()
        notices.publish()
        with run_redis(port):
            await heard.wait()
            await context.__aexit__(None, None, None)
