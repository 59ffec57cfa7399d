"""One table for how hard a model is to think: efforts, and thinking budgets in tokens.

OpenAI and Anthropic ask for an effort, older Anthropic and Gemini models for a budget. The
budgets of `low` to `high` follow Google's own table for its OpenAI-compatible endpoint (1024,
8192 and 24576 for minimal and low, medium, high), with a step between minimal and low; those
above are ours. The table is published in docs/reasoning.md.
"""

from __future__ import annotations

from types import MappingProxyType

OFF = "none"
"""OpenAI's word for no reasoning at all."""

BUDGETS = MappingProxyType(
    {
        "minimal": 1024,
        "low": 2048,
        "medium": 8192,
        "high": 24576,
        "xhigh": 32768,
        "max": 65536,
    }
)
"""Tokens for each effort, rising."""

EFFORTS = tuple(BUDGETS)

SMALLEST_BUDGET = 1024
"""Anthropic refuses less."""


def budget_for(effort: str, max_tokens: int | None = None) -> int | None:
    """The budget for `effort`, at most three quarters of `max_tokens`, so that the answer has
    room. None where that leaves too little to think with, or the effort is not in the table."""
    budget = BUDGETS.get(effort)
    if budget is None:
        return None
    if max_tokens is not None:
        budget = min(budget, max_tokens * 3 // 4)
    return budget if budget >= SMALLEST_BUDGET else None


def effort_for(budget: int) -> str:
    """The weakest effort whose budget is not below `budget`."""
    return next((effort for effort, tokens in BUDGETS.items() if tokens >= budget), "max")


def nearest(effort: str, offered: tuple[str, ...]) -> str | None:
    """The effort in `offered` (which rise) that is as strong as `effort`, or else the next
    stronger one, or else the strongest. None where `effort` is not in the table."""
    if effort not in BUDGETS:
        return None
    wanted = EFFORTS.index(effort)
    stronger = (word for word in offered if EFFORTS.index(word) >= wanted)
    return next(stronger, offered[-1])
