"""Streams: of providers that speak Chat, and for clients that do.

Chat names no parts: a chunk says which member of the message grows. The decoder keeps one open
lane for thinking and one for text, and one for each tool call, told apart by the call's `index`
(or its id, where a vendor leaves the index out or repeats it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dragoman import fold, ir, sse
from dragoman.envelope import seal
from dragoman.errors import DragomanError, UpstreamDied, UpstreamRefused
from dragoman.protocols import CHAT
from dragoman.wire import CallerView
from dragoman.wire.call_ids import fit
from dragoman.wire.documents import encode
from dragoman.wire.error_bodies import decode_error, encode_error_event
from dragoman.wire.fields import object_of, objects_of
from dragoman.wire.openai_chat.answers import (
    WireCustom,
    WireFunction,
    WireLogprobs,
    WireUsage,
    read_annotation,
    read_content,
    read_finish,
    write_annotation,
    write_finish,
    write_logprobs,
    write_usage,
)
from dragoman.wire.openai_chat.thoughts import read_signature, write_entry, write_signature

_DONE = b"[DONE]"
_NOTHING: tuple[ir.Event, ...] = ()


class _CallDelta(msgspec.Struct):
    index: int | None = None
    id: str | None = None
    function: WireFunction | None = None
    custom: WireCustom | None = None
    extra_content: dict[str, Any] | None = None


class _Delta(msgspec.Struct):
    content: str | list[Any] | None = None
    tool_calls: list[_CallDelta] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    refusal: str | None = None
    annotations: list[Any] | None = None


class _Choice(msgspec.Struct):
    delta: _Delta | None = None
    index: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None
    logprobs: WireLogprobs | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Choice] | None = None
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    service_tier: str | None = None
    usage: WireUsage | None = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Chunk)


class _Call:
    """A tool call that is still growing. Its part starts once the name is known."""

    __slots__ = ("held", "id", "index", "started")

    def __init__(self, index: int, id: str | None) -> None:
        self.index = index
        self.id = id
        self.started = False
        self.held = ""


class Decoder:
    """Reads one stream, its first choice alone: nobody asks for more in a translated stream."""

    def __init__(self, origin: ir.Origin) -> None:
        self._origin = origin
        self._usage = ir.Usage()
        self._finish: ir.Finish | None = None
        self._started = False
        self._done = False
        self._parts = 0
        self._lane: tuple[type[ir.Part], int] | None = None  # the open text, thinking or refusal
        self._details: list[Any] = []
        self._calls: dict[int, _Call] = {}
        self._last: _Call | None = None
        self._refused = False
        self._id = ""

    def feed(self, event: sse.Event) -> Sequence[ir.Event]:
        if self._done:
            return _NOTHING
        if event.data == _DONE:
            return self._end()
        try:
            chunk = _DECODER.decode(event.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return self._fail(UpstreamDied(f"The provider's stream cannot be read: {error}."))
        if chunk.error:
            said = decode_error(event.data)
            code = object_of(chunk.error).get("code")
            status = code if isinstance(code, int) and 400 <= code < 600 else 502
            refusal = UpstreamRefused(said.message, status=status, body=event.data, code=said.code)
            return self._fail(refusal)
        return self._read(chunk)

    def close(self) -> Sequence[ir.Event]:
        if self._done:
            return _NOTHING
        return self._fail(UpstreamDied("The provider's stream ended without [DONE]."))

    def _read(self, chunk: _Chunk) -> Sequence[ir.Event]:
        events: list[ir.Event] = []
        if not self._started:
            events.append(self._start(chunk))
        if chunk.usage is not None:
            self._usage = chunk.usage.disjoint()
        for choice in chunk.choices or ():
            if choice.index != 0:
                continue
            if choice.delta is not None:
                self._read_delta(choice.delta, choice.logprobs, events)
            if choice.finish_reason is not None:
                hit = choice.stop_reason if isinstance(choice.stop_reason, str) else None
                self._finish = read_finish(choice.finish_reason, hit, refused=self._refused)
        return events

    def _start(self, chunk: _Chunk) -> ir.Start:
        self._started = True
        self._id = chunk.id or ""
        created = None if chunk.created is None else int(chunk.created)
        tier = chunk.service_tier
        return ir.Start(self._id, chunk.model or "", created=created, service_tier=tier)

    def _read_delta(
        self, delta: _Delta, logprobs: WireLogprobs | None, events: list[ir.Event]
    ) -> None:
        text = delta.content
        thought = delta.reasoning_content or delta.reasoning
        if text.__class__ is list:
            chunked, text = read_content(text)
            thought = thought or chunked
        if thought or delta.reasoning_details:
            index = self._enter(ir.Thinking, events)
            if thought:
                events.append(ir.Delta(index, thought))
            if delta.reasoning_details:
                self._details += delta.reasoning_details
        if text:
            index = self._enter(ir.Text, events)
            found = logprobs.neutral() if logprobs is not None else ()
            events.append(ir.Delta(index, str(text), found))
        if delta.annotations:
            self._cite(delta.annotations, events)
        if delta.refusal:
            self._refused = True
            events.append(ir.Delta(self._enter(ir.Refusal, events), delta.refusal))
        if delta.tool_calls:
            for call in delta.tool_calls:
                self._read_call(call, events)

    def _enter(self, kind: type[ir.Part], events: list[ir.Event]) -> int:
        """The index of the open part of this kind; what else is open is left."""
        if self._lane is not None and self._lane[0] is kind:
            return self._lane[1]
        self._leave(events)
        index = self._parts
        self._parts += 1
        self._lane = kind, index
        if kind is ir.Thinking:
            part: ir.AnyPart = ir.Thinking("", sealed=ir.Sealed("", self._origin))
        else:
            part = ir.Text("") if kind is ir.Text else ir.Refusal("")
        events.append(ir.PartStart(index, part))
        return index

    def _leave(self, events: list[ir.Event]) -> None:
        if self._lane is None:
            return
        index = self._lane[1]
        if self._details:
            value = encode(_join_details(self._details)).decode()
            events.append(ir.Sealing(index, ir.Sealed(value, self._origin)))
            self._details = []
        events.append(ir.PartEnd(index))
        self._lane = None

    def _cite(self, annotations: list[Any], events: list[ir.Event]) -> None:
        index = self._enter(ir.Text, events)
        for annotation in objects_of(annotations):
            events.append(ir.Cited(index, read_annotation(annotation)))

    def _read_call(self, delta: _CallDelta, events: list[ir.Event]) -> None:
        self._leave(events)
        call = self._find_call(delta)
        piece = delta.custom or delta.function
        name = piece.name if piece else None
        text = piece.text() if piece else ""
        if not call.started:
            if not name:
                call.held += text
                return
            call.started = True
            text = call.held + text
            events.append(ir.PartStart(call.index, self._open_call(call, name, delta)))
        if text:
            events.append(ir.Delta(call.index, text))

    def _open_call(self, call: _Call, name: str, delta: _CallDelta) -> ir.ToolCall:
        signature = read_signature(delta.extra_content)
        return ir.ToolCall(
            call.id or f"call_{self._id}_{call.index}",
            name,
            "",
            kind=ir.ToolKind.FUNCTION if delta.custom is None else ir.ToolKind.CUSTOM,
            sealed=ir.Sealed(signature, self._origin) if signature else None,
        )

    def _find_call(self, delta: _CallDelta) -> _Call:
        """The call that a piece belongs to."""
        last = self._last
        if delta.index is None:
            same = last is not None and (not delta.id or delta.id == last.id)
            call = last if same else None
        else:
            call = self._calls.get(delta.index)
            if call is not None and delta.id and call.id and delta.id != call.id:
                call = None  # another call under the same index
        if call is None:
            call = _Call(self._parts, delta.id)
            self._parts += 1
            self._calls[len(self._calls) if delta.index is None else delta.index] = call
        self._last = call
        return call

    def _end(self) -> Sequence[ir.Event]:
        """`[DONE]` is true only behind a finish reason."""
        if self._finish is None:
            return self._fail(UpstreamDied("The provider's stream ended without a finish reason."))
        events: list[ir.Event] = []
        self._leave(events)
        self._done = True
        events.append(ir.Finished(self._finish, self._usage))
        return events

    def _fail(self, error: DragomanError) -> Sequence[ir.Event]:
        self._done = True
        return (ir.StreamError(error),)


class Encoder:
    """Writes one stream."""

    def __init__(self, view: CallerView) -> None:
        self.losses: list[ir.Loss] = []
        self._view = view
        usage = b',"usage":null' if view.request.stream_usage else b""
        self._before = (
            b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"choices":'
        ) % (encode(f"chatcmpl-{view.id}"), view.created, encode(view.model))
        self._open_choice = self._before + b'[{"index":0,"delta":'
        self._close_choice = b',"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"
        self._head = b""  # a delta chunk of the open part up to its text
        self._tail = b""
        self._part: ir.AnyPart | None = None
        self._thought: list[str] = []
        self._sealed: list[ir.Sealed] = []
        self._text_length = 0
        self._part_from = 0
        self._calls = 0
        self._thoughts = 0
        self._refused = False

    def feed(self, event: ir.Event) -> bytes:
        match event:
            case ir.Delta():
                return self._write_text(event.text, event.logprobs)
            case ir.PartStart():
                return self._start_part(event.part)
            case ir.PartEnd():
                return self._end_part()
            case ir.Sealing():
                self._sealed.append(event.sealed)
                return b""
            case ir.Cited():
                return self._cite((event.citation,))
            case ir.Start():
                return self._chunk({"role": "assistant", "content": ""})
            case ir.Finished():
                return self._finish(event)
            case ir.StreamError():
                return encode_error_event(CHAT, event.error, self._view.request_id)
            case ir.KeepAlive():
                return sse.PING

    def _write_text(self, text: str, logprobs: Sequence[ir.Logprob] = ()) -> bytes:
        if not self._head:
            return b""
        part = self._part
        if isinstance(part, ir.Text):
            self._text_length += len(text)
        elif isinstance(part, ir.Thinking):
            self._thought.append(text)
        if logprobs:
            found = b',"logprobs":' + encode(write_logprobs(logprobs))
            tail = self._tail.replace(b',"logprobs":null', found, 1)
            return self._head + encode(text) + tail
        return self._head + encode(text) + self._tail

    def _start_part(self, part: ir.AnyPart) -> bytes:
        self._part = part
        self._sealed = []
        self._thought = []
        match part:
            case ir.Text():
                self._part_from = self._text_length
                if part.sealed is not None:
                    why = "Chat has no place for a text's signature"
                    self.losses.append(ir.Loss("response", why))
                self._grow(b'{"content":', b"}")
                first = self._write_text(part.text, part.logprobs) if part.text else b""
                return first + self._cite(part.citations)
            case ir.Thinking():
                self._grow(b'{"reasoning_content":', b"}")
                return self._write_text(part.text) if part.text else b""
            case ir.Refusal():
                self._refused = True
                self._grow(b'{"refusal":', b"}")
                return self._write_text(part.text) if part.text else b""
            case ir.ToolCall():
                return self._start_call(part)
            case ir.Opaque() if part.text is not None:
                return self._chunk({"content": part.text})
            case _:
                self.losses.append(ir.Loss("response", "Chat cannot show this in an answer"))
                return b""

    def _start_call(self, part: ir.ToolCall) -> bytes:
        number = self._calls
        self._calls += 1
        custom = part.kind is ir.ToolKind.CUSTOM
        kind, member = ("custom", "input") if custom else ("function", "arguments")
        call: dict[str, Any] = {
            "index": number,
            "id": fit(part.id),
            "type": kind,
            kind: {"name": part.name, member: part.arguments},
        }
        if part.sealed is not None:
            call["extra_content"] = write_signature(seal(part.sealed))
        opened = b'{"tool_calls":[{"index":%d,"%b":{"%b":'
        self._grow(opened % (number, kind.encode(), member.encode()), b"}}]}")
        return self._chunk({"tool_calls": [call]})

    def _grow(self, opened: bytes, closed: bytes) -> None:
        """Sets what stands before and after the text in each delta of the open part."""
        self._head = self._open_choice + opened
        self._tail = closed + self._close_choice

    def _end_part(self) -> bytes:
        part, self._part = self._part, None
        self._head = b""
        if not isinstance(part, ir.Thinking):
            return b""
        sealed = fold.join_sealed(part.sealed, self._sealed)
        whole = msgspec.structs.replace(part, text="".join(self._thought), sealed=sealed)
        entry = write_entry(whole, self._thoughts)
        self._thoughts += 1
        return b"" if entry is None else self._chunk({"reasoning_details": [entry]})

    def _cite(self, citations: Sequence[ir.Citation]) -> bytes:
        """Annotations over what the part holds so far; sources without a URL have no form here."""
        annotations = [
            write_annotation(citation, self._part_from, self._text_length)
            for citation in citations
            if citation.url is not None
        ]
        return self._chunk({"annotations": annotations}) if annotations else b""

    def _chunk(self, delta: dict[str, Any]) -> bytes:
        return self._open_choice + encode(delta) + self._close_choice

    def _finish(self, event: ir.Finished) -> bytes:
        finish = fold.settle_reason(event.finish, calls=self._calls > 0)
        refusal = b""
        if finish.explanation is not None and not self._refused:
            refusal = self._chunk({"refusal": finish.explanation})
        reason = write_finish(finish, in_words=self._refused)
        last = self._close_choice.replace(
            b'"finish_reason":null', b'"finish_reason":' + encode(reason), 1
        )
        written = refusal + self._open_choice + b"{}" + last
        if self._view.request.stream_usage:
            written += self._before + b'[],"usage":' + encode(write_usage(event.usage)) + b"}\n\n"
        return written + b"data: [DONE]\n\n"


def stream_decoder(origin: ir.Origin) -> Decoder:
    """A decoder for one stream of `origin`."""
    return Decoder(origin)


def stream_encoder(view: CallerView) -> Encoder:
    """An encoder for one stream that the caller sees as `view` says."""
    return Encoder(view)


def _join_details(pieces: list[Any]) -> list[dict[str, Any]]:
    """`reasoning_details` that came in pieces: those of one index and type are one entry, whose
    text grows and whose other members come once."""
    joined: dict[tuple[Any, Any], dict[str, Any]] = {}
    for number, piece in enumerate(objects_of(pieces)):
        key = (piece.get("index", number), piece.get("type"))
        entry = joined.setdefault(key, {})
        for name, value in piece.items():
            if name in ("text", "summary", "data") and isinstance(entry.get(name), str):
                entry[name] += value or ""
            elif value is not None or name not in entry:
                entry[name] = value
    return list(joined.values())
