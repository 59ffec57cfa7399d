"""Log lines: one for each request, and whatever else is worth telling.

On a terminal they are coloured text, elsewhere one JSON object a line. What is logged while a
request is served carries its `request_id`, which `http` binds to the request's context.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import msgspec
import structlog

from dragoman.usage import Entry

log = structlog.get_logger()


def set_up_logging(level: str) -> None:
    """Sends log lines of `level` and above to standard error: coloured on a terminal, else JSON.

    Those of libraries, which use Python's own logging, take the same form from warnings on.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    as_text = sys.stderr.isatty()
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    if as_text:
        render: Any = structlog.dev.ConsoleRenderer()
        factory: Any = structlog.PrintLoggerFactory(sys.stderr)
    else:
        processors.append(structlog.processors.format_exc_info)
        render = structlog.processors.JSONRenderer(serializer=_as_json)
        factory = structlog.BytesLoggerFactory(sys.stderr.buffer)
    structlog.configure(
        processors=[*processors, render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    _set_up_libraries(max(number, logging.WARNING), processors, as_text=as_text)


def _set_up_libraries(level: int, processors: list[Any], *, as_text: bool) -> None:
    """Gives what comes by way of `logging` the form of our own lines."""
    render = structlog.dev.ConsoleRenderer() if as_text else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)


def log_request(entry: Entry, trace_id: str | None = None) -> None:
    """One line for one request; it holds no content and no secret."""
    write = log.warning if entry.error else log.info
    usage = entry.usage
    fields: dict[str, Any] = {
        "request_id": entry.request_id,
        "operation": entry.operation.name,
        "model": entry.target.name if entry.target else None,
        "status": entry.status,
        "error": entry.error,
        "code": entry.code,
        "attempts": entry.attempts,
        "stream": entry.stream,
        "key": entry.key.name if entry.key else None,
        "seconds": round((entry.ended or entry.started) - entry.started, 4),
        "input_tokens": usage.all_input if usage else None,
        "output_tokens": usage.all_output if usage else None,
    }
    if trace_id is not None:
        fields["trace_id"] = trace_id
    write("request", **fields)


def _as_json(fields: Any, default: Any, **_: object) -> bytes:
    """`fields` as JSON by msgspec, which is quick, or by the standard library, which escapes what
    msgspec refuses: lone surrogates and huge numbers."""
    try:
        return msgspec.json.encode(fields, enc_hook=default)
    except (ValueError, OverflowError):
        return json.dumps(fields, default=default).encode()
