from __future__ import annotations

import pytest

from dragoman.allowance import read_allowance
from dragoman.errors import BudgetExceeded, RateLimitExceeded
from dragoman.limits import Demand, Hold, Limits
from dragoman.limits.memory import MemoryMeter


@pytest.fixture
def limits(record, clock) -> Limits:
    return Limits(MemoryMeter(record, clock=clock))


def hold(tokens: int = 0, cost: int = 0, **limits: object) -> Hold:
    return Hold("k", read_allowance(**limits), Demand(tokens, cost))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("terms", "kind", "words", "retry_after"),
    [
        ({"rpm": 1}, RateLimitExceeded, "has used its 1 requests a minute", 60),
        ({"tpm": 10}, RateLimitExceeded, "has used its 10 tokens a minute", 6),
        ({"concurrency": 1}, RateLimitExceeded, "has 1 requests under way", 1),
        ({"budgets": ["0.00000001/day"]}, BudgetExceeded, r"\(0.00000001 US dollars a day\)", 1),
        ({"budgets": ["0.000000005/total"]}, BudgetExceeded, "dollars in total", 1),
    ],
)
async def test_a_refusal_says_which_limit_and_until_when(
    limits, terms, kind, words, retry_after
) -> None:
    await limits.reserve(hold(tokens=10, cost=10, **terms), "laptop")
    with pytest.raises(kind, match=words) as caught:
        await limits.reserve(hold(**terms), "laptop")
    assert "`laptop`" in caught.value.message
    assert caught.value.retry_after == retry_after


@pytest.mark.parametrize(
    ("budget", "words", "retry_after"),
    [
        ("0.00000001/day", "starts anew at 20", 12 * 3600),
        ("0.00000001/total", "Its owner can raise it", None),
    ],
)
async def test_a_spent_budget_says_when_it_starts_anew(limits, budget, words, retry_after) -> None:
    first = hold(budgets=[budget])
    await limits.reserve(first, "laptop")
    limits.settle(first, Demand(cost=10))
    with pytest.raises(BudgetExceeded, match=words) as caught:
        await limits.reserve(hold(budgets=[budget]), "laptop")
    assert caught.value.retry_after == retry_after


async def test_a_hold_is_settled_once(limits) -> None:
    first, second = hold(concurrency=1), hold(concurrency=1)
    await limits.reserve(first, "laptop")
    limits.settle(first, Demand())
    limits.settle(first, Demand())
    await limits.reserve(second, "laptop")
    with pytest.raises(RateLimitExceeded):
        await limits.reserve(hold(concurrency=1), "laptop")


async def test_a_refused_hold_cannot_be_settled(limits) -> None:
    await limits.reserve(hold(concurrency=1), "laptop")
    refused = hold(concurrency=1)
    with pytest.raises(RateLimitExceeded):
        await limits.reserve(refused, "laptop")
    limits.settle(refused, Demand())
    with pytest.raises(RateLimitExceeded):
        await limits.reserve(hold(concurrency=1), "laptop")
    await limits.aclose()
