"""store.histogram: buckets are in order, hold what they say, and give percentiles that are near."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dragoman.store.histogram import find_bucket, find_percentiles, upper_bound

durations = st.integers(0, 10**9)


@given(durations)
def test_a_bucket_holds_its_duration_and_no_more_than_an_eighth_above(milliseconds: int) -> None:
    bound = upper_bound(find_bucket(milliseconds))
    assert milliseconds <= bound <= milliseconds * 9 / 8


@given(durations)
def test_the_next_bucket_begins_where_one_ends(milliseconds: int) -> None:
    bucket = find_bucket(milliseconds)
    assert find_bucket(upper_bound(bucket)) == bucket
    assert find_bucket(upper_bound(bucket) + 1) == bucket + 1


@given(st.lists(durations, min_size=1), st.floats(0, 100))
def test_a_percentile_is_never_too_low_and_at_most_an_eighth_too_high(
    values: list[int], percent: float
) -> None:
    counts = Counter(map(find_bucket, values))
    (found,) = find_percentiles(counts, [percent])
    rank = max(1, int(-(-len(values) * percent // 100)))
    exact = sorted(values)[rank - 1]
    assert exact <= found <= exact * 9 / 8


def test_what_went_wrong_with_a_clock_counts_as_nothing() -> None:
    assert find_bucket(-5) == 0
