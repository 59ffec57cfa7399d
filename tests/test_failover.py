"""failover: which lanes a request tries, in which order, how often and how long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from dragoman import failover
from dragoman.errors import (
    UpstreamDied,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from dragoman.failover import Failover, arrange
from dragoman.health import Health
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Provider
from dragoman.routing import Retry, Strategy, Target


def target(name: str, *keys: str, retries: int = 1, weight: float = 1.0) -> Target:
    provider = Provider(
        id=name,
        type="openai",
        name=name,
        base_urls={Protocol.CHAT: "http://127.0.0.1:1/v1"},
        protocols=frozenset({Protocol.CHAT}),
        auth=Auth.BEARER,
        api_keys=keys,
        retries=retries,
    )
    return Target(provider, "m", weight)


def refused(status: int, retry_after: float | None = None) -> UpstreamRefused:
    return UpstreamRefused(str(status), status=status, retry_after=retry_after)


GONE, SLOW, CUT = UpstreamUnreachable("gone"), UpstreamTimeout("slow"), UpstreamDied("cut")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failover, "_FIRST_BACKOFF_S", 0.001)


async def run(
    targets: Sequence[Target],
    *errors: UpstreamError,
    health: Health | None = None,
    retry: Retry | None = None,
    stands_in: bool = True,
) -> tuple[list[str], Failover]:
    """What is tried while attempts end in `errors`; an attempt beyond them succeeds."""
    health = health or Health()
    tried: list[str] = []
    trying = Failover(targets, health, retry or Retry(), stands_in=stands_in)
    left = list(errors)
    while (lane := await trying.next()) is not None:
        tried.append(f"{lane.target.provider.id}/{lane.key}")
        if not left:
            break
        error = left.pop(0)
        with pytest.raises(UpstreamError), health.trial(lane, stream=False):
            raise error
        trying.fail(lane, error)
    return tried, trying


async def test_keys_then_targets() -> None:
    tried, _ = await run([target("a", "1", "2"), target("b", "3")], refused(429), refused(401))
    assert tried == ["a/1", "a/2", "b/3"]


@pytest.mark.parametrize("error", [GONE, SLOW])
async def test_other_keys_of_a_provider_that_is_gone_are_spared(error: UpstreamError) -> None:
    tried, _ = await run([target("a", "1", "2"), target("b", "3")], error)
    assert tried == ["a/1", "b/3"]


@pytest.mark.parametrize("error", [GONE, CUT, refused(408), refused(500), refused(529)])
async def test_what_may_pass_is_repeated_after_all_others(error: UpstreamError) -> None:
    tried, trying = await run([target("a", "1"), target("b", "2")], *[error] * 9)
    assert tried == ["a/1", "b/2"] * 2
    assert trying.failure() is error


@pytest.mark.parametrize("error", [SLOW, refused(401), refused(403), refused(429), refused(501)])
async def test_what_will_not_pass_is_not_repeated(error: UpstreamError) -> None:
    tried, _ = await run([target("a", "1")], error, error)
    assert tried == ["a/1"]


async def test_a_limit_that_ends_soon_is_waited_for() -> None:
    soon = [target("a", "1")]
    assert (await run(soon, refused(429, 0.01)))[0] == ["a/1"] * 2
    assert (await run(soon, refused(429, failover.LONGEST_WAIT_S + 1)))[0] == ["a/1"]


async def test_attempts_are_bounded() -> None:
    many = [target(name, "1", "2", retries=5) for name in "abc"]
    tried, _ = await run(many, *[refused(500)] * 20, retry=Retry(attempts=4))
    assert len(tried) == 4
    assert len((await run([target("a", retries=3)], *[GONE] * 20))[0]) == 4


async def test_time_is_bounded() -> None:
    tried, _ = await run([target("a", retries=9)], *[GONE] * 9, retry=Retry(9, within_s=0))
    assert tried == ["a/None"]


async def test_without_a_stand_in_the_first_target_alone_is_asked() -> None:
    targets = [target("a", "1", "2"), target("b", "3")]
    tried, _ = await run(targets, refused(500), refused(500), stands_in=False)
    assert tried == ["a/1", "a/2"]


async def test_the_caller_hears_of_more_than_a_refused_key() -> None:
    _, trying = await run([target("a", "1", "2", retries=0)], refused(429, 60), refused(401))
    assert trying.failure().status == 429
    _, trying = await run([target("a", "1", "2", retries=0)], refused(401), refused(403))
    assert trying.failure().status == 403


async def test_who_rests_is_not_asked() -> None:
    health = Health()
    targets = [target("a", "1"), target("b", "2")]
    await run(targets, refused(429, 60), health=health)
    assert (await run(targets, health=health))[0] == ["b/2"]


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(refused(429, 60), 429, "reached its limits"), (GONE, 503, "failed too often")],
)
async def test_when_everybody_rests_the_caller_is_told(
    error: UpstreamError, status: int, words: str
) -> None:
    health = Health()
    health.breaker_failures, health.breaker_s = 1, 60.0
    only = [target("a", "1")]
    await run(only, error, health=health)
    tried, trying = await run(only, health=health)
    assert tried == []
    failure = trying.failure()
    assert isinstance(failure, UpstreamUnavailable)
    assert failure.status == status
    assert failure.retry_after == pytest.approx(60, abs=2)
    assert words in failure.message


async def test_who_rests_for_a_moment_is_waited_for() -> None:
    health = Health()
    only = [target("a", "1", retries=0)]
    await run(only, refused(429, 0.02), health=health)
    assert (await run(only, health=health))[0] == ["a/1"]


def test_weights_decide_who_is_first() -> None:
    targets = [target("a", weight=3), target("b", weight=1)]
    first = Counter(
        arrange(targets, Strategy.WEIGHTED, Health(), stream=False)[0].provider.id
        for _ in range(2000)
    )
    assert 1300 < first["a"] < 1700


def test_the_quickest_is_first_and_the_unknown_before_it() -> None:
    now = 0.0
    health = Health(lambda: now)
    targets = [target("slow"), target("quick"), target("new")]
    for each, seconds in zip(targets, (2.0, 1.0), strict=False):
        with health.trial(health.lanes(each)[0], stream=True):
            now += seconds
    ordered = arrange(targets, Strategy.LEAST_LATENCY, health, stream=True)
    assert [each.provider.id for each in ordered] == ["new", "quick", "slow"]
    assert arrange(targets, Strategy.ORDER, health, stream=True) == targets
