"""health: what keeps a lane back, for how long, and who is tried first."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import (
    UpstreamDied,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from dragoman.health import LONGEST_PAUSE_S, BreakerState, Health, KeyState, Lane
from dragoman.protocols import Protocol
from dragoman.providers.provider import Auth, Provider
from dragoman.routing import Target


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def target(keys: tuple[str, ...] = ("k1", "k2"), model: str = "m", name: str = "up") -> Target:
    provider = Provider(
        id=name,
        type="openai",
        name=name,
        base_urls={Protocol.CHAT: "http://127.0.0.1:1/v1"},
        protocols=frozenset({Protocol.CHAT}),
        auth=Auth.BEARER,
        api_keys=keys,
    )
    return Target(provider, model)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    made = Health(clock)
    made.breaker_failures = 3
    return made


def fail(health: Health, lane: Lane, error: UpstreamError) -> None:
    with pytest.raises(UpstreamError), health.trial(lane, stream=False):
        raise error


def succeed(health: Health, lane: Lane) -> None:
    with health.trial(lane, stream=False):
        pass


def refused(status: int, retry_after: float | None = None) -> UpstreamRefused:
    return UpstreamRefused("no", status=status, retry_after=retry_after)


def keys(health: Health, of: Target | None = None) -> list[str | None]:
    return [lane.key for lane in health.lanes(of or target())]


def test_keys_take_turns(health: Health) -> None:
    used: list[str | None] = []
    for _ in range(6):
        lane = health.lanes(target())[0]
        used.append(lane.key)
        succeed(health, lane)
    assert used == ["k1", "k2"] * 3


def test_a_new_key_does_not_get_everything(health: Health) -> None:
    for _ in range(10):
        succeed(health, health.lanes(target())[0])
    three = target(("k1", "k2", "k3"))
    used: list[str | None] = []
    for _ in range(6):
        lane = health.lanes(three)[0]
        used.append(lane.key)
        succeed(health, lane)
    assert sorted(map(str, used)) == ["k1", "k1", "k2", "k2", "k3", "k3"]


def test_a_limit_holds_for_the_key_and_the_model(health: Health, clock: Clock) -> None:
    lane = Lane(target(), "k1")
    fail(health, lane, refused(429, 20))
    assert health.wait(lane) == 20
    assert health.is_limited(lane)
    assert health.wait(Lane(target(), "k2")) == 0
    assert health.wait(Lane(target(model="other"), "k1")) == 0
    assert keys(health) == ["k2", "k1"]
    report = health.report("up", "k1")
    assert (report.state, report.wait_s, report.reason) == (KeyState.LIMITED, 20, "no")
    clock.now += 21
    assert health.wait(lane) == 0
    assert health.report("up", "k1").state is KeyState.READY


def test_limits_without_a_time_last_longer_and_longer(health: Health, clock: Clock) -> None:
    lane = Lane(target(), "k1")
    waits: list[float] = []
    for _ in range(4):
        fail(health, lane, refused(429))
        waits.append(health.wait(lane))
        clock.now += waits[-1]
    assert waits == [1, 2, 4, 8]
    succeed(health, lane)
    fail(health, lane, refused(429))
    assert health.wait(lane) == 1


def test_no_pause_is_endless(health: Health) -> None:
    lane = Lane(target(), "k1")
    fail(health, lane, refused(429, 86_400))
    assert health.wait(lane) == LONGEST_PAUSE_S


def test_a_failure_that_names_a_time_is_left_alone_for_it(health: Health) -> None:
    lane = Lane(target(), "k1")
    fail(health, lane, refused(503, 7))
    assert health.wait(lane) == 7


@pytest.mark.parametrize(("status", "other_model"), [(401, ["k2", "k1"]), (403, ["k1", "k2"])])
def test_a_refused_key_is_last_until_it_works(
    status: int, other_model: list[str], health: Health
) -> None:
    lane = Lane(target(), "k1")
    fail(health, lane, refused(status))
    assert keys(health) == ["k2", "k1"]
    health.forget("nobody")
    assert health.report("up", "k1").state is KeyState.REFUSED
    assert keys(health, target(model="other")) == other_model or status == 403
    assert health.wait(lane) == 0
    succeed(health, lane)
    assert health.report("up", "k1").state is KeyState.READY


@pytest.mark.parametrize(
    ("error", "whole"),
    [
        (UpstreamUnreachable("gone"), True),
        (UpstreamTimeout("slow"), True),
        (UpstreamDied("cut"), False),
        (refused(500), False),
        (refused(529), False),
    ],
)
def test_failures_in_a_row_open_the_breaker(
    error: UpstreamError, whole: bool, health: Health, clock: Clock
) -> None:
    lane, other = Lane(target(), "k1"), Lane(target(), "k2")
    for _ in range(2):
        fail(health, lane, error)
    assert health.wait(lane) == 0
    fail(health, lane, error)
    assert health.wait(lane) == health.breaker_s
    assert health.wait(other) == (health.breaker_s if whole else 0)
    assert (health.breaker_of("up") is BreakerState.OPEN) is whole
    assert (health.report("up", "k1").breaker is BreakerState.OPEN) is not whole
    clock.now += health.breaker_s
    assert health.wait(lane) == 0
    succeed(health, lane)
    assert health.breaker_of("up") is BreakerState.CLOSED
    assert health.report("up", "k1").state is KeyState.READY


def test_a_success_between_keeps_the_breaker_closed(health: Health) -> None:
    lane = Lane(target(), "k1")
    for _ in range(5):
        fail(health, lane, refused(500))
        fail(health, lane, UpstreamUnreachable("gone"))
        fail(health, lane, refused(404))  # it answers: that is a success
    assert health.wait(lane) == 0


def open_breaker(health: Health, lane: Lane) -> None:
    for _ in range(3):
        fail(health, lane, refused(500))


def test_one_probe_at_a_time(health: Health, clock: Clock) -> None:
    lane = Lane(target(), "k1")
    open_breaker(health, lane)
    clock.now += health.breaker_s
    assert health.report("up", "k1").breaker is BreakerState.HALF_OPEN
    with health.trial(lane, stream=True):
        assert health.wait(lane) > 0
    assert health.wait(lane) == 0


def test_a_failed_probe_opens_it_for_twice_as_long(health: Health, clock: Clock) -> None:
    lane = Lane(target(), "k1")
    open_breaker(health, lane)
    waits: list[float] = []
    for _ in range(6):
        clock.now += health.wait(lane)
        fail(health, lane, refused(500))
        waits.append(health.wait(lane))
    assert waits == [10, 20, 40, 60, 60, 60]


def test_a_client_that_leaves_decides_nothing(health: Health, clock: Clock) -> None:
    lane = Lane(target(), "k1")
    open_breaker(health, lane)
    clock.now += health.breaker_s
    with pytest.raises(asyncio.CancelledError), health.trial(lane, stream=True):
        raise asyncio.CancelledError
    assert health.report("up", "k1").breaker is BreakerState.HALF_OPEN
    assert health.wait(lane) == 0


def test_a_threshold_of_zero_never_opens(health: Health) -> None:
    health.breaker_failures = 0
    lane = Lane(target(), "k1")
    for _ in range(50):
        fail(health, lane, refused(500))
    assert health.wait(lane) == 0


def test_latencies_are_averaged_and_forgotten(health: Health, clock: Clock) -> None:
    def take(seconds: float, stream: bool = True) -> None:
        with health.trial(Lane(target(), "k1"), stream=stream):
            clock.now += seconds

    assert health.latency(target(), stream=True) == 0
    take(1.0)
    assert health.latency(target(), stream=True) == pytest.approx(1.0)
    take(2.0)
    assert health.latency(target(), stream=True) == pytest.approx(1.3)
    assert health.latency(target(), stream=False) == 0
    clock.now += 200
    assert health.latency(target(), stream=True) == 0


def test_forgetting_begins_anew(health: Health) -> None:
    lane = Lane(target(), "k1")
    open_breaker(health, lane)
    fail(health, lane, refused(429, 60))
    fail(health, lane, refused(401))
    health.forget("up")
    assert health.wait(lane) == 0
    assert health.report("up", "k1").state is KeyState.READY


ERRORS = st.sampled_from([refused(401), refused(403), refused(429), refused(429, 9), refused(500),
                          UpstreamUnreachable("gone"), UpstreamDied("cut"), None])  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["k1", "k2"]), ERRORS, st.floats(0, 100))))
def test_every_lane_comes_back(events: list[tuple[str, UpstreamError | None, float]]) -> None:
    clock = Clock()
    health = Health(clock)
    health.breaker_failures = 2
    for key, error, pause in events:
        lane = Lane(target(), key)
        if error is None:
            succeed(health, lane)
        else:
            fail(health, lane, error)
        clock.now += pause
    assert sorted(map(str, keys(health))) == ["k1", "k2"]
    for key in ("k1", "k2"):
        wait = health.wait(Lane(target(), key))
        assert 0 <= wait <= LONGEST_PAUSE_S
        clock.now += wait
        assert health.wait(Lane(target(), key)) == 0
