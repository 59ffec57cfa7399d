"""Taps: passive readers of a relayed answer, for its usage and for its true end.

A tap sees the bytes that go to the client and never changes, delays or breaks them: what it does
not understand it skips. It parses only events that can hold what it looks for, which a search
for a few byte strings decides.

A stream has `ended` when its protocol's terminal event was there: `[DONE]` or a finish reason
(some providers of Chat leave `[DONE]` out), `response.completed`, `.incomplete` or `.failed`,
`message_stop`, a Gemini `finishReason`, or an error event of the provider's own.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from dragoman import sse
from dragoman.ir import Usage
from dragoman.protocols import Operation, Protocol
from dragoman.usage_fields import AnthropicUsage, GeminiUsage, OpenAIUsage

T = TypeVar("T")


class Tap:
    """Base of the taps, and the one for answers in which there is nothing to read.

    `usage` is None as long as the provider has told nothing.
    """

    usage: Usage | None = None
    ended = False

    def read(self, body: bytes) -> None:
        """Reads a whole answer."""

    def feed(self, events: bytes) -> None:
        """Reads whole events of a stream."""


class _Choice(msgspec.Struct):
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    usage: OpenAIUsage | None = None
    choices: list[_Choice] | None = None
    error: Any = None


class OpenAITap(Tap):
    """Chat, Completions, Embeddings."""

    def read(self, body: bytes) -> None:
        chunk = _decode(body, _CHUNK)
        if chunk and chunk.usage:
            self.usage = chunk.usage.counts()

    def feed(self, events: bytes) -> None:
        if not any(word in events for word in (b'"usage"', b"finish_reason", b"[DONE]", b"error")):
            return
        for event in sse.read(events):
            if event.data == b"[DONE]":
                self.ended = True
            elif chunk := _decode(event.data, _CHUNK):
                if chunk.usage:
                    self.usage = chunk.usage.counts()
                if chunk.error or any(each.finish_reason for each in chunk.choices or ()):
                    self.ended = True


class _ResponseObject(msgspec.Struct):
    usage: OpenAIUsage | None = None


class _ResponseEvent(msgspec.Struct):
    type: str = ""
    response: _ResponseObject | None = None


class ResponsesTap(Tap):
    """OpenAI Responses."""

    _LAST = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})

    def read(self, body: bytes) -> None:
        response = _decode(body, _RESPONSE)
        if response and response.usage:
            self.usage = response.usage.counts()

    def feed(self, events: bytes) -> None:
        if not any(word in events for word in (b"completed", b"incomplete", b"failed", b'"error"')):
            return
        for event in sse.read(events):
            found = _decode(event.data, _RESPONSE_EVENT)
            if found and found.type in self._LAST:
                self.ended = True
                if found.response and found.response.usage:
                    self.usage = found.response.usage.counts()


class _Message(msgspec.Struct):
    usage: AnthropicUsage | None = None


class _MessageEvent(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    usage: AnthropicUsage | None = None


class MessagesTap(Tap):
    """Anthropic Messages: `message_delta` brings the totals, `message_start` those of the input."""

    _so_far = AnthropicUsage()

    def read(self, body: bytes) -> None:
        message = _decode(body, _MESSAGE)
        if message and message.usage:
            self.usage = message.usage.counts()

    def feed(self, events: bytes) -> None:
        if b"message_" not in events and b'"error"' not in events:
            return
        for event in sse.read(events):
            found = _decode(event.data, _MESSAGE_EVENT)
            if found is None:
                continue
            usage = found.usage or (found.message.usage if found.message else None)
            if usage:
                self._so_far = self._so_far.updated(usage)
                self.usage = self._so_far.counts()
            if found.type in {"message_stop", "error"}:
                self.ended = True


class _Candidate(msgspec.Struct, rename="camel"):
    finish_reason: str | None = None


class _GeminiChunk(msgspec.Struct, rename="camel"):
    usage_metadata: GeminiUsage | None = None
    candidates: list[_Candidate] | None = None
    prompt_feedback: dict[str, Any] | None = None
    error: Any = None


class GeminiTap(Tap):
    """Gemini: every chunk has the totals so far; a blocked prompt has no candidate at all."""

    def read(self, body: bytes) -> None:
        chunk = _decode(body, _GEMINI_CHUNK)
        if chunk and chunk.usage_metadata:
            self.usage = chunk.usage_metadata.counts()

    def feed(self, events: bytes) -> None:
        for event in sse.read(events):
            chunk = _decode(event.data, _GEMINI_CHUNK)
            if chunk is None:
                continue
            if chunk.usage_metadata:
                self.usage = chunk.usage_metadata.counts()
            blocked = (chunk.prompt_feedback or {}).get("blockReason")
            if blocked or chunk.error or any(c.finish_reason for c in chunk.candidates or ()):
                self.ended = True


_CHUNK = msgspec.json.Decoder(_Chunk)
_RESPONSE = msgspec.json.Decoder(_ResponseObject)
_RESPONSE_EVENT = msgspec.json.Decoder(_ResponseEvent)
_MESSAGE = msgspec.json.Decoder(_Message)
_MESSAGE_EVENT = msgspec.json.Decoder(_MessageEvent)
_GEMINI_CHUNK = msgspec.json.Decoder(_GeminiChunk)

_TAPS: dict[Protocol, type[Tap]] = {
    Protocol.CHAT: OpenAITap,
    Protocol.COMPLETIONS: OpenAITap,
    Protocol.EMBEDDINGS: OpenAITap,
    Protocol.RESPONSES: ResponsesTap,
    Protocol.MESSAGES: MessagesTap,
    Protocol.GEMINI: GeminiTap,
}


def open_tap(operation: Operation) -> Tap:
    """A tap for one answer of `operation`."""
    return _TAPS[operation.protocol]()


def _decode(data: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    """None where a provider's answer is not of the shape that the tap knows."""
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
