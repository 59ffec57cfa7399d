"""http.metrics: who may read them, what they say, and that page and dashboard keep to them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.processes import Home
from prometheus_client.parser import text_string_to_metric_families
from relaying import CHAT, post
from running_gateway import ADMIN_KEY, KEY, Running, provider, run_gateway
from scripted_upstream import Gate, ScriptedUpstream, head, json_answer, script, sse_answer

from dragoman import __version__
from dragoman.gateway import Gateway
from dragoman.http.metrics import collect
from dragoman.observe.exposition import CONTENT_TYPE, Family

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
DASHBOARD = json.loads((ROOT / "deploy/grafana/dragoman.json").read_text(encoding="utf-8"))
ANSWER = json_answer(
    {
        "choices": [],
        "usage": {
            "prompt_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 2},
            "completion_tokens": 4,
            "total_tokens": 9,
        },
    }
)
PRICE = '[[prices]]\nmodel = "up:m"\ninput = 1\noutput = 10\ncache_read = 0.5\n'


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/chat/completions", ANSWER)
        yield upstream


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path, provider(upstream.url) + PRICE) as running:
        yield running


async def scrape(running: Running) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, as Prometheus' own parser reads it."""
    async with running.client(ADMIN_KEY) as client:
        answer = await client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, CONTENT_TYPE)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def reach(state: Callable[[], bool]) -> None:
    """Returns as soon as `state` holds; fails where it never does."""
    for _ in range(500):
        if state():
            return
        await asyncio.sleep(0.02)
    pytest.fail("that state was not reached")


