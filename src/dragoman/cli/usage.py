"""`dragoman usage`: what was used, and what it cost."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.store.usage import Sums, Usage


class By(StrEnum):
    """What usage can be told apart by; the same as `store.usage.Grouping`, which takes longer to
    import."""

    MODEL = "model"
    KEY = "key"
    PROVIDER = "provider"
    DAY = "day"


def show_usage(
    by: Annotated[By, typer.Option("--by", help="What to tell apart.")] = By.MODEL,
    since: Annotated[
        str,
        typer.Option(
            "--since", metavar="T", help="7d, 12h, or a time such as 2026-01-31; in full hours."
        ),
    ] = "7d",
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Sum up requests, tokens and cost."""
    asyncio.run(_show(workplace.load_settings(config, data_dir), by, since, json))


async def _show(settings: Settings, by: By, since: str, json: bool) -> None:
    from dragoman.store.clock import now_ms, read_past
    from dragoman.store.usage import Grouping, Scope

    now = now_ms()
    scope = Scope(read_past(since, now, "--since"), now + 1)
    async with workplace.work_on_store(settings) as store:
        groups = await store.usage.by_group(scope, Grouping(by.value))
    if json:
        output.print_json([_describe(each) for each in groups])
        return
    columns = [by.upper(), "REQUESTS", "ERRORS", "INPUT", "CACHED", "OUTPUT", "REASONING", "COST"]
    output.print_table(columns, [_row(each) for each in groups])


def _describe(usage: Usage) -> dict[str, Any]:
    sums = usage.sums
    cost = sums.whole_cost
    return {
        "group": usage.group,
        "requests": sums.requests,
        "errors": sums.errors,
        "input_tokens": sums.uncached_tokens,
        "cached_tokens": sums.cache_read_tokens,
        "output_tokens": sums.output_tokens,
        "reasoning_tokens": sums.reasoning_tokens,
        "cost_usd": None if cost is None else float(cost),
    }


def _row(usage: Usage) -> list[str]:
    sums = usage.sums
    counts = (
        sums.requests,
        sums.errors,
        sums.uncached_tokens,
        sums.cache_read_tokens,
        sums.output_tokens,
        sums.reasoning_tokens,
    )
    return [usage.group or "(none)", *(f"{count:,}" for count in counts), _cost(sums)]


def _cost(sums: Sums) -> str:
    """The cost, at least what is known of it; never nothing where it is not known."""
    known = f"${sums.known_cost:,.4f}"
    if sums.whole_cost is not None:
        return known
    return f"unknown, {known} and more" if sums.cost else "unknown"
