"""observe.metrics: what is counted for each kind of end, and that labels stay bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import (
    UpstreamDied,
    UpstreamError,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from dragoman.ir import Usage
from dragoman.observe import Metrics, Totals
from dragoman.observe.metrics import (
    LONGEST_LABEL,
    OTHER,
    TOKEN_KINDS,
    Histogram,
    Table,
    Tally,
    classify,
    failure_kind,
)
from dragoman.protocols import CHAT
from dragoman.providers.provider import Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec
from dragoman.routing import Target
from dragoman.usage import LEFT, Entry

UP = resolve(ProviderSpec(id="up", type="anthropic", api_keys=("k-1234567890",)), Source.FILE)


def finished(status: int = 200, model: str = "m", **fields: object) -> Entry:
    """A request that was answered by its first attempt."""
    entry = Entry("req_1", CHAT)
    entry.begin_attempt(Target(UP, model))
    entry.status, entry.cost = status, 0
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.ended = entry.started + 3.0
    return entry


def rows(table: Table[Tally]) -> dict[tuple[str, ...], int]:
    return {labels: tally.value for labels, tally in table}


def test_an_answer_is_a_request_an_attempt_and_a_duration() -> None:
    metrics = Metrics()
    metrics.add(finished())
    metrics.add(finished())
    assert rows(metrics.requests) == {("chat", "up", "m", "", "2xx"): 2}
    assert rows(metrics.attempts) == {("up", "m", "ok"): 2}
    assert rows(metrics.errors) == {}
    ((labels, durations),) = metrics.durations
    assert labels == ("chat", "up", "m")
    assert (durations.sum, durations.cumulative()[-1]) == (pytest.approx(6.0), 2)
    assert not list(metrics.first_tokens)


def test_the_first_token_counts_for_streams_alone() -> None:
    metrics = Metrics()
    entry = finished(stream=True)
    entry.first_byte = entry.started + 0.2
    metrics.add(entry)
    ((_, first),) = metrics.first_tokens
    assert first.sum == pytest.approx(0.2)


def test_tokens_and_money_add_up() -> None:
    metrics = Metrics()
    usage = Usage(input=1, cache_read=2, cache_write=3, cache_write_long=4, output=5, reasoning=6)
    metrics.add(finished(usage=usage, cost=7))
    metrics.add(finished(usage=usage, cost=None))
    ((labels, spent),) = metrics.spending
    assert labels == ("up", "m", "")
    assert spent.tokens == dict(zip(TOKEN_KINDS, (2, 4, 6, 8, 10, 12), strict=True))
    assert (spent.cost, spent.unpriced) == (7, 1)


def test_a_request_that_went_nowhere_has_a_code_and_no_attempt() -> None:
    metrics = Metrics()
    entry = Entry("req_1", CHAT)
    entry.status, entry.error, entry.code = 404, "no such model", "model_not_found"
    metrics.add(entry)
    assert rows(metrics.requests) == {("chat", "", "", "", "4xx"): 1}
    assert rows(metrics.errors) == {("chat", "", "", "", "model_not_found"): 1}
    assert not rows(metrics.attempts)
    assert not list(metrics.spending)


def test_failed_attempts_count_where_they_were_made() -> None:
    metrics = Metrics()
    entry = Entry("req_1", CHAT)
    for model, error in (("a", UpstreamTimeout("slow")), ("b", UpstreamUnreachable("gone"))):
        entry.begin_attempt(Target(UP, model))
        entry.fail_attempt(error)
    entry.begin_attempt(Target(UP, "c"))
    entry.status = 200
    metrics.add(entry)
    assert rows(metrics.attempts) == {
        ("up", "a", "timeout"): 1,
        ("up", "b", "unreachable"): 1,
        ("up", "c", "ok"): 1,
    }


@pytest.mark.parametrize(
    ("entry", "status", "result"),
    [
        (finished(), "2xx", "ok"),
        (finished(error="it died", code="upstream_error"), "broken", "broken"),
        (finished(error="The client left.", code=LEFT), "left", "left"),
        (finished(499, error="The client left.", code=LEFT), "left", "left"),
        (finished(503, error="stopping", code="overloaded"), "5xx", "broken"),
        (finished(429, error="slow down", code="rate_limit_exceeded"), "4xx", "broken"),
        (finished(0), "5xx", "broken"),
    ],
)
def test_what_became_of_a_request(entry: Entry, status: str, result: str) -> None:
    metrics = Metrics()
    metrics.add(entry)
    assert classify(entry) == status
    assert list(rows(metrics.attempts)) == [("up", "m", result)]
    assert bool(list(metrics.durations)) == (status == "2xx")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UpstreamRefused("no", status=429), "429"),
        (UpstreamTimeout("slow"), "timeout"),
        (UpstreamUnreachable("gone"), "unreachable"),
        (UpstreamDied("died"), "broken"),
        (UpstreamError("odd"), "failed"),
    ],
)
def test_kinds_of_failure(error: UpstreamError, kind: str) -> None:
    assert failure_kind(error) == kind


def test_a_full_table_counts_strangers_together_and_forgets_nobody() -> None:
    table = Table(("provider", "model", "key"), Tally, most=2)
    for model in ("a", "b", "c", "d", "a"):
        table.at("up", model, "me").value += 1
    assert rows(table) == {
        ("up", "a", "me"): 2,
        ("up", "b", "me"): 1,
        ("up", OTHER, OTHER): 2,
    }


@given(st.lists(st.text(max_size=300), max_size=30))
def test_whatever_models_are_called(models: list[str]) -> None:
    table = Table(("model",), Tally, most=5)
    for model in models:
        table.at(model).value += 1
    assert sum(rows(table).values()) == len(models)
    assert len(rows(table)) <= 6
    assert all(len(model) <= LONGEST_LABEL for (model,) in rows(table))


def test_a_label_can_always_be_written() -> None:
    table = Table(("model",), Tally, most=5)
    table.at("lone \ud800").value += 1
    table.at("lone \ud800").value += 1
    assert rows(table) == {("lone ?",): 2}


@given(st.lists(st.floats(min_value=0, max_value=100)))
def test_a_histogram_holds_every_value_once(values: list[float]) -> None:
    histogram = Histogram((0.5, 1, 10))
    for value in values:
        histogram.observe(value)
    expected = [sum(value <= bound for value in values) for bound in (0.5, 1, 10)]
    assert histogram.cumulative() == [*expected, len(values)]
    assert histogram.sum == pytest.approx(sum(values))


def test_totals_add_up() -> None:
    totals = Totals()
    totals.add(finished(usage=Usage(input=1, output=2, reasoning=3)))
    totals.add(finished(429, error="slow down"))
    assert (totals.requests, totals.errors) == (2, 1)
    assert (totals.input_tokens, totals.output_tokens) == (1, 5)
    assert totals.by_status == {200: 1, 429: 1}
