"""Records for tests: complete, unremarkable, and different only where a test says so."""

from __future__ import annotations

from typing import Any

from dragoman.store.requests import Record

NOON = 1_790_942_400_000
"""2026-10-02 12:00 UTC, in Unix milliseconds."""


def record(at: int = NOON, **fields: Any) -> Record:
    """A request of the default key to `up:m` that went well: 10 fresh and 5 cached tokens in, 7
    out, for 1234 billionths of a dollar."""
    values: dict[str, Any] = {
        "started_at": at,
        "request_id": "req_1",
        "client": "test/1.0",
        "operation": "chat",
        "protocol": "chat",
        "upstream_protocol": "chat",
        "provider": "up",
        "model": "m",
        "key_id": "default",
        "key_name": "default",
        "stream": False,
        "status": 200,
        "attempts": 1,
        "duration_ms": 120,
        "first_byte_ms": 40,
        "input_tokens": 10,
        "cache_read_tokens": 5,
        "cache_write_tokens": 0,
        "cache_write_long_tokens": 0,
        "output_tokens": 7,
        "reasoning_tokens": 0,
        "searches": 0,
        "cost": 1234,
        "price": "test",
        **fields,
    }
    return Record(**values)
