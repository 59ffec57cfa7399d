"""The request log: every request that was made, searched, and each in full."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

from dragoman.errors import InvalidRequest
from dragoman.http.admin.route import Answer, GatewayPart, as_time, new_router
from dragoman.http.admin.usage import find_key_id, read_model
from dragoman.store.clock import now_ms, read_past
from dragoman.store.requests import Record, Search
from dragoman.store.usage import PER_DOLLAR

router = new_router("/requests")

_STATUS = re.compile(r"([1-5])(xx|[0-9][0-9])")


class FailureAnswer(Answer):
    """An attempt that did not answer the request."""

    target: str = Field(description="`provider:model`")
    status: int | None = Field(description="the provider's HTTP status; null where there was none")
    error: str
    ms: int = Field(description="how long it took")


class RequestAnswer(Answer):
    """One request. Null counts are those that nobody told."""

    id: str = Field(description="the `x-request-id` of its answer")
    at: datetime
    key_id: str | None = Field(description="null where no valid key was sent")
    key: str | None = Field(description="the key's name")
    client: str = Field(description="its `user-agent`")
    operation: str
    protocol: str = Field(description="what the client speaks")
    upstream_protocol: str | None = Field(description="what the provider was asked in")
    provider: str | None
    model: str | None = Field(description="the model's id at the provider")
    asked: str | None = Field(description="the requested name, where it is not `provider:model`")
    stream: bool
    status: int = Field(description="499 where the client left before there was one")
    error: str | None
    attempts: int = Field(description="all of them, the last one too")
    failures: list[FailureAnswer] = Field(description="the attempts that failed")
    dropped: list[str] = Field(description="paths of what could not be carried over")
    input_tokens: int | None = Field(description="fresh input")
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    cache_write_long_tokens: int | None
    output_tokens: int | None = Field(description="output without reasoning")
    reasoning_tokens: int | None
    searches: int | None
    first_byte_ms: int | None = Field(description="until the provider's answer began")
    duration_ms: int
    cost_usd: float | None = Field(description="null where it is unknown")
    price: str | None = Field(description="where the price comes from")


class BodiesAnswer(Answer):
    """What was said, redacted and cut short. What went to the provider and came from there is
    told apart where the request was translated."""

    client_request: str | None
    upstream_request: str | None
    upstream_response: str | None
    client_response: str | None


class WholeRequestAnswer(RequestAnswer):
    """One request with what was said in it."""

    bodies: BodiesAnswer | None = Field(description="null where `log_bodies` was off, or later")


class RequestsAnswer(Answer):
    """A page of requests, the newest first."""

    requests: list[RequestAnswer]
    next: str | None = Field(description="what `after` is for the next page; null on the last")


@router.get("", summary="Search the request log")
async def list_requests(
    gateway: GatewayPart,
    since: Annotated[
        str | None, Query(description="so long ago (`7d`; `m`, `h`, `w`), or an ISO 8601 time")
    ] = None,
    until: Annotated[str | None, Query(description="the same")] = None,
    key: Annotated[str | None, Query(description="a key's id or name")] = None,
    provider: Annotated[str | None, Query(description="a provider's id")] = None,
    model: Annotated[str | None, Query(description="`provider:model`")] = None,
    status: Annotated[str | None, Query(description="`404`, or a class: `5xx`")] = None,
    failed: Annotated[bool | None, Query(description="only with an error, or without")] = None,
    text: Annotated[str | None, Query(description="stands in the error; case is ignored")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="how many")] = 50,
    after: Annotated[str | None, Query(description="`next` of the page before")] = None,
) -> RequestsAnswer:
    """The newest first; every condition that is given must hold."""
    now = now_ms()
    named, model_id = read_model(model)
    wanted = Search(
        since=None if since is None else read_past(since, now, "since"),
        until=None if until is None else read_past(until, now, "until"),
        key_id=find_key_id(gateway, key),
        provider=named or provider,
        model=model_id,
        statuses=_read_status(status),
        failed=failed,
        text=text,
    )
    page = await gateway.store.requests.search(wanted, limit, after)
    return RequestsAnswer(
        requests=[RequestAnswer.model_validate(_values(each)) for each in page.records],
        next=page.next,
    )


@router.get("/{request_id}", summary="Show a request")
async def show_request(
    gateway: GatewayPart, request_id: Annotated[str, Path(description="its `x-request-id`")]
) -> WholeRequestAnswer:
    """With what was said in it, where that was kept; of several with one id, the newest."""
    record = await gateway.store.requests.get(request_id)
    return WholeRequestAnswer.model_validate({**_values(record), "bodies": record.bodies})


def _read_status(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = _STATUS.fullmatch(text.lower())
    if found is None:
        raise InvalidRequest("Write a status (`404`) or a class of them (`5xx`).", param="status")
    if found[2] == "xx":
        first = int(found[1]) * 100
        return first, first + 99
    return int(text), int(text)


def _values(record: Record) -> dict[str, object]:
    return {
        "id": record.request_id,
        "at": as_time(record.started_at),
        "key": record.key_name,
        "cost_usd": None if record.cost is None else record.cost / PER_DOLLAR,
        **{name: getattr(record, name) for name in _SAME},
    }


_SAME = set(RequestAnswer.model_fields) & set(Record.__struct_fields__) - {"id"}