def at(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


ASK = b'{"model":"up:m","messages":[]}'
WHERE = {"provider": "up", "model": "m"}
WHAT = {"operation": "chat", **WHERE}


async def test_a_request_is_counted_in_all_that_it_is(running: Running) -> None:
    assert (await post(running, CHAT, ASK)).status_code == 200
    found = await scrape(running)
    key = {"key": "default"}
    assert found[at("dragoman_requests_total", **WHAT, **key, status="2xx")] == 1
    assert found[at("dragoman_upstream_attempts_total", **WHERE, result="ok")] == 1
    assert found[at("dragoman_tokens_total", **WHERE, **key, kind="input")] == 3
    assert found[at("dragoman_tokens_total", **WHERE, **key, kind="cache_read")] == 2
    assert found[at("dragoman_tokens_total", **WHERE, **key, kind="output")] == 4
    cost = found[at("dragoman_cost_usd_total", **WHERE, **key)]
    assert cost == pytest.approx((3 * 1 + 2 * 0.5 + 4 * 10) / 1e6)
    assert found[at("dragoman_unpriced_requests_total", **WHERE, **key)] == 0
    assert found[at("dragoman_request_duration_seconds_count", **WHAT)] == 1


async def test_an_error_has_its_code(running: Running) -> None:
    await post(running, CHAT, b'{"model":"nobody:m","messages":[]}')
    found = await scrape(running)
    nowhere = {"operation": "chat", "provider": "", "model": "", "key": "default"}
    assert found[at("dragoman_requests_total", **nowhere, status="4xx")] == 1
    assert found[at("dragoman_request_errors_total", **nowhere, code="provider_not_found")] == 1


async def test_a_stream_has_a_first_token_and_may_break(
    running: Running, upstream: ScriptedUpstream
) -> None:
    event = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": None}]}
    whole, broken = sse_answer(event, done=True), sse_answer(event)
    upstream.on("/v1/chat/completions", whole, broken)
    for _ in range(2):
        await post(running, CHAT, b'{"model":"up:m","messages":[],"stream":true}')
    found = await scrape(running)
    key = {"key": "default"}
    assert found[at("dragoman_time_to_first_token_seconds_count", **WHAT)] == 1
    assert found[at("dragoman_requests_total", **WHAT, **key, status="broken")] == 1
    assert found[at("dragoman_upstream_attempts_total", **WHERE, result="broken")] == 1
    assert found[at("dragoman_request_errors_total", **WHAT, **key, code="upstream_error")] == 1


async def test_a_client_that_leaves_is_no_failure(
    running: Running, upstream: ScriptedUpstream
) -> None:
    gate = Gate()
    upstream.on("/v1/chat/completions", script(gate, head(200)))
    asking = asyncio.create_task(post(running, CHAT, ASK))
    await gate.reached()
    found = await scrape(running)
    assert found[at("dragoman_requests_in_flight")] == 1
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await (await upstream.request()).closed()
    gate.open()
    await reach(lambda: running.gateway.totals.requests == 1)
    found = await scrape(running)
    key = {"key": "default"}
    assert found[at("dragoman_requests_in_flight")] == 0
    assert found[at("dragoman_requests_total", **WHAT, **key, status="left")] == 1
    assert found[at("dragoman_request_errors_total", **WHAT, **key, code="client_left")] == 1


async def test_breakers_and_keys_are_looked_up(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    upstream.on("/v1/chat/completions", json_answer({"error": {"message": "no"}}, 401))
    toml = provider("http://127.0.0.1:9", "dead", retries=0) + provider(upstream.url)
    async with run_gateway(tmp_path, "[server]\nbreaker_failures = 1\n" + toml) as running:
        for model in (b"dead:m", b"up:m"):
            await post(running, CHAT, b'{"model":"' + model + b'","messages":[]}')
        found = await scrape(running)
    for name, state in (("dead", "open"), ("up", "closed")):
        assert found[at("dragoman_breaker_state", provider=name, state=state)] == 1
    assert found[at("dragoman_breaker_state", provider="up", state="open")] == 0
    assert found[at("dragoman_provider_keys", provider="up", state="refused")] == 1
    assert found[at("dragoman_provider_keys", provider="up", state="ready")] == 0
    where = {"provider": "dead", "model": "m"}
    assert found[at("dragoman_upstream_attempts_total", **where, result="unreachable")] == 1


async def test_the_gateway_itself(running: Running) -> None:
    running.gateway.ledger.failure = "The disk is full."
    running.gateway.config.refuse("nonsense")
    found = await scrape(running)
    assert found[at("dragoman_info", version=__version__)] == 1
    assert found[at("dragoman_records_failing")] == found[at("dragoman_config_refused")] == 1
    assert found[at("dragoman_records_lost_total")] == 0
    assert found[at("process_resident_memory_bytes")] > 1_000_000
    assert found[at("process_start_time_seconds")] == pytest.approx(running.gateway.started_at)
    running.gateway.ledger.failure = None


async def test_the_loop_is_watched(running: Running) -> None:
    await reach(lambda: running.gateway.metrics.lag.cumulative()[-1] > 0)
    assert (await scrape(running))[at("dragoman_event_loop_lag_seconds_count")] > 0


@pytest.mark.parametrize(
    ("setting", "key", "status"),
    [
        ("key", None, 401),
        ("key", "sk-wrong-0123456789abcdef", 401),
        ("key", KEY, 403),
        ("key", ADMIN_KEY, 200),
        ("open", None, 200),
        ("off", ADMIN_KEY, 404),
    ],
)
async def test_who_may_read_them(
    tmp_path: Path, setting: str, key: str | None, status: int
) -> None:
    async with (
        run_gateway(tmp_path, f'[server]\nmetrics = "{setting}"\n') as running,
        running.client(key) as client,
    ):
        answer = await client.get("/metrics")
        assert answer.status_code == status
        assert (await client.head("/metrics")).status_code == status
    assert ("dragoman_info" in answer.text) == (status == 200)


async def test_open_metrics_are_not_open_to_rebound_names(tmp_path: Path) -> None:
    async with (
        run_gateway(tmp_path, '[server]\nmetrics = "open"\n') as running,
        running.client(None) as client,
    ):
        answer = await client.get("/metrics", headers={"host": "evil.example.com"})
    assert answer.status_code == 403


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_scrape_tells_of_every_worker(tmp_path: Path) -> None:
    """Each new connection may come to another worker; both tell the same requests."""
    (tmp_path / "dragoman.toml").write_text('[server]\nmetrics = "open"\nworkers = 2\n')
    with Home(tmp_path).serve("--log-level", "error") as served:
        for _ in range(500):
            with urllib.request.urlopen(served.url + "/metrics", timeout=30) as answer:
                workers = set(re.findall(r'dragoman_info{.*worker="(\d)"}', answer.read().decode()))
            if workers == {"0", "1"}:
                break
        assert workers == {"0", "1"}
        asked = urllib.request.Request(
            served.url + CHAT, ASK, {"authorization": f"Bearer {served.key}"}
        )
        for _ in range(20):
            with pytest.raises(urllib.error.HTTPError) as refused:  # there is no provider `up`
                urllib.request.urlopen(asked, timeout=30)
            refused.value.close()
        with urllib.request.urlopen(served.url + "/metrics", timeout=30) as answer:
            text = answer.read().decode()
    counted = re.findall(r'dragoman_requests_total{.*worker="\d"} (\d+)', text)
    assert sum(map(int, counted)) == 20


@pytest.fixture
async def families(running: Running) -> dict[str, Family]:
    gateway: Gateway = running.gateway
    return {family.name: family for family in collect(gateway)}


def documented() -> Iterator[tuple[str, str, set[str]]]:
    """Name, type and labels of each metric that the page describes."""
    for row in re.findall(r"^\| `\w+` \| (?:counter|gauge|histogram) \|.*", PAGE, re.MULTILINE):
        name, kind, labels = (cell.strip() for cell in row.split("|")[1:4])
        yield name.strip("`"), kind, set(re.findall(r"`(\w+)`", labels))


async def test_every_metric_stands_in_the_page(families: dict[str, Family]) -> None:
    served = [(each.name, each.kind, set(each.labels)) for each in families.values()]
    assert sorted(served, key=str) == sorted(documented(), key=str)


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel.get("targets", [])]


def asked(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics of a PromQL expression, each with the labels that are matched."""
    for name, labels in re.findall(r"\b((?:dragoman|process)_\w+)(?:\{(.*?)\})?", expression):
        yield name, set(re.findall(r"(\w+)(?:=~|=|!=|!~)", labels))


def queries() -> list[str]:
    page = "\n".join(re.findall(r"^```promql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
    variables = [each["query"]["query"] for each in DASHBOARD["templating"]["list"][1:]]
    panels = [each for panel in DASHBOARD["panels"] for each in expressions(panel)]
    return [*page.splitlines(), *variables, *panels]


async def test_no_query_asks_for_what_there_is_not(families: dict[str, Family]) -> None:
    parts = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
    labels = {
        family.name + part: set(family.labels)
        for family in families.values()
        for part in parts[family.kind]
    }
    for query in queries():
        for name, matched in asked(query):
            assert name in labels, query
            assert matched <= labels[name] | {"job"}, query  # which Prometheus adds itself


async def test_the_dashboard_shows_every_metric_of_ours(families: dict[str, Family]) -> None:
    shown = {name for query in queries() for name, _ in asked(query)}
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert (
        families.keys() - shown - bare - {"process_open_fds", "process_start_time_seconds"} == set()
    )


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    assert DASHBOARD["uid"] == "dragoman"
    assert DASHBOARD["id"] is None
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["targets"], panel["title"]
            assert panel["description"], panel["title"]
