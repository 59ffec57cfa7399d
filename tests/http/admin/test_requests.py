"""/admin/requests: each request is told as it was, whatever became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import Gate, ScriptedUpstream, Stall, json_answer, sse_answer

CHAT = "/v1/chat/completions"
USAGE = {"prompt_tokens": 10, "completion_tokens": 5}
PLAIN = {
    "id": "x",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "key sk-abcdefghijklmnop123 ä"},
            "finish_reason": "stop",
        }
    ],
    "usage": USAGE,
}
CHUNK = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
DONE = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = "".join(
        (
            provider(upstream.url, "up", retries=0),
            provider("http://127.0.0.1:9", "dead", retries=0),
            '[aliases]\nsmart = ["dead:m", "up:m"]\n[server]\nlog_bodies = true\nlog_body_kb = 1\n',
        )
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def ask(
    running: Running, model: str = "up:m", path: str = CHAT, **body: Any
) -> httpx2.Response:
    async with running.client() as client:
        json = {"model": model, "messages": [{"role": "user", "content": "hi"}], **body}
        response = await client.post(path, json=json)
        await response.aread()
    await running.gateway.ledger.flush()
    return response


async def last(admin: httpx2.AsyncClient, **query: object) -> dict[str, Any]:
    answer = (await admin.get("/admin/requests", params={"limit": 1, **query})).json()
    return answer["requests"][0]


async def test_a_plain_request(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer(PLAIN))
    response = await ask(running)
    row = await last(admin)
    assert row["id"] == response.headers["x-request-id"]
    expected = {
        "key": "default",
        "operation": "chat",
        "protocol": "chat",
        "upstream_protocol": "chat",
        "provider": "up",
        "model": "m",
        "asked": None,
        "stream": False,
        "status": 200,
        "error": None,
        "attempts": 1,
        "failures": [],
        "input_tokens": 10,
        "output_tokens": 5,
        "cost_usd": None,
        "price": None,
    }
    assert row.items() >= expected.items()
    assert row["client"].startswith("python-httpx")
    assert row["duration_ms"] >= row["first_byte_ms"] >= 0


async def test_a_stream(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(CHUNK, DONE, {"choices": [], "usage": USAGE}, done=True))
    await ask(running, stream=True)
    row = await last(admin)
    assert (row["stream"], row["status"], row["error"]) == (True, 200, None)
    assert (row["input_tokens"], row["output_tokens"]) == (10, 5)


async def test_a_stream_that_broke(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer(CHUNK))
    await ask(running, stream=True)
    row = await last(admin, failed=True)
    assert (row["stream"], row["input_tokens"]) == (True, None)
    assert "before the answer was complete" in row["error"]


async def test_a_failed_attempt_stands_beside_the_one_that_answered(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer(PLAIN))
    await ask(running, "smart")
    row = await last(admin)
    assert (row["asked"], row["provider"], row["status"], row["attempts"]) == (
        "smart",
        "up",
        200,
        2,
    )
    (failure,) = row["failures"]
    assert (failure["target"], failure["status"]) == ("dead:m", None)
    assert "refuses" in failure["error"]


async def test_a_refusal_keeps_the_status_of_the_provider_and_costs_nothing(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"error": {"message": "no such thing"}}, 400))
    await ask(running)
    row = await last(admin, status="4xx", text="NO SUCH")
    assert (row["status"], row["cost_usd"]) == (400, 0)
    assert [each["status"] for each in row["failures"]] == [400]


async def test_what_got_nowhere_is_there_too(running: Running, admin: httpx2.AsyncClient) -> None:
    await ask(running, "nobody:m")
    assert (await last(admin)).items() >= {"asked": "nobody:m", "provider": None}.items()
    async with running.client("sk-wrong") as stranger:
        await stranger.post(CHAT, json={})
    await running.gateway.ledger.flush()
    row = await last(admin)
    assert (row["status"], row["key"], row["asked"]) == (401, None, None)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_leaves_a_record(
    running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    reached = Gate()
    steps = (CHUNK, reached, Stall()) if stream else (reached, Stall())
    upstream.on("*", sse_answer(*steps))
    asking = asyncio.create_task(ask(running, stream=stream))
    await reached.reached()
    reached.open()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await upstream.requests[0].closed()
    while not await _count(admin):
        await running.gateway.ledger.flush()
    row = await last(admin)
    assert row["error"] == "The client left."
    assert row["status"] in ({200, 499} if stream else {499})
    assert row["cost_usd"] is None  # the provider may bill what it had done by then


async def _count(admin: httpx2.AsyncClient) -> int:
    return len((await admin.get("/admin/requests")).json()["requests"])


class TestBodies:
    async def test_a_relayed_request_has_two_views(
        self, running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.on("*", json_answer(PLAIN))
        response = await ask(running)
        bodies = (await admin.get(f"/admin/requests/{response.headers['x-request-id']}")).json()[
            "bodies"
        ]
        assert '"model":"up:m"' in bodies["client_request"].replace(" ", "")
        assert "key [redacted] " in bodies["client_response"]
        assert (bodies["upstream_request"], bodies["upstream_response"]) == (None, None)

    async def test_a_translated_request_has_four(
        self, running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.on("*", sse_answer(CHUNK, DONE, {"choices": [], "usage": USAGE}, done=True))
        response = await ask(running, path="/v1/messages", max_tokens=9, stream=True)
        assert response.headers["x-dragoman-translation"] == "messages->chat"
        row = (await admin.get(f"/admin/requests/{response.headers['x-request-id']}")).json()
        assert (row["protocol"], row["upstream_protocol"]) == ("messages", "chat")
        bodies = row["bodies"]
        assert '"max_tokens"' in bodies["client_request"]
        assert '"stream_options"' in bodies["upstream_request"]
        assert "[DONE]" in bodies["upstream_response"]
        assert "event: message_stop" in bodies["client_response"]

    async def test_only_the_beginning_is_kept(
        self, running: Running, admin: httpx2.AsyncClient, upstream: ScriptedUpstream
    ) -> None:
        upstream.on("*", json_answer(PLAIN))
        response = await ask(running, user="u" * 5000)
        row = (await admin.get(f"/admin/requests/{response.headers['x-request-id']}")).json()
        assert 1024 < len(row["bodies"]["client_request"]) < 1100
        assert "bytes in all]" in row["bodies"]["client_request"]


async def test_nothing_that_was_said_is_kept_unless_that_is_wanted(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.on("*", json_answer(PLAIN))
    async with run_gateway(tmp_path, provider(upstream.url)) as running:
        response = await ask(running)
        async with running.client(running.admin_key) as admin:
            answer = await admin.get(f"/admin/requests/{response.headers['x-request-id']}")
    assert answer.json()["bodies"] is None


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"status": "9xx"}, "status"),
        ({"status": "ok"}, "status"),
        ({"since": "soon"}, "since"),
        ({"until": "soon"}, "until"),
        ({"model": "m"}, "model"),
        ({"limit": 0}, "limit"),
        ({"after": "x"}, "after"),
    ],
)
async def test_a_question_that_makes_no_sense_is_refused_by_name(
    admin: httpx2.AsyncClient, query: dict[str, object], param: str
) -> None:
    response = await admin.get("/admin/requests", params=query)
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_a_request_that_is_not_there(admin: httpx2.AsyncClient) -> None:
    assert (await admin.get("/admin/requests/req_none")).status_code == 404
