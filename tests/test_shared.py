from __future__ import annotations

import sys

import pytest
from redis_server import run_redis

from dragoman.errors import ConfigError
from dragoman.shared import open_redis


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
