from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dragoman.http.windows import window_headers, without_windows
from dragoman.limits import Window
from dragoman.protocols import ErrorShape

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WINDOWS = [Window("requests", 60, 59, 1.0), Window("tokens", 9000, 0, 61.5)]


@pytest.mark.parametrize("shape", [ErrorShape.OPENAI, ErrorShape.GEMINI])
def test_openai_gives_spans(shape) -> None:
    assert dict(window_headers(shape, WINDOWS, NOW)) == {
        b"x-ratelimit-limit-requests": b"60",
        b"x-ratelimit-remaining-requests": b"59",
        b"x-ratelimit-reset-requests": b"1s",
        b"x-ratelimit-limit-tokens": b"9000",
        b"x-ratelimit-remaining-tokens": b"0",
        b"x-ratelimit-reset-tokens": b"1m2s",
    }


def test_anthropic_gives_times() -> None:
    assert dict(window_headers(ErrorShape.ANTHROPIC, WINDOWS, NOW)) == {
        b"anthropic-ratelimit-requests-limit": b"60",
        b"anthropic-ratelimit-requests-remaining": b"59",
        b"anthropic-ratelimit-requests-reset": b"2026-11-24T12:00:01Z",
        b"anthropic-ratelimit-tokens-limit": b"9000",
        b"anthropic-ratelimit-tokens-remaining": b"0",
        b"anthropic-ratelimit-tokens-reset": b"2026-11-24T12:01:02Z",
    }


@pytest.mark.parametrize(
    ("seconds", "span"), [(0.0, b"0ms"), (0.25, b"250ms"), (59.1, b"1m0s"), (3600.0, b"60m0s")]
)
def test_spans(seconds, span) -> None:
    headers = dict(window_headers(ErrorShape.OPENAI, [Window("tokens", 1, 0, seconds)], NOW))
    assert headers[b"x-ratelimit-reset-tokens"] == span


def test_only_the_providers_own_limits_are_left_out() -> None:
    kept = [(b"x-request-id", b"1"), (b"retry-after", b"2")]
    dropped = [(b"X-RateLimit-Limit-Requests", b"1"), (b"anthropic-ratelimit-unified-reset", b"2")]
    assert without_windows([*kept, *dropped]) == kept
