from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import reasoning

PAGE = Path(__file__).parents[1] / "docs" / "reasoning.md"


def test_the_published_table_is_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|$", PAGE.read_text(), re.MULTILINE)
    assert {effort: int(budget) for effort, budget in rows} == dict(reasoning.BUDGETS)


def test_budgets_rise() -> None:
    assert all(lower < higher for lower, higher in pairwise(reasoning.BUDGETS.values()))


@pytest.mark.parametrize("effort", reasoning.EFFORTS)
def test_an_effort_survives_the_way_through_a_budget(effort: str) -> None:
    budget = reasoning.budget_for(effort)
    assert budget is not None
    assert reasoning.effort_for(budget) == effort


@given(st.sampled_from(reasoning.EFFORTS), st.integers(0, 200_000))
def test_a_budget_leaves_room_for_the_answer(effort: str, cap: int) -> None:
    budget = reasoning.budget_for(effort, cap)
    if budget is None:
        assert cap * 3 // 4 < reasoning.SMALLEST_BUDGET
    else:
        assert reasoning.SMALLEST_BUDGET <= budget < cap


def test_an_unknown_effort_has_no_budget() -> None:
    assert reasoning.budget_for("heroic") is None
    assert reasoning.nearest("heroic", ("low",)) is None


@pytest.mark.parametrize(
    ("effort", "expected"),
    [("minimal", "low"), ("low", "low"), ("medium", "high"), ("max", "high")],
)
def test_the_next_stronger_effort_or_else_the_strongest(effort: str, expected: str) -> None:
    assert reasoning.nearest(effort, ("low", "high")) == expected


def test_more_than_the_table_has_is_the_strongest() -> None:
    assert reasoning.effort_for(10**6) == "max"
