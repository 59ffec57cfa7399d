"""relay: what reaches the provider, what comes back, and where a request goes when one fails."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import (
    Close,
    Gate,
    Reset,
    ScriptedUpstream,
    Stall,
    answer,
    chunk,
    head,
    json_answer,
    script,
    sse_answer,
)

CHAT = "/v1/chat/completions"
PATHS = {
    "chat": (CHAT, b'"messages":[]'),
    "responses": ("/v1/responses", b'"input":"x"'),
    "input_tokens": ("/v1/responses/input_tokens", b'"input":"x"'),
    "embeddings": ("/v1/embeddings", b'"input":[[1,2]]'),
    "completions": ("/v1/completions", b'"prompt":"x"'),
    "messages": ("/v1/messages", b'"messages":[]'),
    "count_tokens": ("/v1/messages/count_tokens", b'"messages":[]'),
}
PROTOCOLS = ["chat", "responses", "messages", "gemini", "embeddings", "completions"]
STRANGE = (
    b'{ "seed" : 12345678901234567890123, "temperature":0.10 ,\n "model":"up:m" , %b,'
    b' "x_unknown": {"deep":[1.0e+2, "\\u00e9\\/"]},"emoji":"\xf0\x9f\x98\x80" }'
)


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = "".join(
        (
            provider(
                upstream.url, protocols=PROTOCOLS, headers={"x-team": "a"}, models=["m", "a/b"]
            ),
            provider(upstream.url, "two", api_key=None, api_keys=["first-key-1", "second-key-2"]),
            provider("http://127.0.0.1:9", "dead", protocols=["chat"]),
            provider(
                upstream.url,
                "edited",
                drop=["user"],
                rename={"max_tokens": "max_completion_tokens"},
                set={"store": False},
            ),
            '[aliases]\nsmart = ["dead:m", "two:m"]\n',
        )
    )
    async with run_gateway(tmp_path, toml) as gateway:
        yield gateway


async def post(running: Running, path: str, body: bytes, **headers: str) -> httpx2.Response:
    async with running.client() as client:
        return await client.post(
            path, content=body, headers={"content-type": "application/json", **headers}
        )


@pytest.mark.parametrize("name", PATHS)
async def test_a_request_keeps_every_byte_but_the_model(
    name: str, running: Running, upstream: ScriptedUpstream
) -> None:
    path, member = PATHS[name]
    upstream.on("*", json_answer({}))
    sent = STRANGE % member
    assert (await post(running, path, sent)).status_code == 200
    assert upstream.requests[0].path == path
    assert upstream.requests[0].body == sent.replace(b'"up:m"', b'"m"')


@pytest.mark.parametrize("name", PATHS)
async def test_an_answer_keeps_every_byte(
    name: str, running: Running, upstream: ScriptedUpstream
) -> None:
    path, member = PATHS[name]
    body = b'{"n":12345678901234567890123, "f":0.10,"s":"\\u00e9\\/","unknown":{"a":[ ]}}\n'
    upstream.on("*", answer(body, headers={"content-type": "application/json", "x-new": "1"}))
    response = await post(running, path, STRANGE % member)
    assert response.content == body
    assert response.headers["x-new"] == "1"
    assert response.headers["x-dragoman-provider"] == "up"
    assert response.headers["x-dragoman-model"] == "m"
    assert response.headers["x-dragoman-attempts"] == "1"
    assert response.headers["x-dragoman-translation"] == "none"


@pytest.mark.parametrize("pieces", [1, 7, 1000])
async def test_a_stream_keeps_every_byte(
    pieces: int, running: Running, upstream: ScriptedUpstream
) -> None:
    stream = (
        b': a comment\n\nevent: message_start\r\ndata: {"n": 12345678901234567890123}\r\n\r\n'
        b'event: a_new_event\ndata: {"x":0.10}\nid: 7\n\ndata:  two\ndata: lines\n\n'
        b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    )
    size = max(1, len(stream) // pieces)
    cut = [chunk(stream[at : at + size]) for at in range(0, len(stream), size)]
    headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    upstream.on("*", script(head(200, headers), *cut, chunk(b"")))
    response = await post(running, "/v1/messages", b'{"model":"up:m","messages":[],"stream":true}')
    assert response.content == stream


async def test_gemini_keeps_the_model_in_the_path(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"candidates": []}))
    body = b'{ "contents": [] }'
    await post(running, "/v1beta/models/up:a%2Fb:generateContent?alt=json&key=secret", body)
    request = upstream.requests[0]
    assert request.target == "/v1beta/models/a%2Fb:generateContent?alt=json"
    assert request.body == body
    assert request.header("x-goog-api-key") == "sk-upstream-secret-0123456789"


async def test_the_provider_in_the_path_takes_a_bare_model(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({}))
    response = await post(running, "/up/v1/messages?beta=true", b'{"model":"m","messages":[]}')
    assert response.status_code == 200
    assert upstream.requests[0].target == "/v1/messages?beta=true"
    assert upstream.requests[0].body == b'{"model":"m","messages":[]}'


async def test_credentials_are_exchanged(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({}))
    await post(
        running,
        "/v1/messages",
        b'{"model":"up:m","messages":[]}',
        **{"x-api-key": running.key, "cookie": "a=b", "anthropic-beta": "new-thing"},
    )
    request = upstream.requests[0]
    assert running.key not in request.raw_head.decode()
    assert request.header("cookie") is None
    assert request.header("anthropic-beta") == "new-thing"
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.header("x-team") == "a"
    assert request.header("x-api-key") == "sk-upstream-secret-0123456789"


async def test_a_row_edits_the_body(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({}))
    await post(
        running, CHAT, b'{"model":"edited:m","messages":[],"max_tokens":5,"user":"u","seed":1}'
    )
    assert json.loads(upstream.requests[0].body) == {
        "model": "m",
        "messages": [],
        "max_completion_tokens": 5,
        "seed": 1,
        "store": False,
    }


USAGE = {"prompt_tokens": 3, "completion_tokens": 2}


@pytest.mark.parametrize("asked", [True, False])
async def test_the_usage_chunk_is_for_those_who_asked(
    asked: bool, running: Running, upstream: ScriptedUpstream
) -> None:
    first = {"choices": [{"delta": {"content": "x"}, "index": 0}]}
    upstream.on("*", sse_answer(first, {"choices": [], "usage": USAGE}, done=True))
    body: dict[str, object] = {"model": "up:m", "messages": [], "stream": True}
    if asked:
        body["stream_options"] = {"include_usage": True}
    response = await post(running, CHAT, json.dumps(body).encode())
    assert (b'"usage"' in response.content) is asked
    assert upstream.requests[0].json()["stream_options"] == {"include_usage": True}
    assert response.content.endswith(b"data: [DONE]\n\n")
    assert running.gateway.totals.input_tokens == 3
    assert running.gateway.totals.output_tokens == 2


async def test_other_stream_options_survive(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", sse_answer(done=True))
    await post(
        running,
        CHAT,
        b'{"model":"up:m","messages":[],"stream":true,"stream_options":{"include_obfuscation":false}}',
    )
    assert upstream.requests[0].json()["stream_options"] == {
        "include_obfuscation": False,
        "include_usage": True,
    }


@pytest.mark.parametrize("status", [400, 404, 413, 422, 429, 500, 503, 529])
async def test_an_error_of_the_provider_comes_through(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    error = {"error": {"message": "no, because", "type": "t", "code": "c", "param": "p", "new": 1}}
    upstream.on("*", json_answer(error, status, {"retry-after": "7", "x-ratelimit-reset": "9"}))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == status
    assert response.json() == error
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-ratelimit-reset"] == "9"


async def test_an_error_of_another_shape_is_put_into_the_callers(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", answer(b"<h1>Bad gateway</h1>", 502, {"content-type": "text/html"}))
    response = await post(running, "/v1/messages", b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert response.json()["type"] == "error"
    assert response.json()["error"] == {"type": "api_error", "message": "Bad gateway"}


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_name_the_provider(
    status: int, running: Running, upstream: ScriptedUpstream
) -> None:
    told = {"error": {"message": "Incorrect API key: sk-upstream-secret-0123456789", "code": "bad"}}
    upstream.on("*", json_answer(told, status))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == status
    message = response.json()["error"]["message"]
    assert "`up` refused the gateway's credentials" in message
    assert "sk-upstream-secret-0123456789" not in message


async def test_a_redirect_is_not_followed(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", answer(b"", 307, {"location": f"{upstream.url}/elsewhere"}))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.status_code == 502
    assert "redirect" in response.json()["error"]["message"]
    assert len(upstream.requests) == 1


async def test_the_next_key_is_tried(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({"error": {"message": "no"}}, 429), json_answer({"ok": 1}))
    response = await post(running, CHAT, b'{"model":"two:m","messages":[]}')
    assert response.json() == {"ok": 1}
    assert response.headers["x-dragoman-attempts"] == "2"
    keys = [request.header("authorization") for request in upstream.requests]
    assert keys == ["Bearer first-key-1", "Bearer second-key-2"]


async def test_a_fault_of_the_caller_is_not_tried_again(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", json_answer({"error": {"message": "no"}}, 400))
    response = await post(running, CHAT, b'{"model":"two:m","messages":[]}')
    assert response.status_code == 400
    assert len(upstream.requests) == 1


async def test_an_alias_falls_back(running: Running, upstream: ScriptedUpstream) -> None:
    upstream.on("*", json_answer({"ok": 1}))
    response = await post(running, CHAT, b'{"model":"smart","messages":[]}')
    assert response.json() == {"ok": 1}
    assert response.headers["x-dragoman-provider"] == "two"
    assert response.headers["x-dragoman-attempts"] == "2"


async def test_an_unreachable_provider_is_502(running: Running) -> None:
    response = await post(running, CHAT, b'{"model":"dead:m","messages":[]}')
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_unreachable"


async def test_what_nothing_can_stand_in_for_is_refused_in_clear_words(running: Running) -> None:
    response = await post(running, "/v1/embeddings", b'{"model":"dead:m","input":"x"}')
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unsupported_provider_type"
    assert "`dead`" in response.json()["error"]["message"]


async def test_another_protocol_is_translated(running: Running, upstream: ScriptedUpstream) -> None:
    message = {"role": "assistant", "content": "hello"}
    upstream.on(CHAT, json_answer({"choices": [{"message": message, "finish_reason": "stop"}]}))
    body = b'{"model":"two:m","max_tokens":9,"top_k":4,"messages":[{"role":"user","content":"hi"}]}'
    response = await post(running, "/v1/messages", body)
    assert response.json()["content"] == [{"type": "text", "text": "hello"}]
    assert response.headers["x-dragoman-translation"] == "messages->chat"
    assert response.headers["x-dragoman-dropped"] == "top_k"
    strict = await post(running, "/v1/messages", body, **{"x-dragoman-strict": "true"})
    assert strict.status_code == 400
    assert "`top_k`" in strict.json()["error"]["message"]


STREAMS = {
    CHAT: b'{"model":"up:m","messages":[],"stream":true}',
    "/v1/responses": b'{"model":"up:m","input":"x","stream":true}',
    "/v1/messages": b'{"model":"up:m","messages":[],"stream":true}',
    "/v1beta/models/up:m:streamGenerateContent?alt=sse": b'{"contents":[]}',
}
ENDINGS = {"clean": (chunk(b""),), "closed": (Close(),), "reset": (Reset(),)}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("path", STREAMS)
async def test_a_stream_that_is_cut_ends_in_an_error(
    path: str, ending: str, running: Running, upstream: ScriptedUpstream
) -> None:
    headers = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
    first = b'data: {"type":"x"}\n\n'
    upstream.on("*", script(head(200, headers), chunk(first + b'data: {"ha'), *ENDINGS[ending]))
    response = await post(running, path, STREAMS[path])
    assert response.status_code == 200
    assert response.content.startswith(first)
    rest = response.content.removeprefix(first)
    assert b'"error"' in rest
    assert b'"ha' not in rest
    assert b"[DONE]" not in rest
    assert b"message_stop" not in rest


async def test_a_stream_arrives_event_by_event(
    running: Running, upstream: ScriptedUpstream
) -> None:
    gate = Gate()
    first = {"choices": [{"delta": {"content": "x"}}]}
    upstream.on("*", sse_answer(first, gate, done=True))
    async with (
        running.client() as client,
        client.stream("POST", CHAT, content=STREAMS[CHAT]) as response,
    ):
        pieces = response.aiter_raw()
        assert b'"x"' in await anext(pieces)
        gate.open()
        assert b"[DONE]" in b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_before_the_answer_stops_the_provider(
    stream: bool, running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", script(Stall()))
    body = {"model": "up:m", "messages": [], "stream": stream}
    async with running.client() as client:
        asking = asyncio.create_task(client.post(CHAT, json=body))
        request = await upstream.request()
        asking.cancel()
        await asyncio.wait([asking])
    await asyncio.wait_for(request.closed(), 5)


async def test_a_client_that_leaves_in_mid_stream_stops_the_provider(
    running: Running, upstream: ScriptedUpstream
) -> None:
    upstream.on("*", sse_answer({"choices": []}, Stall()))
    async with (
        running.client() as client,
        client.stream("POST", CHAT, content=STREAMS[CHAT]) as response,
    ):
        await anext(response.aiter_raw())
    await asyncio.wait_for(upstream.requests[0].closed(), 5)


async def test_a_compressed_answer_is_unpacked(
    running: Running, upstream: ScriptedUpstream
) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    upstream.on("*", answer(gzip.compress(b'{"ok":1}'), headers=headers))
    response = await post(running, CHAT, b'{"model":"up:m","messages":[]}')
    assert response.content == b'{"ok":1}'
    assert "content-encoding" not in response.headers
    assert upstream.requests[0].header("accept-encoding") == "identity"
