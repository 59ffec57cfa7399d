"""What was used and what it cost: sums, their course in time, and how long requests take."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Depends, Query
from pydantic import Field
from starlette.responses import Response

from dragoman.errors import InvalidRequest
from dragoman.gateway import Gateway
from dragoman.http.admin.route import Answer, GatewayPart, new_router
from dragoman.store.clock import now_ms, read_past
from dragoman.store.usage import (
    DAY_MS,
    HOUR_MS,
    Grouping,
    Measure,
    Scope,
    Sums,
    Usage,
    round_outwards,
)

router = new_router("/usage")

_MOST_STEPS = 3000


class Step(StrEnum):
    """The step of a series."""

    HOUR = "hour"
    DAY = "day"


class UsedAnswer(Answer):
    """What some requests used together. Token counts are disjoint: their sum is the total."""

    requests: int
    errors: int = Field(description="requests that ended in an error")
    input_tokens: int = Field(description="input that came from no cache")
    cached_tokens: int = Field(description="input out of the provider's cache")
    output_tokens: int = Field(description="output without reasoning")
    reasoning_tokens: int
    cache_write_tokens: int = Field(description="those of `input_tokens` that went into a cache")
    searches: int = Field(description="web searches that the provider made")
    duration_ms: int = Field(description="of all requests together")
    cost_usd: float | None = Field(description="null where the price of a part is unknown")
    known_cost_usd: float = Field(description="the cost of those requests whose price is known")
    unpriced_requests: int = Field(description="requests of models without a price")
    unmetered_requests: int = Field(description="answers that did not tell what they used")


class GroupAnswer(UsedAnswer):
    """The usage of one model, key, provider or day."""

    group: str = Field(description="its name; empty where requests did not get so far")


class UsageAnswer(Answer):
    """Usage by group."""

    by: Grouping
    since: datetime = Field(description="rounded down to the full hour")
    until: datetime = Field(description="rounded up to the full hour")
    total: UsedAnswer
    groups: list[GroupAnswer] = Field(description="the dearest first; days in their order")


class PointAnswer(UsedAnswer):
    """The usage of one group in one step."""

    at: datetime


class SeriesAnswer(Answer):
    """The course of one group: only steps in which there was something."""

    group: str
    points: list[PointAnswer]


class CourseAnswer(Answer):
    """Usage in the course of time."""

    step: Step
    since: datetime
    until: datetime
    times: list[datetime] = Field(description="the beginning of every step, the empty ones too")
    series: list[SeriesAnswer] = Field(description="one for each group, the dearest first")


class LatencyAnswer(Answer):
    """How long successful requests of one group took."""

    group: str
    measure: Measure
    requests: int
    p50_ms: int
    p90_ms: int
    p95_ms: int
    p99_ms: int


class LatenciesAnswer(Answer):
    """Percentiles, at most an eighth too high."""

    since: datetime
    until: datetime
    latencies: list[LatencyAnswer]


def _scope(
    gateway: GatewayPart,
    since: Annotated[
        str, Query(description="so long ago (`7d`; `m`, `h`, `w`), or an ISO 8601 time")
    ] = "7d",
    until: Annotated[str | None, Query(description="the same; left out: now")] = None,
    key: Annotated[str | None, Query(description="a key's id or name: only its requests")] = None,
    provider: Annotated[str | None, Query(description="a provider's id: only its requests")] = None,
    model: Annotated[str | None, Query(description="`provider:model`: only its requests")] = None,
) -> Scope:
    now = now_ms()
    begin = read_past(since, now, "since")
    end = now + 1 if until is None else read_past(until, now, "until")
    if begin >= end:
        raise InvalidRequest("`since` must be before `until`.", param="since")
    named, model_id = read_model(model)
    if named and provider and named != provider:
        raise InvalidRequest(f"`{model}` is no model of `{provider}`.", param="model")
    since_ms, until_ms = round_outwards(begin, end)
    return Scope(since_ms, until_ms, find_key_id(gateway, key), named or provider, model_id)


Asked = Annotated[Scope, Depends(_scope)]
By = Annotated[Grouping, Query(description="what to tell apart")]


@router.get("", summary="Sum up usage")
async def show_usage(gateway: GatewayPart, scope: Asked, by: By = Grouping.MODEL) -> UsageAnswer:
    """Requests, tokens and cost of a span of time, by model, key, provider or day (UTC)."""
    groups = await gateway.store.usage.by_group(scope, by)
    return UsageAnswer(
        by=by,
        since=_time(scope.since),
        until=_time(scope.until),
        total=_describe(await gateway.store.usage.total(scope)),
        groups=[_describe_group(each) for each in groups],
    )


@router.get(".csv", summary="Sum up usage, as CSV", response_class=Response)
async def export_usage(gateway: GatewayPart, scope: Asked, by: By = Grouping.MODEL) -> Response:
    """The groups of `/admin/usage` as a table with a heading, for a spreadsheet."""
    groups = await gateway.store.usage.by_group(scope, by)
    columns = ["group", *(name for name in GroupAnswer.model_fields if name != "group")]
    rows = [_describe_group(each).model_dump() for each in groups]
    return Response(
        _write_csv(columns, rows),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="usage-by-{by}.csv"'},
    )


@router.get("/series", summary="Show the course of usage")
async def show_course(
    gateway: GatewayPart,
    scope: Asked,
    step: Annotated[Step, Query(description="hours or days, in UTC")] = Step.DAY,
    by: Annotated[
        Grouping | None, Query(description="what to tell apart; left out: everything together")
    ] = None,
) -> CourseAnswer:
    """For a chart: what was used in each hour or day."""
    if by is Grouping.DAY:
        raise InvalidRequest(
            "A series is told by time anyway: group by something else.", param="by"
        )
    span = HOUR_MS if step is Step.HOUR else DAY_MS
    begin = scope.since - scope.since % span
    times = range(begin, scope.until, span)
    if len(times) > _MOST_STEPS:
        raise InvalidRequest(
            f"That would be {len(times)} steps; take longer ones, or a shorter time.", param="since"
        )
    found: dict[str, list[Usage]] = {}
    for each in await gateway.store.usage.series(scope, by, span):
        found.setdefault(each.group, []).append(each)
    dearest_first = sorted(found.items(), key=lambda item: -sum(each.sums.cost for each in item[1]))
    return CourseAnswer(
        step=step,
        since=_time(begin),
        until=_time(scope.until),
        times=[_time(each) for each in times],
        series=[
            SeriesAnswer(group=group, points=[_describe_point(each) for each in course])
            for group, course in dearest_first
        ],
    )


@router.get("/latency", summary="Tell how long requests take")
async def show_latency(
    gateway: GatewayPart,
    scope: Asked,
    by: Annotated[
        Grouping | None, Query(description="what to tell apart; left out: everything together")
    ] = None,
) -> LatenciesAnswer:
    """Percentiles of the whole duration and of the time until the first byte, by model, provider
    or day."""
    if by is Grouping.KEY or scope.key_id is not None:
        raise InvalidRequest("Latency is not kept by key.", param="by" if by else "key")
    return LatenciesAnswer(
        since=_time(scope.since),
        until=_time(scope.until),
        latencies=[
            LatencyAnswer(
                group=each.group,
                measure=each.measure,
                requests=each.requests,
                **{f"p{percent}_ms": value for percent, value in each.percentiles.items()},
            )
            for each in await gateway.store.usage.latencies(scope, by)
        ],
    )


def read_model(name: str | None) -> tuple[str | None, str | None]:
    """The provider and the model of `provider:model`. Raises InvalidRequest for another form."""
    if name is None:
        return None, None
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise InvalidRequest("Write `provider:model`.", param="model")
    return provider, model


def find_key_id(gateway: Gateway, reference: str | None) -> str | None:
    """The id of the key that is named by id or name. Raises NotFound or Conflict."""
    return None if reference is None else gateway.keys.find(reference).id


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _values(sums: Sums) -> dict[str, int | float | None]:
    whole = sums.whole_cost
    return {
        "requests": sums.requests,
        "errors": sums.errors,
        "input_tokens": sums.uncached_tokens,
        "cached_tokens": sums.cache_read_tokens,
        "output_tokens": sums.output_tokens,
        "reasoning_tokens": sums.reasoning_tokens,
        "cache_write_tokens": sums.cache_write_tokens + sums.cache_write_long_tokens,
        "searches": sums.searches,
        "duration_ms": sums.duration_ms,
        "cost_usd": None if whole is None else float(whole),
        "known_cost_usd": float(sums.known_cost),
        "unpriced_requests": sums.unpriced,
        "unmetered_requests": sums.unmetered,
    }


def _describe(sums: Sums) -> UsedAnswer:
    return UsedAnswer.model_validate(_values(sums))


def _describe_group(usage: Usage) -> GroupAnswer:
    return GroupAnswer.model_validate({"group": usage.group, **_values(usage.sums)})


def _describe_point(usage: Usage) -> PointAnswer:
    return PointAnswer.model_validate({"at": _time(usage.begins_at), **_values(usage.sums)})


def _write_csv(columns: list[str], rows: Iterable[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for row in rows:  # costs without exponents, which not every spreadsheet reads
        writer.writerow({k: f"{v:.9f}" if isinstance(v, float) else v for k, v in row.items()})
    return text.getvalue()
