"""A provider's answer that is written down while it passes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dragoman.transcript import Transcript
from dragoman.upstream.seam import Headers, Request, Response


def overhear(request: Request, response: Response, transcript: Transcript) -> Response:
    """`response`, of which the transcript gets a copy, as it does of the request's body."""
    transcript.begin_attempt(request.body)
    return Overheard(response, transcript)


class Overheard:
    """`seam.Response` that behaves as the one within and adds every byte to the transcript."""

    def __init__(self, response: Response, transcript: Transcript) -> None:
        self._response = response
        self._transcript = transcript
        self.status: int = response.status
        self.headers: Headers = response.headers

    def __aiter__(self) -> AsyncIterator[bytes]:
        self._chunks = aiter(self._response)
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self._transcript.upstream_response.add(chunk)
        return chunk

    async def read(self, limit: int | None = None) -> bytes:
        """See `seam.Response.read`."""
        body = await self._response.read(limit)
        self._transcript.upstream_response.add(body)
        return body

    async def aclose(self) -> None:
        """See `seam.Response.aclose`."""
        await self._response.aclose()
