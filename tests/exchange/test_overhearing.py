"""exchange.overhearing: what passes is written down, and passes as if nobody had listened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dragoman.exchange.overhearing import overhear
from dragoman.transcript import Transcript
from dragoman.upstream.seam import Request


class Answer:
    """A `seam.Response` whose chunks come when the test lets them."""

    def __init__(self, *chunks: bytes) -> None:
        self.status = 200
        self.headers = [(b"x", b"y")]
        self.closed = False
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue()
        for chunk in chunks:
            self.waiting.put_nowait(chunk)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.waiting.get()
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def read(self, limit: int | None = None) -> bytes:
        return (await self.waiting.get())[:limit]

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def transcript() -> Transcript:
    return Transcript(1000)


REQUEST = Request("POST", "http://x", [], b"question")


async def test_a_stream(transcript: Transcript) -> None:
    answer = Answer(b"a", b"b", b"")
    response = overhear(REQUEST, answer, transcript)
    assert (response.status, response.headers) == (200, answer.headers)
    assert [chunk async for chunk in response] == [b"a", b"b"]
    bodies = transcript.bodies(translated=True, secrets=())
    assert (bodies.upstream_request, bodies.upstream_response) == ("question", "ab")
    await response.aclose()
    assert answer.closed


async def test_a_whole_body(transcript: Transcript) -> None:
    response = overhear(REQUEST, Answer(b"answer"), transcript)
    assert await response.read(3) == b"ans"
    assert transcript.upstream_response.size == 3


async def test_whoever_waited_in_vain_may_go_on(transcript: Transcript) -> None:
    """What `seam.Response` promises: a cancelled wait for a chunk loses nothing."""
    answer = Answer()
    chunks = aiter(overhear(REQUEST, answer, transcript))
    waiting = asyncio.ensure_future(anext(chunks))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    answer.waiting.put_nowait(b"late")
    assert await anext(chunks) == b"late"
