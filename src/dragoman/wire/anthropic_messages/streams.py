"""Streams: of providers that speak Messages, and for clients that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dragoman import envelope, fold, ir, sse
from dragoman.errors import DragomanError, UpstreamDied, UpstreamError, UpstreamRefused
from dragoman.protocols import MESSAGES
from dragoman.wire import CallerView
from dragoman.wire.anthropic_messages.answers import (
    StopDetails,
    WireUsage,
    read_answer_blocks,
    read_finish,
    write_answer_part,
    write_finish,
    write_leading,
    write_usage,
)
from dragoman.wire.anthropic_messages.blocks import read_citation, write_citation
from dragoman.wire.call_ids import fit
from dragoman.wire.documents import encode, parse_object
from dragoman.wire.error_bodies import decode_error, encode_error_event

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_EMPTY: tuple[ir.Event, ...] = ()


class _Message(msgspec.Struct):
    id: str = ""
    model: str = ""
    usage: WireUsage = WireUsage()


class _MessageStart(msgspec.Struct, tag="message_start"):
    message: _Message


class _BlockStart(msgspec.Struct, tag="content_block_start"):
    index: int
    content_block: dict[str, Any]


class _InnerDelta(msgspec.Struct):
    """Every delta's members: they are few, and one shape decodes faster than a union."""

    type: str
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: dict[str, Any] | None = None


class _BlockDelta(msgspec.Struct, tag="content_block_delta"):
    index: int
    delta: _InnerDelta


class _BlockStop(msgspec.Struct, tag="content_block_stop"):
    index: int


class _EndDelta(msgspec.Struct):
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None


class _MessageDelta(msgspec.Struct, tag="message_delta"):
    delta: _EndDelta = msgspec.field(default_factory=_EndDelta)
    usage: WireUsage | None = None


class _MessageStop(msgspec.Struct, tag="message_stop"):
    pass


class _Ping(msgspec.Struct, tag="ping"):
    pass


class _Error(msgspec.Struct, tag="error"):
    pass


class _Typed(msgspec.Struct):
    type: str


_WireEvent = (
    _BlockDelta
    | _BlockStart
    | _BlockStop
    | _MessageStart
    | _MessageDelta
    | _MessageStop
    | _Ping
    | _Error
)
_DECODER: msgspec.json.Decoder[_WireEvent] = msgspec.json.Decoder(_WireEvent)
_TYPE_DECODER = msgspec.json.Decoder(_Typed)
_KNOWN = frozenset(
    (
        "content_block_delta",
        "content_block_start",
        "content_block_stop",
        "message_start",
        "message_delta",
        "message_stop",
        "ping",
        "error",
    )
)


