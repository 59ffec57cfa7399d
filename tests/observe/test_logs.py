"""observe.logs: one line for each request, in JSON, whatever is in it, and none that hides."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from relaying import ASK, CHAT, post
from running_gateway import run_gateway
from starlette.responses import JSONResponse

from dragoman.errors import InvalidRequest
from dragoman.http import inference, lobby
from dragoman.ir import Usage
from dragoman.observe import log_request, logs, set_up_logging
from dragoman.protocols import CHAT as CHAT_OPERATION
from dragoman.usage import Entry


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "log", structlog.get_logger())  # the other one remembers
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()  # pytest's own stay open for others
    yield
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def finished(status: int, **fields: object) -> Entry:
    entry = Entry("req_1", CHAT_OPERATION)
    entry.status = status
    for name, value in fields.items():
        setattr(entry, name, value)
    entry.ended = entry.started + 0.25
    return entry


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().err.splitlines()
    return json.loads(line)


def test_a_request_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    log_request(finished(200, usage=Usage(input=3, cache_read=4, output=5)))
    line = only_line(capsys)
    assert (line["event"], line["level"], line["request_id"]) == ("request", "info", "req_1")
    assert (line["status"], line["operation"], line["seconds"]) == (200, "chat", 0.25)
    assert (line["input_tokens"], line["output_tokens"]) == (7, 5)
    assert "trace_id" not in line


def test_a_traced_request_names_its_trace(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    log_request(finished(200), "0af7651916cd43dd8448eb211c80319c")
    assert only_line(capsys)["trace_id"] == "0af7651916cd43dd8448eb211c80319c"


def test_a_failure_is_a_warning_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("warning")
    log_request(finished(200))
    log_request(finished(502, error="it is gone", code="upstream_error"))
    line = only_line(capsys)
    assert (line["level"], line["error"]) == ("warning", "it is gone")
    assert line["code"] == "upstream_error"


@pytest.mark.parametrize("odd", ["lone \ud800 surrogate", 2**80, {1, 2}, b"bytes", "two\nlines"])
def test_no_value_breaks_a_line(capsys: pytest.CaptureFixture[str], odd: object) -> None:
    set_up_logging("info")
    structlog.get_logger().info("odd", value=odd)
    line = only_line(capsys)
    assert line["event"] == "odd"
    if isinstance(odd, str | int):
        assert line["value"] == odd


def test_a_line_within_a_request_carries_its_id(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    with structlog.contextvars.bound_contextvars(request_id="req_7"):
        structlog.get_logger().info("inside")
    assert only_line(capsys)["request_id"] == "req_7"


def test_an_exception_is_in_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    try:
        raise ArithmeticError("no such number")
    except ArithmeticError:
        structlog.get_logger().exception("failed")
    assert "ArithmeticError: no such number" in only_line(capsys)["exception"]


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("info")
    logging.getLogger("uvicorn.error").warning("%s went wrong", "something")
    logging.getLogger("uvicorn.error").info("not worth a line")
    line = only_line(capsys)
    assert (line["event"], line["level"]) == ("something went wrong", "warning")
    assert line["logger"] == "uvicorn.error"
    assert "timestamp" in line


async def test_what_is_logged_for_a_request_carries_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def relay(*_: object) -> None:
        structlog.get_logger().info("inside")
        raise InvalidRequest("It is a test.")

    def health() -> JSONResponse:
        structlog.get_logger().info("beside")
        return JSONResponse({})

    monkeypatch.setattr(inference, "relay", relay)
    monkeypatch.setattr(lobby, "report_health", health)
    merge = structlog.contextvars.merge_contextvars
    with structlog.testing.capture_logs(processors=[merge]) as lines:
        async with run_gateway(tmp_path) as running, running.client() as client:
            for name in ("one", "two"):
                await post(running, CHAT, ASK, **{"x-request-id": name})
            await client.get("/health", headers={"x-request-id": "three"})
    named = [(line["event"], line["request_id"]) for line in lines if "request_id" in line]
    assert named == [
        ("inside", "one"),
        ("request", "one"),
        ("inside", "two"),
        ("request", "two"),
        ("beside", "three"),
    ]
