from __future__ import annotations

import time

import pytest

from dragoman.errors import InvalidRequest
from dragoman.store.clock import now_ms, read_past

NOW = 1_790_942_400_000
"""2026-10-02 12:00 UTC."""


def test_it_is_unix_time_in_milliseconds():
    before = time.time()
    now = now_ms()
    after = time.time()
    assert int(before * 1000) <= now <= after * 1000


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("1m", 60_000),
        (" 12h ", 43_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("0d", 0),
        ("2026-10-02", 43_200_000),
        ("2026-10-02T11:00", 3_600_000),
        ("2026-10-02T11:00+02:00", 3 * 3_600_000),
        ("2026-10-02T11:59:59.5Z", 500),
        ("999999w", NOW),
        ("1960-01-01", NOW),
    ],
)
def test_a_time_is_so_long_ago_or_a_date(text, ago):
    assert read_past(text, NOW, "since") == NOW - ago


@pytest.mark.parametrize("text", ["", "soon", "7", "7y", "-7d", "1.5d", "2026-13-01", "٧d"])
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(InvalidRequest, match="is no time") as caught:
        read_past(text, NOW, "since")
    assert caught.value.param == "since"
