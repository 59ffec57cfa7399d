"""What is the Redis meter's own: leases, lost connections, several processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
import structlog
from redis.asyncio import Redis
from redis_server import _free_port, run_redis

from dragoman.allowance import read_allowance
from dragoman.errors import Overloaded
from dragoman.limits import Demand, Hold
from dragoman.limits.redis import LEASE_MS, RedisMeter
from dragoman.shared import open_redis

ONE = read_allowance(concurrency=1, tpm=1000, budgets=["0.000000100/day"])


@pytest.fixture
async def client(redis_url: str) -> AsyncGenerator[Redis, None]:
    client = open_redis(redis_url)
    await client.flushall()
    yield client
    await client.aclose()


def hold(tokens: int = 0, cost: int = 0) -> Hold:
    return Hold("k", ONE, Demand(tokens, cost))


async def test_processes_share_one_account(client, record, clock) -> None:
    one, other = (RedisMeter(client, record, clock=clock) for _ in range(2))
    first = hold(cost=60)
    assert await one.reserve(first) is None
    assert (await other.reserve(hold())).reason == "concurrency"
    one.settle(first, Demand(cost=100))
    await one.drain()
    assert (await other.reserve(hold())).reason == ONE.budgets[0]
    assert len(record.asked) == 1
    await one.aclose()
    await other.aclose()


async def test_what_a_dead_process_held_is_free_when_its_lease_runs_out(
    client, record, clock
) -> None:
    dead, alive = (RedisMeter(client, record, clock=clock) for _ in range(2))
    assert await dead.reserve(hold(cost=200)) is None
    dead._worker.cancel()
    clock.advance(LEASE_MS / 1000 - 1)
    assert (await alive.reserve(hold())).reason == "concurrency"
    clock.advance(1)
    assert await alive.reserve(hold()) is None
    await alive.aclose()


async def test_a_live_process_renews_its_leases(client, record, clock) -> None:
    one, other = (RedisMeter(client, record, clock=clock) for _ in range(2))
    assert await one.reserve(hold(cost=200)) is None
    for _ in range(3):
        clock.advance(LEASE_MS / 1000 - 1)
        await one._renew_leases()
    assert (await other.reserve(hold())).reason == "concurrency"
    await one.aclose()
    await other.aclose()


async def test_a_lease_that_ran_out_is_not_renewed_but_settled_in_full(
    client, record, clock
) -> None:
    meter = RedisMeter(client, record, clock=clock)
    late = hold(cost=50)
    assert await meter.reserve(late) is None
    clock.advance(LEASE_MS / 1000)
    other = hold(cost=30)
    assert await meter.reserve(other) is None
    await meter._renew_leases()
    assert int(await client.hget("dragoman:{k}:account", "held")) == 30
    meter.settle(late, Demand(cost=99))
    meter.settle(other, Demand(cost=1))
    await meter.drain()
    assert int(await client.hget("dragoman:{k}:account", "held")) == 0
    assert (await meter.reserve(hold())).reason == ONE.budgets[0]
    await meter.aclose()


async def test_processes_do_not_take_each_others_holds_for_their_own(client, record, clock) -> None:
    """Forks number theirs alike."""
    one, other = (RedisMeter(client, record, clock=clock) for _ in range(2))
    first, second = hold(cost=10), hold(cost=20)
    second.id = first.id
    first.allowance = second.allowance = read_allowance(budgets=["1/day"])
    assert await one.reserve(first) is None
    assert await other.reserve(second) is None
    assert await client.hget("dragoman:{k}:account", "held") == "30"
    await one.aclose()
    await other.aclose()


async def test_scripts_that_redis_has_forgotten_are_loaded_again(client, record, clock) -> None:
    meter = RedisMeter(client, record, clock=clock)
    holds = [hold(cost=number) for number in range(250)]
    for each in holds:
        each.allowance = read_allowance(budgets=["1/day"])
        assert await meter.reserve(each) is None
    await client.script_flush()
    for each in holds:
        meter.settle(each, each.demand)
    await meter.drain()
    account = await client.hgetall("dragoman:{k}:account")
    assert (account["held"], account[f"day:{holds[0].began[0]}"]) == ("0", str(sum(range(250))))
    await meter.aclose()


async def test_asking_and_settling_twice_is_the_same_as_once(client, record, clock) -> None:
    meter = RedisMeter(client, record, clock=clock)
    twice = hold(tokens=10, cost=50)
    assert await meter.reserve(twice) is None
    assert await meter.reserve(twice) is None
    assert twice.windows[0].remaining == 990
    for _ in range(2):
        meter.settle(twice, Demand(cost=60))
    await meter.drain()
    account = await client.hgetall("dragoman:{k}:account")
    assert (account["held"], account[f"day:{twice.began[0]}"]) == ("0", "60")
    await meter.aclose()


async def test_holds_that_nobody_settles_are_forgotten_after_a_day(client, record, clock) -> None:
    meter = RedisMeter(client, record, clock=clock)
    for _ in range(5):
        assert await meter.reserve(hold()) is None
        clock.advance(86_401)
    assert await client.hlen("dragoman:{k}:holds") == 2  # one lives, one was lost within a day
    await meter.aclose()


async def test_an_account_that_is_not_used_vanishes(client, record, clock) -> None:
    meter = RedisMeter(client, record, clock=clock)
    await meter.reserve(hold())
    for name in await client.keys("*"):
        assert 0 < await client.ttl(name) <= 86_400
    await meter.aclose()


async def test_without_redis_limited_keys_are_refused(record) -> None:
    client = open_redis(f"redis://127.0.0.1:{_free_port()}")
    meter = RedisMeter(client, record)
    with structlog.testing.capture_logs(), pytest.raises(Overloaded, match="Redis does not answer"):
        await meter.reserve(hold())
    await meter.aclose()
    await client.aclose()


async def test_costs_wait_for_a_redis_that_is_away(record, monkeypatch) -> None:
    monkeypatch.setattr("dragoman.limits.redis.RETRY_S", 0.05)
    port = _free_port()
    with structlog.testing.capture_logs() as logs:
        with run_redis(port) as url:
            client = open_redis(url)
            meter = RedisMeter(client, record)
            first = hold(cost=10)
            assert await meter.reserve(first) is None
        meter.settle(first, Demand(cost=10))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(meter.drain(), 0.2)
        assert len(meter._settled) == 1
        with run_redis(port):
            await meter.drain()
            await meter.aclose()
            await client.aclose()
    assert logs[0]["event"] == "limits not settled"


async def test_closing_does_not_wait_for_a_redis_that_is_gone(record, monkeypatch) -> None:
    monkeypatch.setattr("dragoman.limits.redis.CLOSING_S", 0.1)
    with run_redis() as url:
        client = open_redis(url)
        meter = RedisMeter(client, record)
        first = hold()
        assert await meter.reserve(first) is None
    meter.settle(first, Demand(cost=10))
    with structlog.testing.capture_logs() as logs:
        await meter.aclose()
    assert logs[-1]["event"] == "costs not settled"
    await client.aclose()
