"""`GET /health`: whether the gateway answers."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import JSONResponse

from dragoman import __version__


def report_health() -> JSONResponse:
    """Status, version and time (RFC 3339, UTC); needs no key."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return JSONResponse({"status": "ok", "version": __version__, "timestamp": now})
