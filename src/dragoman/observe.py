"""What the owner can see of the gateway's work: log lines and running totals."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from dragoman.usage import Entry

log = structlog.get_logger()


@dataclass(slots=True)
class Totals:
    """Counts since the start of the process; `by_status` is keyed by HTTP status."""

    requests: int = 0
    errors: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    by_status: Counter[int] = field(default_factory=Counter[int])

    def add(self, entry: Entry) -> None:
        """Counts a finished request."""
        self.requests += 1
        self.errors += entry.error is not None
        self.by_status[entry.status] += 1
        if entry.usage is not None:
            self.input_tokens += entry.usage.all_input
            self.output_tokens += entry.usage.all_output


def set_up_logging(level: str) -> None:
    """Sends log lines of `level` and above to standard error: coloured on a terminal, else JSON."""
    number = logging.getLevelNamesMapping()[level.upper()]
    on_terminal = sys.stderr.isatty()
    render: Any = (
        structlog.dev.ConsoleRenderer() if on_terminal else structlog.processors.JSONRenderer()
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    if not on_terminal:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr)


def log_request(entry: Entry) -> None:
    """One line for one request; it holds no content and no secret."""
    write = log.warning if entry.error else log.info
    usage = entry.usage
    write(
        "request",
        request_id=entry.request_id,
        operation=entry.operation.name,
        model=entry.target.name if entry.target else None,
        status=entry.status,
        error=entry.error,
        attempts=entry.attempts,
        stream=entry.stream,
        key=entry.key.name if entry.key else None,
        seconds=round((entry.ended or entry.started) - entry.started, 4),
        input_tokens=usage.all_input if usage else None,
        output_tokens=usage.all_output if usage else None,
    )
