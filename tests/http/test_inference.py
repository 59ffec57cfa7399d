"""http.inference: who gets in, and what bad input is told, in each dialect."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_gateway import Running, provider, run_gateway
from scripted_upstream import (
    Pause,
    ScriptedUpstream,
    Stall,
    head,
    json_answer,
    script,
    sse_answer,
)

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
GEMINI = "/v1beta/models/up:m:generateContent"
GOOD = {"model": "up:m", "messages": []}
PROTOCOLS = ["chat", "responses", "messages", "gemini", "embeddings", "completions"]


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("*", json_answer({"ok": 1}))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = (
        "[server]\nmax_body_mb = 1\nkeepalive_s = 0.2\n"
        'cors_origins = ["https://app.example.com"]\n'
        + provider(upstream.url, protocols=PROTOCOLS)
        + '[aliases]\nfast = "up:m"\n'
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "x-goog-api-key", "X-API-Key"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_every_way_to_show_the_key(header: str, path: str, running: Running) -> None:
    value = f"bearer {running.key}" if header == "authorization" else running.key
    async with running.client(None) as client:
        response = await client.post(path, json=GOOD, headers={header: value})
    assert response.status_code == 200


@pytest.mark.parametrize("key", [None, "sk-wrong", "x"])
async def test_no_key_and_a_wrong_key_are_401_in_the_paths_shape(
    key: str | None, running: Running, upstream: ScriptedUpstream
) -> None:
    async with running.client(key) as client:
        chat = await client.post(CHAT, json=GOOD)
        messages = await client.post(MESSAGES, json=GOOD)
        gemini = await client.post(GEMINI, json={"contents": []})
        models = await client.get("/v1/models")
    assert [r.status_code for r in (chat, messages, gemini, models)] == [401] * 4
    assert chat.json()["error"]["code"] == "invalid_api_key"
    assert messages.json()["error"]["type"] == "authentication_error"
    assert gemini.json()["error"]["status"] == "UNAUTHENTICATED"
    assert models.json()["error"]["code"] == "invalid_api_key"
    assert upstream.requests == []


async def test_an_admin_key_opens_no_inference(running: Running) -> None:
    async with running.client(running.admin_key) as client:
        response = await client.post(CHAT, json=GOOD)
    assert (response.status_code, response.json()["error"]["code"]) == (403, "forbidden")


async def test_a_key_is_held_to_its_models(running: Running, upstream: ScriptedUpstream) -> None:
    issued = await running.gateway.keys.create("narrow", models=["up:other*", "fast"])
    async with running.client(issued.secret) as client:
        refused = await client.post(CHAT, json=GOOD)
        allowed = await client.post(CHAT, json=GOOD | {"model": "fast"})
        listed = await client.get("/v1/models")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "model_not_allowed")
    assert allowed.status_code == 200
    assert [entry["id"] for entry in listed.json()["data"]] == ["fast"]


NESTED = b'{"model":"up:m","messages":' + b"[" * 10_000 + b"]" * 10_000 + b"}"
BAD: list[tuple[bytes, str, str | None]] = [
    (b"", "invalid_json", None),
    (b"{", "invalid_json", None),
    (b"\xff\xfe", "invalid_json", None),
    (b'{"model":"up:m","messages":[NaN]}', "invalid_json", None),
    (b'{"model":"up:m","messages":[Infinity]}', "invalid_json", None),
    (b'{"model":"up:m","messages":["\\ud800"]}', "invalid_json", None),
    (NESTED, "invalid_json", None),
    (b"[]", "invalid_request", None),
    (b'"x"', "invalid_request", None),
    (b"{}", "invalid_request", "messages"),
    (b'{"messages":[]}', "invalid_request", "model"),
    (b'{"model":null,"messages":[]}', "invalid_request", "model"),
    (b'{"model":7,"messages":[]}', "invalid_request", "model"),
    (b'{"model":"","messages":[]}', "invalid_request", "model"),
    (b'{"model":"up:m"}', "invalid_request", "messages"),
    (b'{"model":"up:m","messages":"hi"}', "invalid_request", "messages"),
    (b'{"model":"up:m","messages":[],"stream":"yes"}', "invalid_request", "stream"),
    (b'{"model":"up:m","model":"up:n","messages":[]}', "invalid_request", "model"),
    (b'{"model":"m n","messages":[]}', "invalid_model_format", "model"),
    (b'{"model":"nobody:m","messages":[]}', "provider_not_found", "model"),
    (b'{"model":"up:nothing","messages":[]}', "model_not_found", "model"),
]


@pytest.mark.parametrize(("body", "code", "param"), BAD)
async def test_bad_input_is_named(
    body: bytes, code: str, param: str | None, running: Running, upstream: ScriptedUpstream
) -> None:
    async with running.client() as client:
        chat = await client.post(CHAT, content=body)
        messages = await client.post(MESSAGES, content=body)
        gemini = await client.post(GEMINI, content=body)
    error = chat.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert chat.status_code == messages.status_code == (404 if "found" in code else 400)
    assert messages.json()["type"] == "error"
    assert messages.json()["error"]["message"] == error["message"]
    assert gemini.status_code == 400
    assert "status" in gemini.json()["error"]
    assert upstream.requests == []


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(body=st.binary(max_size=60), path=st.sampled_from([CHAT, MESSAGES, GEMINI]))
async def test_garbage_is_the_callers_fault(body: bytes, path: str, running: Running) -> None:
    async with running.client() as client:
        response = await client.post(path, content=body)
    assert 400 <= response.status_code < 500
    assert response.json()["error"]["message"]


async def test_a_body_over_the_limit_is_413(running: Running) -> None:
    async with running.client() as client:
        declared = await client.post(CHAT, content=b" " * 1_048_577)
        chunked = await client.post(CHAT, content=_pieces(b" " * 65536, 17))
        packed = await client.post(
            CHAT, content=gzip.compress(b" " * 9_000_000), headers={"content-encoding": "gzip"}
        )
    for response in (declared, chunked, packed):
        assert response.status_code == 413
        assert response.json()["error"]["code"] == "request_too_large"
        assert "max_body_mb" in response.json()["error"]["message"]


async def _pieces(piece: bytes, count: int) -> AsyncGenerator[bytes, None]:
    for _ in range(count):
        yield piece


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
async def test_compressed_and_chunked_bodies_are_read(
    encoding: str, running: Running, upstream: ScriptedUpstream
) -> None:
    body = json.dumps(GOOD).encode()
    pack: Any = {"gzip": gzip.compress, "deflate": zlib.compress, "identity": bytes}[encoding]
    async with running.client() as client:
        response = await client.post(
            CHAT, content=_pieces(pack(body), 1), headers={"content-encoding": encoding}
        )
    assert response.status_code == 200
    assert upstream.requests[0].json() == {"model": "m", "messages": []}
    assert upstream.requests[0].header("content-encoding") is None


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("br", b"x", 415),
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
    ],
)
async def test_a_body_that_cannot_be_unpacked(
    encoding: str, body: bytes, status: int, running: Running
) -> None:
    async with running.client() as client:
        response = await client.post(CHAT, content=body, headers={"content-encoding": encoding})
    assert response.status_code == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405_with_allow(method: str, running: Running) -> None:
    async with running.client() as client:
        response = await client.request(method, MESSAGES)
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["type"] == "error"


async def test_a_websocket_upgrade_is_426(running: Running) -> None:
    headers = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    async with running.client() as client:
        response = await client.get("/v1/responses", headers=headers)
    assert response.status_code == 426
    assert response.json()["error"]["code"] == "upgrade_required"


@pytest.mark.parametrize(
    ("sent", "kept"), [("my-id.1", True), ("bad id", False), ("x" * 200, False)]
)
async def test_a_sane_request_id_is_kept(sent: str, kept: bool, running: Running) -> None:
    async with running.client() as client:
        response = await client.post(CHAT, json=GOOD, headers={"x-request-id": sent})
    assert (response.headers["x-request-id"] == sent) is kept
    assert response.headers["x-request-id"]


async def test_a_listed_origin_gets_cors_and_no_other(running: Running) -> None:
    asked = (
        "authorization, x-api-key, anthropic-version, anthropic-beta, content-type, x-stainless-os"
    )
    preflight = {
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
    }
    async with running.client(None) as client:
        listed = await client.options(
            MESSAGES, headers={"origin": "https://app.example.com", **preflight}
        )
        foreign = await client.options(
            MESSAGES, headers={"origin": "https://evil.example", **preflight}
        )
        plain = await client.post(
            MESSAGES,
            json=GOOD,
            headers={"origin": "https://evil.example", "x-api-key": running.key},
        )
    assert listed.status_code == 200
    assert listed.headers["access-control-allow-origin"] == "https://app.example.com"
    allowed = listed.headers["access-control-allow-headers"].lower()
    assert all(name in allowed for name in asked.split(", "))
    assert "access-control-allow-origin" not in foreign.headers
    assert "access-control-allow-origin" not in plain.headers


async def test_a_silent_stream_is_kept_alive(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", script(Stall()))
    gemini = "/v1beta/models/up:m:streamGenerateContent?alt=sse"
    for path, ping in (
        (CHAT, b": ping\n\n"),
        (MESSAGES, b"event: ping\n"),
        (gemini, b'"parts": [{"text": "", "thought": true}]'),
    ):
        body = {"contents": []} if path is gemini else GOOD | {"stream": True}
        async with (
            running.client() as client,
            client.stream("POST", path, json=body) as response,
        ):
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            assert ping in await anext(response.aiter_raw())


async def test_a_stream_that_falls_silent_in_the_middle_is_kept_alive(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer({"type": "message_start", "message": {}}, Stall()))
    async with (
        running.client() as client,
        client.stream("POST", MESSAGES, json=GOOD | {"stream": True}) as response,
    ):
        pieces = response.aiter_raw()
        assert b"message_start" in await anext(pieces)
        assert b"event: ping\n" in await anext(pieces)


async def test_a_request_that_wants_no_stream_hears_no_ping(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Pause(0.7), head(200, {"content-length": "2"}) + b"{}"))
    async with running.client() as client:
        assert (await client.post(CHAT, json=GOOD)).content == b"{}"
