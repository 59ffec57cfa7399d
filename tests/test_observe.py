"""observe: log lines without secrets, and totals."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from dragoman import observe
from dragoman.ir import Usage
from dragoman.protocols import CHAT
from dragoman.usage import Entry


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(observe, "log", structlog.get_logger())  # the other one remembers
    yield
    structlog.reset_defaults()


def finished(status: int, **fields: object) -> Entry:
    entry = Entry("req_1", CHAT)
    entry.status = status
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.ended = entry.started + 0.25
    return entry


def test_a_request_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    observe.set_up_logging("info")
    observe.log_request(finished(200, usage=Usage(input=3, cache_read=4, output=5)))
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["level"], line["request_id"]) == ("request", "info", "req_1")
    assert (line["status"], line["operation"], line["seconds"]) == (200, "chat", 0.25)
    assert (line["input_tokens"], line["output_tokens"]) == (7, 5)


def test_a_failure_is_a_warning_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    observe.set_up_logging("warning")
    observe.log_request(finished(200))
    observe.log_request(finished(502, error="it is gone"))
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["error"]) == ("warning", "it is gone")


def test_totals_add_up() -> None:
    totals = observe.Totals()
    totals.add(finished(200, usage=Usage(input=1, output=2, reasoning=3)))
    totals.add(finished(429, error="slow down"))
    assert (totals.requests, totals.errors) == (2, 1)
    assert (totals.input_tokens, totals.output_tokens) == (1, 5)
    assert totals.by_status == {200: 1, 429: 1}
