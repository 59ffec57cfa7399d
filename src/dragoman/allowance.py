"""What a gateway key may use: requests and tokens a minute, requests at once, dollars a period.

Money is counted in whole nanodollars (billionths of a dollar): sums stay exact wherever they are
made, in Python, in a database or in a Redis script. Periods are those of the calendar in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dragoman.errors import InvalidRequest

NANODOLLARS = 1_000_000_000
"""How many of them make a dollar."""

_BUDGET = re.compile(r"\$?([0-9]{1,7}(?:\.[0-9]{1,9})?)\s*(?:/|per)\s*([a-z]+)")
_LARGEST_COUNT = 1_000_000_000
_DAY_MS = 86_400_000
_FIRST_WEEKDAY = 3  # the first day of Unix time was a Thursday; Monday is 0


class Period(StrEnum):
    """How long a budget lasts before it starts anew; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"

    def begins_at(self, now: int) -> int:
        """When the period that `now` lies in began; both in Unix milliseconds, 0 for the total."""
        day = now // _DAY_MS
        match self:
            case Period.DAY:
                return day * _DAY_MS
            case Period.WEEK:
                return (day - (day + _FIRST_WEEKDAY) % 7) * _DAY_MS
            case Period.MONTH:
                date = datetime.fromtimestamp(now // 1000, UTC)
                return (day - date.day + 1) * _DAY_MS
            case Period.TOTAL:
                return 0

    def ends_at(self, now: int) -> int | None:
        """When the period that `now` lies in will be over; None for the total."""
        longest = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31}.get(self)
        if longest is None:
            return None
        return self.begins_at(self.begins_at(now) + longest * _DAY_MS)


@dataclass(frozen=True, slots=True)
class Budget:
    """An amount of money, in nanodollars, for each period."""

    amount: int
    period: Period

    def __str__(self) -> str:
        """As a person writes it: `5/day`."""
        return f"{format_dollars(self.amount)}/{self.period}"


@dataclass(frozen=True, slots=True)
class Allowance:
    """The limits of one key; None and no budgets mean no limit."""

    rpm: int | None = None
    tpm: int | None = None
    concurrency: int | None = None
    budgets: tuple[Budget, ...] = ()

    @property
    def is_unlimited(self) -> bool:
        """Whether nothing is limited at all."""
        return self == _UNLIMITED

    def of_the_minute(self) -> tuple[tuple[str, int | None], ...]:
        """What is limited for each minute, and to how many."""
        return ("requests", self.rpm), ("tokens", self.tpm)

    def written(self) -> dict[str, Any]:
        """The limits by their names, as `read_allowance` takes them."""
        return {
            "rpm": self.rpm,
            "tpm": self.tpm,
            "concurrency": self.concurrency,
            "budgets": [str(budget) for budget in self.budgets],
        }

    @property
    def needs_estimate(self) -> bool:
        """Whether what a request may use matters before it is served."""
        return self.tpm is not None or bool(self.budgets)


_UNLIMITED = Allowance()


def read_allowance(
    *,
    rpm: int | None = None,
    tpm: int | None = None,
    concurrency: int | None = None,
    budgets: Iterable[str] = (),
) -> Allowance:
    """The allowance that these words and numbers describe; budgets as in `read_budget`.

    Raises InvalidRequest, which names the value at fault.
    """
    for name, count in (("rpm", rpm), ("tpm", tpm), ("concurrency", concurrency)):
        if count is not None and not 1 <= count <= _LARGEST_COUNT:
            raise InvalidRequest(
                f"`{name}` must be at least 1; leave it out for no limit.", param=name
            )
    read = tuple(read_budget(text) for text in budgets)
    periods = [budget.period for budget in read]
    if len(set(periods)) < len(periods):
        raise InvalidRequest("There can be one budget for each period.", param="budgets")
    return Allowance(rpm, tpm, concurrency, read)


def read_budget(text: str) -> Budget:
    """The budget that `text` says, such as `5/day`, `0.5/week` or `$100/total`.

    Raises InvalidRequest.
    """
    found = _BUDGET.fullmatch(text.strip().lower())
    if found is None or found[2] not in set(Period) or not Decimal(found[1]):
        raise InvalidRequest(
            f"`{text}` is no budget: write US dollars and a period, such as `5/day`, `20/week`,"
            " `100/month` or `500/total`.",
            param="budgets",
        )
    return Budget(int(Decimal(found[1]) * NANODOLLARS), Period(found[2]))


def format_dollars(nanodollars: int) -> str:
    """An amount in dollars without needless zeros: `5`, `0.25`."""
    text = f"{Decimal(nanodollars) / NANODOLLARS:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
