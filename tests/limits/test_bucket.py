from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dragoman.limits.bucket import Bucket

TIMES = st.lists(st.integers(0, 120_000), max_size=30)


def test_a_clock_that_goes_back_fills_nothing_twice() -> None:
    bucket = Bucket(60, 0, 10_000)
    bucket.fill(60, 4_000)
    bucket.fill(60, 11_000)
    assert bucket.level == 1


def test_what_comes_back_does_not_overflow() -> None:
    bucket = Bucket(60, 59, 0)
    bucket.give_back(10)
    assert bucket.level == 60


@given(limit=st.integers(1, 10_000), steps=TIMES, takes=TIMES)
def test_the_average_never_exceeds_the_limit(
    limit: int, steps: list[int], takes: list[int]
) -> None:
    """At most a full bucket is let in, what has flowed in since, and one request's debt."""
    bucket = Bucket(limit, limit, 0)
    now = taken = largest = 0
    for step, take in zip(steps, takes, strict=False):
        now += step
        bucket.fill(limit, now)
        if bucket.level >= 1:
            bucket.level -= take
            taken += take
            largest = max(largest, take)
    assert taken <= limit + limit * now / 60_000 + largest


@given(limit=st.integers(1, 1_000_000), level=st.floats(-1e9, 0))
def test_after_the_wait_there_is_something_to_take(limit: int, level: float) -> None:
    bucket = Bucket(limit, level, 0)
    wait = bucket.wait_ms()
    bucket.fill(limit, wait + 1)
    assert bucket.level >= 1 - 1e-6
    assert bucket.window("tokens").remaining >= 0
