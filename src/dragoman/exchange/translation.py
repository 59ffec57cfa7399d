"""Different protocols on the two sides: the request and its answer are translated.

The caller's headers stay here: they speak of a protocol that the provider does not. What could
not be carried is noted in the entry, from where it reaches the caller as `x-dragoman-dropped`,
or, where the caller wants strictness, refuses the request.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, Mapping

import msgspec

from dragoman import fold, ir, sse
from dragoman.calls import Answer, Call
from dragoman.edit import Document
from dragoman.errors import DragomanError, Untranslatable, UpstreamError, UpstreamRefused
from dragoman.exchange.barrier import endless_event, hold_back
from dragoman.exchange.outgoing import make_request
from dragoman.memory import Continuation
from dragoman.protocols import (
    CHAT,
    GENERATE_CONTENT,
    MESSAGES,
    RESPONSES,
    STREAM_GENERATE_CONTENT,
    Operation,
    Protocol,
)
from dragoman.providers.provider import Model, Provider
from dragoman.providers.vendors import is_genuine
from dragoman.routing import Target
from dragoman.upstream.answers import is_event_stream, read_body
from dragoman.upstream.refusal import read_refusal
from dragoman.upstream.seam import Request, Response
from dragoman.usage import Entry
from dragoman.wire import CallerView, codec
from dragoman.wire import Target as WireTarget
from dragoman.wire.error_bodies import in_shape
from dragoman.wire.translation import StreamTranslation, translate_answer

_GENERATING = {CHAT, RESPONSES, MESSAGES, GENERATE_CONTENT, STREAM_GENERATE_CONTENT}
_STAND_INS = (
    (Protocol.CHAT, CHAT),
    (Protocol.MESSAGES, MESSAGES),
    (Protocol.RESPONSES, RESPONSES),
    (Protocol.GEMINI, GENERATE_CONTENT),
)
_JSON_HEADERS = [(b"content-type", b"application/json")]
_STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
]


def translated_operation(
    operation: Operation, provider: Provider, model: Model | None
) -> Operation | None:
    """What the provider is asked instead of `operation`, None where nothing can stand in.

    OpenAI's own Responses comes first, since its reasoning models keep their reasoning across a
    tool loop only there; copies of it are mostly thinner than the same server's Chat.
    """
    if operation not in _GENERATING:
        return None
    if is_genuine(provider, Protocol.RESPONSES) and provider.speaks(RESPONSES, model):
        return RESPONSES
    return next((each for _, each in _STAND_INS if provider.speaks(each, model)), None)


class Translation:
    """One attempt to answer `call` at `target`, which is asked `operation`."""

    def __init__(
        self,
        call: Call,
        target: Target,
        operation: Operation,
        model: Model | None,
        turn: Continuation,
    ) -> None:
        provider = target.provider
        self.turn = turn
        self.call = call
        self.target = target
        self.operation = operation
        self._wire = WireTarget(
            provider=provider.id,
            protocol=operation.protocol,
            model=target.model,
            max_output=model.max_output if model else None,
            genuine=is_genuine(provider, operation.protocol),
            reasons=True if model and "reasoning" in model.abilities else None,
            stream_usage=provider.stream_usage,
        )

    def request(self, document: Document, stream: bool, key: str | None, entry: Entry) -> Request:
        """The caller's request in the provider's protocol.

        Raises InvalidRequest, and Untranslatable for what must not be dropped; with
        `x-dragoman-strict: true` nothing may be.
        """
        protocol = self.call.operation.protocol
        asked = codec(protocol).decode_request(document.body)
        name = self.call.model_of(document)
        asked = msgspec.structs.replace(asked, model=name, stream=stream)
        encoded = codec(self.operation.protocol).encode_request(asked, self._wire)
        entry.translation = f"{protocol}->{self.operation.protocol}"
        losses = {self.turn.own_path(loss.path): loss.why for loss in encoded.losses}
        entry.dropped = tuple(losses)
        if losses and self.call.is_strict:
            raise _too_lossy(losses)
        if self.turn.previous_id is not None:  # the answer repeats what was asked
            memory = ir.Memory("previous_response_id", self.turn.previous_id)
            asked = msgspec.structs.replace(asked, memory=memory)
        self._view = CallerView(
            model=name,
            id=secrets.token_hex(12),
            created=int(time.time()),
            request=asked,
            request_id=self.call.request_id,
        )
        return make_request(self.target, self._asked_operation(stream), encoded.body, key)

    async def answer(self, response: Response, entry: Entry) -> Answer:
        """The provider's answer in the caller's protocol."""
        if response.status >= 300:
            raise await read_refusal(
                response, self.target.provider, self.call.operation.error_shape
            )
        if is_event_stream(response):
            translation = StreamTranslation(self._wire, self._view)
            stream = self._stream(response, translation, entry)
            opening = await hold_back(stream, lambda _: translation.begun, entry)
            return Answer(200, _STREAM_HEADERS, stream, opening)
        body = await read_body(response)
        entry.mark_first_byte()
        encoded, answer = translate_answer(body, self._wire, self._view)
        entry.usage = answer.usage
        if self._view.request.stream:
            return Answer(200, _STREAM_HEADERS, self._unfold(answer))
        entry.dropped += tuple(loss.path for loss in encoded.losses)
        return Answer(200, _JSON_HEADERS, encoded.body)

    async def _stream(
        self, response: Response, translation: StreamTranslation, entry: Entry
    ) -> AsyncGenerator[bytes, None]:
        """The caller's events as the provider's arrive.

        A failure before the answer has begun is raised, so that it keeps its true status; a later
        one is an event of the caller's protocol.
        """
        try:
            async for written in _translate(response, translation, self.target):
                if translation.error is not None:
                    if not translation.begun:
                        raise self._for_caller(translation.error)
                    entry.error = translation.error.message
                entry.mark_first_byte()
                entry.complete = translation.finish is not None
                yield written
        finally:
            entry.usage = translation.usage
            await response.aclose()

    def _for_caller(self, error: DragomanError) -> DragomanError:
        """`error` without the provider's own body, unless that is in the caller's shape too."""
        shape = self.call.operation.error_shape
        if isinstance(error, UpstreamRefused) and not in_shape(shape, error.body):
            error.body = b""
        return error

    async def _unfold(self, answer: ir.Response) -> AsyncGenerator[bytes, None]:
        """A whole answer as the stream that the caller asked for."""
        encoder = codec(self.call.operation.protocol).stream_encoder(self._view)
        yield b"".join(map(encoder.feed, fold.unfold(answer)))

    def _asked_operation(self, stream: bool) -> Operation:
        is_gemini_stream = stream and self.operation is GENERATE_CONTENT
        return STREAM_GENERATE_CONTENT if is_gemini_stream else self.operation


async def _translate(
    response: Response, translation: StreamTranslation, target: Target
) -> AsyncGenerator[bytes, None]:
    """What the caller gets, in pieces that are never empty."""
    reader = sse.Reader()
    try:
        async for chunk in response:
            if written := b"".join(map(translation.feed, reader.feed(chunk))):
                yield written
            if translation.error is not None:
                return
            if reader.held_bytes > sse.LONGEST_EVENT:
                raise endless_event(target)
        if written := b"".join(map(translation.feed, reader.close())) + translation.close():
            yield written
    except UpstreamError as error:
        yield translation.fail(error)


def _too_lossy(losses: Mapping[str, str]) -> Untranslatable:
    told = "; ".join(f"`{path}`: {why}" for path, why in losses.items())
    return Untranslatable(
        f"Not everything can be carried to the provider's protocol: {told}.",
        paths=list(losses),
    )
