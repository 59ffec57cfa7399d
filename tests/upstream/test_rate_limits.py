"""upstream.rate_limits: how long a provider wants to be left alone, in every vendor's words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.upstream.rate_limits import read_wait

NOW = 1_795_507_200.0  # 2026-11-24T08:00:00Z


def wait(body: bytes = b"", status: int = 429, **headers: str) -> float | None:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return read_wait(told, body, status, NOW)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after": "Tue, 24 Nov 2026 08:00:30 GMT"}, 30),
        ({"retry_after": "Tue, 24 Nov 2026 07:00:00 GMT"}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"x_ratelimit_reset_requests": "1m2.5s", "x_ratelimit_remaining_requests": "0"}, 62.5),
        ({"x_ratelimit_reset_tokens": "120ms", "x_ratelimit_remaining_tokens": "0"}, 0.12),
        ({"x_ratelimit_reset_tokens": "6h", "x_ratelimit_remaining_tokens": "12"}, None),
        ({"x_ratelimit_reset": "1795507260"}, 60),
        ({"x_ratelimit_reset": "1795507260000", "x_ratelimit_remaining": "0"}, 60),
        ({"anthropic_ratelimit_tokens_reset": "2026-11-24T08:01:00Z"}, 60),
        (
            {
                "anthropic_ratelimit_requests_reset": "2026-11-24T08:05:00Z",
                "anthropic_ratelimit_requests_remaining": "3",
                "anthropic_ratelimit_tokens_reset": "2026-11-24T08:00:09Z",
                "anthropic_ratelimit_tokens_remaining": "0",
            },
            9,
        ),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert wait(**headers) == seconds


def test_the_delay_in_a_body_of_gemini() -> None:
    assert wait(b'{"error":{"details":[{"retryDelay": "34.5s"}]}}') == 34.5


def test_limits_are_no_reason_to_wait_after_another_failure() -> None:
    assert wait(status=500, x_ratelimit_reset="1795507260") is None
    assert wait(status=503, retry_after="3") == 3


NAMES = st.sampled_from(["retry_after", "retry_after_ms", "x_ratelimit_reset"])


@given(NAMES, st.text(st.characters(codec="latin-1"), max_size=40))
def test_whatever_a_provider_writes(name: str, value: str) -> None:
    told = [(name.replace("_", "-").encode(), value.encode("latin-1"))]
    seconds = read_wait(told, b"", 429, NOW)
    assert seconds is None or seconds >= 0
