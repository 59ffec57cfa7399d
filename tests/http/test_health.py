"""http.health: what the gateway says of itself to anybody."""

from __future__ import annotations

import json
from datetime import datetime

from dragoman import __version__
from dragoman.http.health import report_health


def test_health() -> None:
    health = json.loads(bytes(report_health().body))
    assert health.keys() == {"status", "version", "timestamp"}
    assert (health["status"], health["version"]) == ("ok", __version__)
    assert datetime.fromisoformat(health["timestamp"]).utcoffset() is not None
