from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.allowance import (
    NANODOLLARS,
    Allowance,
    Budget,
    Period,
    format_dollars,
    read_allowance,
    read_budget,
)
from dragoman.errors import InvalidRequest

MOMENTS = st.integers(0, 4_102_444_800_000)


def at(*moment: int) -> int:
    return round(datetime(*moment, tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "dollars", "period"),
    [
        ("5/day", 5, Period.DAY),
        ("$20 / week", 20, Period.WEEK),
        ("0.25 per month", 0.25, Period.MONTH),
        (" 1000000/TOTAL ", 1_000_000, Period.TOTAL),
    ],
)
def test_a_budget_as_a_person_writes_it(text, dollars, period) -> None:
    assert read_budget(text) == Budget(round(dollars * NANODOLLARS), period)


@pytest.mark.parametrize(
    "text", ["", "5", "5/year", "-5/day", "0/day", "5/day/week", "1e3/day", "0.0000000001/day"]
)
def test_what_is_no_budget_is_quoted(text) -> None:
    with pytest.raises(InvalidRequest, match="is no budget") as caught:
        read_budget(text)
    assert f"`{text}`" in caught.value.message


@given(amount=st.integers(1, 9_999_999 * NANODOLLARS), period=st.sampled_from(Period))
def test_a_budget_that_was_written_is_read_alike(amount: int, period: Period) -> None:
    budget = Budget(amount, period)
    assert read_budget(str(budget)) == budget


def test_dollars_without_needless_zeros() -> None:
    amounts = [0, 1, 250_000_000, 10 * NANODOLLARS]
    assert [format_dollars(each) for each in amounts] == ["0", "0.000000001", "0.25", "10"]


@pytest.mark.parametrize(
    ("period", "begins", "ends"),
    [
        (Period.DAY, at(2028, 2, 29), at(2028, 3, 1)),
        (Period.WEEK, at(2028, 2, 28), at(2028, 3, 6)),
        (Period.MONTH, at(2028, 2, 1), at(2028, 3, 1)),
        (Period.TOTAL, 0, None),
    ],
)
def test_periods_of_the_calendar(period, begins, ends) -> None:
    moment = at(2028, 2, 29, 23, 59, 59) + 999
    assert (period.begins_at(moment), period.ends_at(moment)) == (begins, ends)


@given(now=MOMENTS, period=st.sampled_from(Period))
def test_a_moment_lies_in_its_period_and_the_end_begins_the_next(now: int, period: Period) -> None:
    begins, ends = period.begins_at(now), period.ends_at(now)
    assert begins <= now
    assert period.begins_at(begins) == begins
    if ends is None:
        return
    assert now < ends
    assert period.begins_at(ends) == ends
    assert period.begins_at(ends - 1) == begins
    assert ends - begins <= timedelta(days=31) / timedelta(milliseconds=1)


@pytest.mark.parametrize("name", ["rpm", "tpm", "concurrency"])
@pytest.mark.parametrize("count", [0, -1, 10**10])
def test_a_count_that_makes_no_sense_is_named(name, count) -> None:
    with pytest.raises(InvalidRequest, match=name) as caught:
        read_allowance(**{name: count})
    assert caught.value.param == name


def test_one_budget_for_each_period() -> None:
    assert len(read_allowance(budgets=["5/day", "100/month"]).budgets) == 2
    with pytest.raises(InvalidRequest, match="one budget for each period"):
        read_allowance(budgets=["5/day", "6/day"])


def test_only_an_empty_allowance_is_unlimited() -> None:
    assert Allowance().is_unlimited
    assert not read_allowance(concurrency=1).is_unlimited


def test_only_tokens_and_money_need_an_estimate() -> None:
    assert not read_allowance(rpm=1, concurrency=1).needs_estimate
    assert read_allowance(tpm=1).needs_estimate
    assert read_allowance(budgets=["1/day"]).needs_estimate
