"""management: what changes while the gateway runs, and what a provider says when it is tried."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running_gateway import Running, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.errors import Conflict, InvalidRequest, ProviderNotFound
from dragoman.management import Management, read_expiry
from dragoman.providers.spec import ProviderSpec

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("*", json_answer({"error": {"message": "no such path"}}, 404))
        yield scripted


@pytest.fixture
async def running(tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path) as gateway:
        yield gateway


@pytest.fixture
def management(running: Running) -> Management:
    return Management(running.gateway)


def _spec(url: str, **fields: Any) -> ProviderSpec:
    return ProviderSpec(id="p", type="openai-compatible", base_url=url, **fields)


@given(st.integers(1, 5000), st.sampled_from(["m", "h", "d", "w"]))
def test_a_span_ends_so_long_from_now(count: int, unit: str) -> None:
    minutes = {"m": 1, "h": 60, "d": 1440, "w": 10080}[unit]
    ends = NOW + timedelta(minutes=count * minutes)
    assert read_expiry(f"{count}{unit}", NOW) == ends.timestamp() * 1000


@given(st.datetimes(min_value=datetime(2026, 11, 25), timezones=st.just(UTC)))
def test_a_time_is_itself_with_and_without_its_offset(at: datetime) -> None:
    milliseconds = round(at.timestamp() * 1000)
    assert read_expiry(at.isoformat(), NOW) == milliseconds
    assert read_expiry(at.replace(tzinfo=None).isoformat(), NOW) == milliseconds


@given(st.text(max_size=20))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        assert read_expiry(text, NOW) > NOW.timestamp() * 1000
    except InvalidRequest as error:
        assert error.param == "expires"


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "0d", "1y", "2026-11-24T11:59Z", "999999w"])
def test_no_time_at_which_a_key_could_end(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_expiry(text, NOW)


async def test_a_spec_that_cannot_work_is_the_caller_s_fault(management: Management) -> None:
    with pytest.raises(InvalidRequest, match="type"):
        await management.add_provider(ProviderSpec(id="p"))
    with pytest.raises(ProviderNotFound):
        management.provider("p")


async def test_a_taken_id(management: Management, upstream: ScriptedUpstream) -> None:
    await management.add_provider(_spec(upstream.url))
    with pytest.raises(Conflict):
        await management.add_provider(_spec(upstream.url))


async def test_a_provider_without_a_list_is_asked_for_an_answer(
    management: Management, upstream: ScriptedUpstream
) -> None:
    upstream.on("/v1/messages", json_answer({"content": []}))
    spec = ProviderSpec(id="p", type="anthropic", base_url=upstream.url, models=["claude"])
    provider = replace(management.resolve(spec), list_url="")
    result = await management.test(provider)
    assert (result.ok, result.answered, result.models) == (True, "claude", None)
    (asked,) = upstream.requests
    assert (asked.json()["model"], asked.header("anthropic-version")) == ("claude", "2023-06-01")


async def test_a_provider_without_a_list_and_models_cannot_be_tried(
    management: Management, upstream: ScriptedUpstream
) -> None:
    provider = replace(management.resolve(_spec(upstream.url)), list_url="")
    result = await management.test(provider)
    assert not result.ok
    assert "name at least one" in result.message


async def test_what_an_unknown_server_speaks_is_found_and_remembered(
    management: Management, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("/v1/models", json_answer({"data": [{"id": "m"}]}))
    upstream.on("/v1/responses", json_answer({"error": {"message": "empty"}}, 400))
    await management.add_provider(_spec(upstream.url))
    assert "responses" in (await management.test_provider("p")).protocols
    assert "responses" in running.gateway.router.providers["p"].protocols
    await management.remove_provider("p")
    await management.add_provider(_spec(upstream.url))
    assert "responses" not in running.gateway.router.providers["p"].protocols


async def test_nothing_is_remembered_of_a_provider_that_is_only_tried(
    management: Management, upstream: ScriptedUpstream
) -> None:
    upstream.on("/v1/models", json_answer({"data": [{"id": "m"}]}))
    upstream.on("/v1/responses", json_answer({"error": {"message": "empty"}}, 400))
    spec = _spec(upstream.url)
    assert "responses" in (await management.test(management.resolve(spec))).protocols
    assert "responses" not in (await management.add_provider(spec)).protocols


async def test_a_refusal_is_a_result(management: Management, upstream: ScriptedUpstream) -> None:
    result = await management.test(management.resolve(_spec(upstream.url)))
    assert (result.ok, result.message) == (False, "no such path")


async def test_nobody_there(management: Management) -> None:
    result = await management.test(management.resolve(_spec("http://127.0.0.1:1")))
    assert not result.ok
    assert result.message