class Decoder:
    """Reads one stream. Block indexes serve as part indexes; a block that only Anthropic knows is
    held until it is complete."""

    def __init__(self, origin: ir.Origin) -> None:
        self._origin = origin
        self._usage = WireUsage()
        self._end = _EndDelta()
        self._held: dict[int, tuple[ir.Opaque, list[str]]] = {}
        self._done = False

    def feed(self, event: sse.Event) -> Sequence[ir.Event]:
        if self._done:
            return _EMPTY
        try:
            return self._read(_DECODER.decode(event.data), event.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _EMPTY if _is_new(event.data) else self._fail(_garbage(error))
        except UpstreamError as error:
            return self._fail(error)

    def close(self) -> Sequence[ir.Event]:
        if self._done:
            return _EMPTY
        return self._fail(UpstreamDied("The provider's stream ended without message_stop."))

    def _read(self, event: _WireEvent, data: bytes) -> Sequence[ir.Event]:
        match event:
            case _BlockDelta():
                return self._read_delta(event.index, event.delta)
            case _BlockStart():
                return self._open_block(event)
            case _BlockStop():
                return self._close_block(event.index)
            case _MessageStart():
                message = event.message
                self._usage = message.usage
                usage = message.usage.disjoint()
                tier = message.usage.service_tier
                return (ir.Start(message.id, message.model, usage, service_tier=tier),)
            case _MessageDelta():
                self._usage = self._usage.updated(event.usage)
                self._end = event.delta
                return _EMPTY
            case _MessageStop():
                self._done = True
                end = self._end
                finish = read_finish(end.stop_reason, end.stop_sequence, end.stop_details)
                return (ir.Finished(finish, self._usage.disjoint()),)
            case _Ping():
                return (ir.KeepAlive(),)
            case _Error():
                return self._fail(_refusal(data))

    def _read_delta(self, index: int, delta: _InnerDelta) -> Sequence[ir.Event]:
        text = delta.text or delta.thinking or delta.partial_json
        if text and index in self._held:
            self._held[index][1].append(text)
            return _EMPTY
        if text:
            return (ir.Delta(index, text),)
        if delta.signature:
            return (ir.Sealing(index, ir.Sealed(delta.signature, self._origin)),)
        if delta.citation is not None:
            return (ir.Cited(index, read_citation(delta.citation)),)
        return _EMPTY

    def _open_block(self, event: _BlockStart) -> Sequence[ir.Event]:
        for part in read_answer_blocks([event.content_block], self._origin):
            if isinstance(part, ir.Opaque):
                self._held[event.index] = part, []
                return _EMPTY
            if isinstance(part, ir.ToolCall) and part.arguments == "{}":
                part = msgspec.structs.replace(part, arguments="")  # they come in deltas
            return (ir.PartStart(event.index, part),)
        return _EMPTY

    def _close_block(self, index: int) -> Sequence[ir.Event]:
        if index not in self._held:
            return (ir.PartEnd(index),)
        part, pieces = self._held.pop(index)
        arguments = parse_object("".join(pieces))
        if arguments is not None:
            part = msgspec.structs.replace(part, value={**part.value, "input": arguments})
        return ir.PartStart(index, part), ir.PartEnd(index)

    def _fail(self, error: DragomanError) -> Sequence[ir.Event]:
        self._done = True
        return (ir.StreamError(error),)


class Encoder:
    """Writes one stream. It counts blocks itself, since a part may need more than one."""

    def __init__(self, view: CallerView) -> None:
        self.losses: list[ir.Loss] = []
        self._view = view
        self._block = -1
        self._part: ir.AnyPart | None = None
        self._sealed: list[ir.Sealed] = []
        self._head = b""  # a delta of the open block up to its text; empty while none is open
        self._calls = False

    def feed(self, event: ir.Event) -> bytes:
        match event:
            case ir.Delta():
                return self._head + encode(event.text) + b"}}\n\n" if self._head else b""
            case ir.PartStart():
                return self._start_part(event.part)
            case ir.PartEnd():
                return self._end_part()
            case ir.Sealing():
                self._sealed.append(event.sealed)
                return b""
            case ir.Cited():
                return self._write_citation(event.citation)
            case ir.Start():
                return self._start(event)
            case ir.Finished():
                return self._finish(event)
            case ir.StreamError():
                return encode_error_event(MESSAGES, event.error, self._view.request_id)
            case ir.KeepAlive():
                return _event("ping", {})

    def _start(self, event: ir.Start) -> bytes:
        message: dict[str, Any] = {
            "id": f"msg_{self._view.id}",
            "type": "message",
            "role": "assistant",
            "model": self._view.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(event.usage, event.service_tier),
        }
        return _event("message_start", {"message": message})

    def _start_part(self, part: ir.AnyPart) -> bytes:
        self._part = part
        self._sealed = []
        match part:
            case ir.Text() | ir.Refusal():
                lead = self._write_leading(part.sealed) if isinstance(part, ir.Text) else b""
                opened = self._open({"type": "text", "text": ""}, "text_delta", "text", part.text)
                citations = part.citations if isinstance(part, ir.Text) else ()
                return lead + opened + b"".join(map(self._write_citation, citations))
            case ir.Thinking() if not part.redacted:
                block: dict[str, Any] = {"type": "thinking", "thinking": "", "signature": ""}
                return self._open(block, "thinking_delta", "thinking", part.text)
            case ir.ToolCall():
                self._calls = True
                lead = self._write_leading(part.sealed)
                block: dict[str, Any] = {
                    "type": "tool_use",
                    "id": fit(part.id),
                    "name": part.name,
                    "input": {},
                    **part.extras,
                }
                return lead + self._open(block, "input_json_delta", "partial_json", part.arguments)
            case _:
                return b""  # written whole when it ends

    def _end_part(self) -> bytes:
        part, self._part = self._part, None
        if not self._head:
            return self._write_whole(part)
        signature = b""
        if isinstance(part, ir.Thinking):
            sealed = fold.join_sealed(part.sealed, self._sealed)
            if sealed is not None:
                signature = self._write_delta(
                    {"type": "signature_delta", "signature": envelope.seal(sealed)}
                )
        elif self._sealed:
            self.losses.append(ir.Loss("response.signature", "it came after its part had begun"))
        self._head = b""
        return signature + _event("content_block_stop", {"index": self._block})

    def _open(self, block: dict[str, Any], delta: str, member: str, text: str) -> bytes:
        """Starts a block whose deltas have the type `delta` and their text under `member`."""
        self._block += 1
        self._head = (
            b"event: content_block_delta\n"
            b'data: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":'
        ) % (self._block, delta.encode(), member.encode())
        start = _event("content_block_start", {"index": self._block, "content_block": block})
        return start + self._head + encode(text) + b"}}\n\n" if text else start

    def _write_whole(self, part: ir.AnyPart | None) -> bytes:
        if isinstance(part, ir.Thinking):
            sealed = fold.join_sealed(part.sealed, self._sealed)
            part = msgspec.structs.replace(part, sealed=sealed)
        if part is None:
            return b""
        return self._write_blocks(write_answer_part(part, "response", self.losses))

    def _write_leading(self, sealed: ir.Sealed | None) -> bytes:
        return self._write_blocks(write_leading(sealed))

    def _write_blocks(self, blocks: list[dict[str, Any]]) -> bytes:
        written = b""
        for block in blocks:
            self._block += 1
            start = {"index": self._block, "content_block": block}
            written += _event("content_block_start", start)
            written += _event("content_block_stop", {"index": self._block})
        return written

    def _write_citation(self, citation: ir.Citation) -> bytes:
        return self._write_delta({"type": "citations_delta", "citation": write_citation(citation)})

    def _write_delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", {"index": self._block, "delta": delta})

    def _finish(self, event: ir.Finished) -> bytes:
        finish = fold.settle_reason(event.finish, calls=self._calls)
        delta = {"delta": write_finish(finish), "usage": write_usage(event.usage)}
        return _event("message_delta", delta) + _event("message_stop", {})


def stream_decoder(origin: ir.Origin) -> Decoder:
    """A decoder for one stream of `origin`."""
    return Decoder(origin)


def stream_encoder(view: CallerView) -> Encoder:
    """An encoder for one stream that the caller sees as `view` says."""
    return Encoder(view)


def _event(name: str, members: dict[str, Any]) -> bytes:
    return sse.encode(encode({"type": name, **members}), name.encode())


def _is_new(data: bytes) -> bool:
    """Whether `data` is an event of a type that came after this was written."""
    try:
        return _TYPE_DECODER.decode(data).type not in _KNOWN
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _garbage(error: Exception) -> UpstreamDied:
    return UpstreamDied(f"The provider's stream holds an event that cannot be read: {error}.")


def _refusal(data: bytes) -> UpstreamRefused:
    """The failure that an error event reports."""
    said = decode_error(data)
    status = _STATUSES.get(said.code or "", 500)
    return UpstreamRefused(said.message, status=status, body=data, code=said.code)
