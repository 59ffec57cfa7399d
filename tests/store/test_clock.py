from __future__ import annotations

from datetime import UTC, datetime

from dragoman.store.clock import now_ms


def test_is_utc_in_milliseconds():
    before = datetime.now(UTC).timestamp() * 1000
    now = now_ms()
    after = datetime.now(UTC).timestamp() * 1000
    assert isinstance(now, int)
    assert int(before) <= now <= after
