"""What both meters must do alike."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dragoman.allowance import Budget, Period
from dragoman.limits import Refusal

MILLION = 1_000_000  # nanodollars: a thousandth of a dollar
DAY_S = 86_400
FIVE = Budget(5 * MILLION, Period.DAY)
FIVE_A_DAY = ["0.005/day"]


async def test_a_minute_holds_as_many_requests_as_allowed(bench) -> None:
    for _ in range(3):
        _, refusal = await bench.ask(rpm=3)
        assert refusal is None
    hold, refusal = await bench.ask(rpm=3)
    assert refusal == Refusal("requests", 20_000)
    (window,) = hold.windows
    assert (window.limited, window.limit, window.remaining) == ("requests", 3, 0)
    assert window.reset_s == pytest.approx(60)


async def test_the_bucket_fills_evenly_and_not_beyond_its_limit(bench) -> None:
    for _ in range(3):
        await bench.ask(rpm=3)
    bench.clock.advance(19.9)
    assert (await bench.ask(rpm=3))[1] == Refusal("requests", 100)
    bench.clock.advance(0.1)
    assert (await bench.ask(rpm=3))[1] is None
    bench.clock.advance(DAY_S)
    assert [(await bench.ask(rpm=3))[1] for _ in range(4)][2:] == [
        None,
        Refusal("requests", 20_000),
    ]


async def test_a_refused_request_costs_nothing(bench) -> None:
    await bench.ask(rpm=1)
    for _ in range(5):
        assert (await bench.ask(rpm=1))[1] == Refusal("requests", 60_000)
    bench.clock.advance(60)
    assert (await bench.ask(rpm=1))[1] is None


async def test_tokens_beyond_the_bucket_are_a_debt(bench) -> None:
    hold, refusal = await bench.ask(tpm=600, tokens=900)
    assert refusal is None
    assert hold.windows[0].remaining == 0
    assert (await bench.ask(tpm=600, tokens=1))[1] == Refusal("tokens", 30_100)


async def test_unused_tokens_come_back(bench) -> None:
    hold, _ = await bench.ask(tpm=600, tokens=600)
    await bench.settle(hold, tokens=100)
    hold, refusal = await bench.ask(tpm=600, tokens=1)
    assert refusal is None
    assert hold.windows[0].remaining == 499


async def test_more_tokens_than_estimated_are_paid_later(bench) -> None:
    hold, _ = await bench.ask(tpm=600, tokens=10)
    await bench.settle(hold, tokens=610)
    assert (await bench.ask(tpm=600, tokens=1))[1] == Refusal("tokens", 1_100)


async def test_requests_at_once(bench) -> None:
    first, _ = await bench.ask(concurrency=2)
    assert (await bench.ask(concurrency=2))[1] is None
    assert (await bench.ask(concurrency=2))[1] == Refusal("concurrency", 1000)
    await bench.settle(first)
    assert (await bench.ask(concurrency=2))[1] is None


async def test_a_budget_ends_with_its_last_nanodollar(bench) -> None:
    hold, _ = await bench.ask(budgets=FIVE_A_DAY, cost=5 * MILLION - 1)
    await bench.settle(hold, cost=5 * MILLION - 1)
    hold, refusal = await bench.ask(budgets=FIVE_A_DAY, cost=1)
    assert refusal is None
    await bench.settle(hold, cost=1)
    assert (await bench.ask(budgets=FIVE_A_DAY))[1] == Refusal(FIVE, 12 * 3600 * 1000)


async def test_what_is_held_counts_until_it_is_settled(bench) -> None:
    hold, _ = await bench.ask(budgets=FIVE_A_DAY, cost=9 * MILLION)
    assert (await bench.ask(budgets=FIVE_A_DAY, cost=1))[1] == Refusal(FIVE, 1000, held=True)
    await bench.settle(hold, cost=MILLION)
    assert (await bench.ask(budgets=FIVE_A_DAY, cost=1))[1] is None


async def test_a_released_hold_leaves_no_trace(bench) -> None:
    hold, _ = await bench.ask(
        tpm=600, budgets=FIVE_A_DAY, concurrency=1, tokens=600, cost=9 * MILLION
    )
    await bench.settle(hold)
    assert (await bench.ask(tpm=600, budgets=FIVE_A_DAY, concurrency=1))[1] is None


@pytest.mark.parametrize(
    ("period", "ends"),
    [("day", (2026, 11, 25)), ("week", (2026, 11, 30)), ("month", (2026, 12, 1)), ("total", None)],
)
async def test_a_spent_budget_starts_anew_with_its_period(bench, period, ends) -> None:
    budgets = [f"0.005/{period}"]
    hold, _ = await bench.ask(budgets=budgets)
    await bench.settle(hold, cost=5 * MILLION)
    _, refusal = await bench.ask(budgets=budgets)
    assert refusal is not None
    if ends is None:
        assert refusal.wait_ms is None
        bench.clock.advance(400 * DAY_S)
        assert (await bench.ask(budgets=budgets))[1] is not None
        return
    end = datetime(*ends, tzinfo=UTC).timestamp()
    assert refusal.wait_ms == end * 1000 - bench.clock.now
    bench.clock.advance(refusal.wait_ms / 1000 - 1)
    assert (await bench.ask(budgets=budgets))[1] is not None
    bench.clock.advance(1)
    assert (await bench.ask(budgets=budgets))[1] is None


async def test_the_smallest_of_several_budgets_decides(bench) -> None:
    budgets = ["0.005/day", "0.012/week"]
    for _ in range(2):
        hold, refusal = await bench.ask(budgets=budgets)
        assert refusal is None
        await bench.settle(hold, cost=6 * MILLION)
        assert (await bench.ask(budgets=budgets))[1].reason.amount in {5 * MILLION, 12 * MILLION}
        bench.clock.advance(DAY_S)
    assert (await bench.ask(budgets=budgets))[1].reason == Budget(12 * MILLION, Period.WEEK)


async def test_a_cost_counts_in_the_period_in_which_its_request_began(bench) -> None:
    hold, _ = await bench.ask(budgets=FIVE_A_DAY, cost=1)
    bench.clock.advance(DAY_S)
    other, _ = await bench.ask(budgets=FIVE_A_DAY)
    await bench.settle(hold, cost=5 * MILLION)
    await bench.settle(other)
    assert (await bench.ask(budgets=FIVE_A_DAY))[1] is None


async def test_a_budget_continues_from_what_the_database_says(bench) -> None:
    bench.record.spent["k"] = 5 * MILLION - 1
    hold, refusal = await bench.ask(budgets=FIVE_A_DAY)
    assert refusal is None
    await bench.settle(hold, cost=1)
    assert (await bench.ask(budgets=FIVE_A_DAY))[1] == Refusal(FIVE, 12 * 3600 * 1000)
    midnight = bench.clock.now - 12 * 3600 * 1000
    assert bench.record.asked == [("k", midnight)]


async def test_a_refusal_takes_nothing_from_the_other_limits(bench) -> None:
    limits = {"rpm": 2, "tpm": 600, "budgets": FIVE_A_DAY}
    hold, _ = await bench.ask(**limits, cost=9 * MILLION)
    for _ in range(3):
        assert (await bench.ask(**limits, tokens=600))[1].reason == FIVE
    await bench.settle(hold)
    assert (await bench.ask(**limits, tokens=600))[1] is None


async def test_keys_have_nothing_to_do_with_each_other(bench) -> None:
    await bench.ask(key="a", rpm=1, concurrency=1)
    assert (await bench.ask(key="b", rpm=1, concurrency=1))[1] is None


async def test_limits_may_change_between_requests(bench) -> None:
    await bench.ask(rpm=100)
    hold, _ = await bench.ask(rpm=10)
    assert hold.windows[0].remaining == 9
    hold, _ = await bench.ask(tpm=10)
    assert [window.limited for window in hold.windows] == ["tokens"]
