"""http.reply: answers, streams and failures as ASGI messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from dragoman import protocols
from dragoman.calls import Answer
from dragoman.errors import (
    InvalidApiKey,
    MethodNotAllowed,
    ModelNotFound,
    RateLimitExceeded,
    RequestTooLarge,
    UpgradeRequired,
    UpstreamDied,
    UpstreamRefused,
)
from dragoman.http.reply import Reply, error_headers, error_response
from dragoman.protocols import ErrorShape, Operation
from dragoman.usage import Entry

JSON = [(b"content-type", b"application/json")]


class Wire:
    """An ASGI `send` that remembers."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        (start,) = [each for each in self.messages if each["type"] == "http.response.start"]
        return start["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.messages[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.messages)

    @property
    def is_complete(self) -> bool:
        return self.messages[-1].get("more_body") is False


def reply(
    operation: Operation = protocols.CHAT, keepalive_s: float = 60, stream: bool = False
) -> tuple[Reply, Wire, Entry]:
    wire, entry = Wire(), Entry("req_1", operation)
    entry.stream = stream
    return Reply(wire, operation, entry, keepalive_s), wire, entry


async def pieces(*events: bytes, error: Exception | None = None) -> AsyncGenerator[bytes, None]:
    for event in events:
        yield event
    if error is not None:
        raise error


async def test_a_whole_answer() -> None:
    writer, wire, entry = reply()
    await writer.answer(Answer(201, JSON, b'{"a":1}'))
    await writer.close()
    assert (wire.status, wire.body, wire.is_complete) == (201, b'{"a":1}', True)
    assert wire.headers[b"content-length"] == b"7"
    assert wire.headers[b"x-request-id"] == b"req_1"
    assert wire.headers[b"x-dragoman-translation"] == b"none"
    assert entry.status == 201


async def test_a_stream() -> None:
    writer, wire, _ = reply(stream=True)
    await writer.answer(Answer(200, JSON, pieces(b"data: a\n\n", b"data: b\n\n")))
    await writer.close()
    assert (wire.status, wire.body) == (200, b"data: a\n\ndata: b\n\n")
    assert wire.is_complete
    assert b"content-length" not in wire.headers


async def test_what_was_lost_is_told_in_ascii() -> None:
    writer, wire, entry = reply()
    entry.translation, entry.dropped = "messages->chat", ("top_k", "métadonnées")
    await writer.answer(Answer(200, JSON, b"{}"))
    await writer.close()
    assert wire.headers[b"x-dragoman-translation"] == b"messages->chat"
    assert wire.headers[b"x-dragoman-dropped"] == b"top_k,m\\xe9tadonn\\xe9es"


async def test_names_that_no_header_may_hold_are_told_escaped() -> None:
    writer, wire, entry = reply()
    entry.dropped = ("a\r\nset-cookie: b", "\0,\x7f")
    await writer.answer(Answer(200, JSON, b"{}"))
    await writer.close()
    told = wire.headers[b"x-dragoman-dropped"]
    assert told == rb"a\x0d\x0aset-cookie: b,\x00\x2c\x7f"


async def test_more_losses_than_a_header_may_hold_are_cut_between_two() -> None:
    writer, wire, entry = reply()
    entry.dropped = tuple(f"tools.{number}.strict" for number in range(1000))
    await writer.answer(Answer(200, JSON, b"{}"))
    await writer.close()
    *told, last = wire.headers[b"x-dragoman-dropped"].decode().split(",")
    assert last == "..."
    assert told == list(entry.dropped[: len(told)])
    assert 3900 < len(wire.headers[b"x-dragoman-dropped"]) < 4100


async def test_a_failure_before_the_first_byte_keeps_its_status() -> None:
    writer, wire, entry = reply(protocols.MESSAGES)
    await writer.fail(ModelNotFound("No such model."))
    await writer.close()
    assert wire.status == 404
    assert json.loads(wire.body)["request_id"] == "req_1"
    assert wire.headers[b"request-id"] == b"req_1"
    assert entry.error == "No such model."


async def test_a_failure_after_it_is_an_event() -> None:
    writer, wire, entry = reply(protocols.MESSAGES, stream=True)
    error = UpstreamDied("It broke off.")
    with pytest.raises(UpstreamDied):
        await writer.answer(Answer(200, JSON, pieces(b"data: a\n\n", error=error)))
    await writer.fail(error)
    await writer.close()
    assert wire.status == 200
    assert wire.body.startswith(b"data: a\n\nevent: error\ndata: ")
    assert wire.is_complete
    assert entry.status == 200


async def test_a_providers_own_words_go_through() -> None:
    writer, wire, _ = reply()
    body, headers = b'{"error":{"message":"m","new":1}}', [(b"retry-after", b"7")]
    await writer.fail(UpstreamRefused("m", status=429, body=body, headers=headers))
    await writer.close()
    assert (wire.status, wire.body, wire.headers[b"retry-after"]) == (429, body, b"7")


@pytest.mark.parametrize(
    ("operation", "ping"),
    [
        (protocols.CHAT, b": ping\n\n"),
        (protocols.RESPONSES, b": ping\n\n"),
        (protocols.MESSAGES, b'event: ping\ndata: {"type": "ping"}\n\n'),
    ],
)
async def test_silence_opens_a_stream(operation: Operation, ping: bytes) -> None:
    writer, wire, entry = reply(operation, keepalive_s=0.01, stream=True)
    async with asyncio.timeout(5):
        while not wire.body:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await writer.fail(UpstreamDied("It broke off."))
    await writer.close()
    assert wire.status == entry.status == 200
    assert wire.body.startswith(ping)
    assert b"It broke off." in wire.body


async def test_silence_says_nothing_where_no_stream_is_wanted() -> None:
    writer, wire, _ = reply(keepalive_s=0.01)
    await asyncio.sleep(0.3)
    assert wire.messages == []
    await writer.answer(Answer(200, JSON, b"{}"))
    await writer.close()
    assert wire.body == b"{}"


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (InvalidApiKey("no"), (b"www-authenticate", b'Bearer realm="dragoman"')),
        (RequestTooLarge("no"), (b"connection", b"close")),
        (UpgradeRequired("no"), (b"upgrade", b"HTTP/1.1")),
        (MethodNotAllowed("no", allowed=("GET", "HEAD")), (b"allow", b"GET, HEAD")),
        (RateLimitExceeded("no", retry_after=0.2), (b"retry-after", b"1")),
        (RateLimitExceeded("no", retry_after=41.6), (b"retry-after", b"42")),
    ],
)
def test_headers_that_belong_to_an_error(error: Any, header: tuple[bytes, bytes]) -> None:
    assert header in error_headers(error)
    response = error_response(ErrorShape.OPENAI, error, "req_1")
    assert response.status_code == error.status
    assert header in response.raw_headers
