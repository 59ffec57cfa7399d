"""exchange.passthrough: what must not change does not."""

from __future__ import annotations

import json

import pytest
from relaying import CHAT, post
from running_gateway import Running
from scripted_upstream import (
    Close,
    Gate,
    Reset,
    ScriptedUpstream,
    answer,
    chunk,
    head,
    json_answer,
    script,
    sse_answer,
)

PATHS = {
    "chat": (CHAT, b'"messages":[]'),
    "responses": ("/v1/responses", b'"input":"x"'),
    "input_tokens": ("/v1/responses/input_tokens", b'"input":"x"'),
    "embeddings": ("/v1/embeddings", b'"input":[[1,2]]'),
    "completions": ("/v1/completions", b'"prompt":"x"'),
    "messages": ("/v1/messages", b'"messages":[]'),
    "count_tokens": ("/v1/messages/count_tokens", b'"messages":[]'),
}
STRANGE = (
    b'{ "seed" : 12345678901234567890123, "temperature":0.10 ,\n "model":"up:m" , %b,'
    b' "x_unknown": {"deep":[1.0e+2, "\\u00e9\\/"]},"emoji":"\xf0\x9f\x98\x80" }'
)
USAGE = {"prompt_tokens": 3, "completion_tokens": 2}
STREAMS = {
    CHAT: b'{"model":"up:m","messages":[],"stream":true}',
    "/v1/responses": b'{"model":"up:m","input":"x","stream":true}',
    "/v1/messages": b'{"model":"up:m","messages":[],"stream":true}',
    "/v1beta/models/up:m:streamGenerateContent?alt=sse": b'{"contents":[]}',
}
ENDINGS = {"clean": (chunk(b""),), "closed": (Close(),), "reset": (Reset(),)}


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
