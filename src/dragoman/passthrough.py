"""Same protocol on both sides: the bytes go through.

Upstream goes the caller's body with whole top-level members exchanged: `model`, what the
provider's row renames, drops or sets, and, in streams of Chat and Completions, a request for the
usage that the gateway accounts by. Back comes the provider's body byte for byte; only the usage
chunk that the caller did not ask for is kept back. A tap reads along.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import urlsplit

import msgspec

from dragoman import sse
from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.errors import UpstreamDied
from dragoman.header_policy import Header, client_headers, upstream_headers
from dragoman.protocols import Protocol
from dragoman.providers.auth import ANTHROPIC_VERSION, auth_headers
from dragoman.providers.provider import BodyEdits
from dragoman.providers.urls import endpoint_url
from dragoman.routing import Target
from dragoman.upstream.refusal import read_refusal
from dragoman.upstream.seam import Request, Response
from dragoman.usage import Entry
from dragoman.wire.taps import Tap, open_tap

_NO_EDITS = BodyEdits()
_EVENT_STREAM = b"text/event-stream"
_USAGE_CHUNK = re.compile(rb'"choices"\s*:\s*\[\s*\]')


class Passthrough:
    """One attempt to answer `call` at `target`, whose provider speaks the call's protocol."""

    def __init__(self, call: Call, target: Target) -> None:
        self.call = call
        self.target = target
        self._hides_usage = False

    def request(self, document: Document, stream: bool, key: str | None) -> Request:
        """The request that goes upstream."""
        provider = self.target.provider
        operation = self.call.operation
        body = self._edit(document, stream)
        headers = upstream_headers(self.call.headers)
        headers += auth_headers(provider, key, operation.protocol)
        headers += [(b"content-type", b"application/json"), (b"accept-encoding", b"identity")]
        if operation.protocol is Protocol.MESSAGES:
            headers = _with_anthropic_version(headers)
        if provider.headers:
            headers = _with_headers(headers, provider.headers)
        return Request(
            method="POST",
            url=_with_client_query(
                endpoint_url(provider, operation, self.target.model), self.call.query
            ),
            headers=headers,
            body=body,
            timeouts=provider.timeouts,
            proxy=provider.proxy,
        )

    async def answer(self, response: Response, entry: Entry) -> Answer:
        """The answer for the client. Raises UpstreamError where the provider's is none."""
        if response.status >= 300:
            raise await read_refusal(
                response, self.target.provider, self.call.operation.error_shape
            )
        headers = client_headers(response.headers)
        tap = open_tap(self.call.operation)
        if _header(response.headers, b"content-type").startswith(_EVENT_STREAM):
            return Answer(response.status, headers, self._stream(response, tap, entry))
        try:
            body = _decompress(await response.read(), response)
        finally:
            await response.aclose()
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
                        yield events
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


def _with_anthropic_version(headers: list[Header]) -> list[Header]:
    if any(name == b"anthropic-version" for name, _ in headers):
        return headers
    return [*headers, (b"anthropic-version", ANTHROPIC_VERSION.encode())]


def _with_headers(headers: list[Header], own: Any) -> list[Header]:
    added = [(name.lower().encode(), value.encode()) for name, value in own.items()]
    names = {name for name, _ in added}
    return [header for header in headers if header[0] not in names] + added


def _with_client_query(url: str, query: bytes) -> str:
    """`url` with the client's query, minus a key and what `url` already says."""
    if not query:
        return url
    taken = {pair.partition("=")[0] for pair in urlsplit(url).query.split("&")} | {"key"}
    pairs = [
        pair for pair in query.decode("latin-1").split("&") if pair.partition("=")[0] not in taken
    ]
    if not pairs or pairs == [""]:
        return url
    return f"{url}{'&' if '?' in url else '?'}{'&'.join(pairs)}"


def _header(headers: Any, wanted: bytes) -> bytes:
    return next((value for name, value in headers if name == wanted), b"")


def _decompress(body: bytes, response: Response) -> bytes:
    """`body` as the client gets it: it was asked for uncompressed, but some servers insist."""
    encoding = _header(response.headers, b"content-encoding").lower()
    if encoding in {b"", b"identity"}:
        return body
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        raise UpstreamDied(f"The provider compressed its answer as `{encoding.decode()}`.")
    try:
        return zlib.decompress(body, wbits=47)
    except zlib.error as error:
        raise UpstreamDied("The provider's compressed answer is damaged.") from error
