"""Same protocol on both sides: the bytes go through.

Upstream goes the caller's body with whole top-level members exchanged: `model`, what the
provider's row renames, drops or sets, and, in streams of Chat and Completions, a request for the
usage that the gateway accounts by. Back comes the provider's body byte for byte; only the usage
chunk that the caller did not ask for is kept back. A tap reads along.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from dragoman import sse
from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.errors import UpstreamDied
from dragoman.exchange.barrier import endless_event, hold_back
from dragoman.exchange.outgoing import make_request
from dragoman.header_policy import client_headers, upstream_headers
from dragoman.protocols import Protocol
from dragoman.providers.provider import BodyEdits
from dragoman.routing import Target
from dragoman.upstream.answers import is_event_stream, read_body
from dragoman.upstream.refusal import read_refusal
from dragoman.upstream.seam import Request, Response
from dragoman.usage import Entry
from dragoman.wire.openings import Opening
from dragoman.wire.taps import Tap, open_tap

_NO_EDITS = BodyEdits()
_USAGE_CHUNK = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class Passthrough:
    """One attempt to answer `call` at `target`, whose provider speaks the call's protocol."""

    def __init__(self, call: Call, target: Target) -> None:
        self.call = call
        self.target = target
        self._hides_usage = False

    def request(self, document: Document, stream: bool, key: str | None, entry: Entry) -> Request:
        """The caller's body with its named edits, and the caller's headers that may cross."""
        return make_request(
            self.target,
            self.call.operation,
            self._edit(document, stream),
            key,
            headers=upstream_headers(self.call.headers),
            query=self.call.query,
        )

    async def answer(self, response: Response, entry: Entry) -> Answer:
        """The answer for the client. Raises UpstreamError where the provider's is none."""
        if response.status >= 300:
            raise await read_refusal(
                response, self.target.provider, self.call.operation.error_shape
            )
        headers = client_headers(response.headers)
        tap = open_tap(self.call.operation)
        if is_event_stream(response):
            stream = self._stream(response, tap, entry)
            opening = await hold_back(stream, Opening(self.call.operation).feed, entry)
            return Answer(response.status, headers, stream, opening)
        body = await read_body(response)
        entry.mark_first_byte()
        tap.read(body)
        entry.usage = tap.usage
        return Answer(response.status, headers, body)

    async def _stream(
        self, response: Response, tap: Tap, entry: Entry
    ) -> AsyncGenerator[bytes, None]:
        """The provider's events as they arrive, cut only between events.

        Raises UpstreamDied where the stream breaks off or ends without its terminal event; the
        beginning of an event that never became whole is not handed out.
        """
        splitter = sse.Splitter()
        try:
            async for chunk in response:
                if events := splitter.feed(chunk):
                    entry.mark_first_byte()
                    tap.feed(events)
                    if self._hides_usage and b'"usage"' in events:
                        events = _without_usage_chunk(events)
                    if events:
                        entry.complete = tap.ended
                        yield events
                if splitter.held_bytes > sse.LONGEST_EVENT:
                    raise endless_event(self.target)
            if rest := splitter.rest:
                tap.feed(rest)
                if tap.ended:
                    yield rest
            if not tap.ended:
                raise UpstreamDied(
                    f"The provider `{self.target.provider.id}` ended its stream before the answer"
                    " was complete."
                )
        finally:
            entry.usage = tap.usage
            await response.aclose()

    def _edit(self, document: Document, stream: bool) -> bytes:
        protocol = self.call.operation.protocol
        edits = self.target.provider.edits.get(protocol, _NO_EDITS)
        put: dict[str, bytes] = {
            name: msgspec.json.encode(value)
            for name, value in edits.set.items()
            if name not in document.members
        }
        if "model" in document.members:
            put["model"] = msgspec.json.encode(self.target.model)
        elif self.call.model is not None and protocol is not Protocol.GEMINI:
            put["model"] = msgspec.json.encode(self.call.model)
        if stream and protocol in {Protocol.CHAT, Protocol.COMPLETIONS}:
            put |= self._ask_for_usage(document)
        return document.edit(put, edits.drop, edits.rename)

    def _ask_for_usage(self, document: Document) -> dict[str, bytes]:
        """The member that makes the provider report usage, unless the caller asks for it already
        or the provider refuses it."""
        if not self.target.provider.stream_usage:
            return {}
        options: dict[str, Any] = document.read("stream_options", dict[str, Any], "an object") or {}
        if options.get("include_usage"):
            return {}
        self._hides_usage = True
        return {"stream_options": msgspec.json.encode(options | {"include_usage": True})}


def _without_usage_chunk(events: bytes) -> bytes:
    """`events` minus the chunk that holds nothing but the usage."""
    splitter = sse.Splitter()
    kept = [
        piece
        for line_end in events.splitlines(keepends=True)
        if (piece := splitter.feed(line_end)) and not _USAGE_CHUNK.search(piece)
    ]
    return b"".join((*kept, splitter.rest))
