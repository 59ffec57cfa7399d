"""header_policy: what crosses the gateway and what does not."""

from __future__ import annotations

import pytest

from dragoman.header_policy import client_headers, upstream_headers

NEVER_UPSTREAM = [
    *("authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "host", "connection"),
    *("content-length", "transfer-encoding", "accept-encoding", "expect", "x-forwarded-for"),
    *("x-real-ip", "forwarded", "origin", "openai-organization", "x-dragoman-strict"),
    *("proxy-authorization", "sec-fetch-site"),
]
UPSTREAM = [
    *("anthropic-beta", "anthropic-version", "user-agent", "x-stainless-lang"),
    *("idempotency-key", "x-new"),
]
NEVER_BACK = [
    *("set-cookie", "server", "connection", "transfer-encoding", "content-length", "date", "via"),
    *("content-encoding", "access-control-allow-origin", "cf-ray", "x-request-id"),
    *("openai-organization", "x-dragoman-provider"),
]
BACK = [
    *("content-type", "retry-after", "retry-after-ms", "x-ratelimit-limit-requests"),
    *("request-id", "x-new"),
]


@pytest.mark.parametrize("name", NEVER_UPSTREAM)
def test_stays_behind_on_the_way_up(name: str) -> None:
    assert upstream_headers([(name.encode(), b"x")]) == []


@pytest.mark.parametrize("name", UPSTREAM)
def test_goes_up(name: str) -> None:
    assert upstream_headers([(name.encode(), b"x")]) == [(name.encode(), b"x")]


@pytest.mark.parametrize("name", NEVER_BACK)
def test_stays_behind_on_the_way_back(name: str) -> None:
    assert client_headers([(name.encode(), b"x")]) == []


@pytest.mark.parametrize("name", BACK)
def test_comes_back(name: str) -> None:
    assert client_headers([(name.encode(), b"x")]) == [(name.encode(), b"x")]
