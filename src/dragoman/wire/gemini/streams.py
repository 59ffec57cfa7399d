"""Streams: of providers that speak Gemini, and for clients that do."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from dragoman import fold, ir, sse
from dragoman.errors import DragomanError, UpstreamDied, UpstreamError, UpstreamRefused
from dragoman.protocols import STREAM_GENERATE_CONTENT
from dragoman.wire import CallerView
from dragoman.wire.documents import encode
from dragoman.wire.error_bodies import decode_error, encode_error_event
from dragoman.wire.fields import object_of
from dragoman.wire.gemini.answers import (
    Candidate,
    Chunk,
    failure,
    read_answer_part,
    read_block,
    read_finish,
    write_answer_part,
    write_finish,
    write_usage,
)
from dragoman.wire.gemini.grounding import Source, write_grounding, write_logprobs

_EMPTY: tuple[ir.Event, ...] = ()
_DONE = b"[DONE]"
_DECODER = msgspec.json.Decoder(Chunk)
_ERRORS = msgspec.json.Decoder(list[Any])


class Decoder:
    """Reads one stream. Text and thinking grow over the chunks as long as nothing else comes
    between; every other part is whole in its chunk, and so is a text that carries a signature,
    which holds for exactly that text."""

    def __init__(self, origin: ir.Origin) -> None:
        self._origin = origin
        self._id = ""
        self._parts = 0
        self._lane: type[ir.Text | ir.Thinking] | None = None  # what is open,
        self._index = 0  # and its index
        self._complete = False  # no more text may join it, though citations may
        self._said: list[str] = []  # the text of the whole answer, over which citations count
        self._before = 0  # how many entries of it belong to earlier parts
        self._cited: set[Source] = set()
        self._finish: ir.Finish | None = None
        self._usage = ir.Usage()
        self._calls = False
        self._done = False

    def feed(self, event: sse.Event) -> Sequence[ir.Event]:
        if self._done:
            return _EMPTY
        if event.data == _DONE:
            return self.close()
        try:
            chunk = _DECODER.decode(event.data)
            return self._read(chunk, event.data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return self._fail(_refusal(event.data) or _garbage(error))
        except UpstreamError as error:
            return self._fail(error)

    def close(self) -> Sequence[ir.Event]:
        if self._done:
            return _EMPTY
        if self._finish is None:
            return self._fail(UpstreamDied("The provider's stream ended without a finishReason."))
        return self._end(self._finish)

    def _read(self, chunk: Chunk, data: bytes) -> Sequence[ir.Event]:
        if chunk.error is not None:
            return self._fail(_refusal(data) or _garbage(UpstreamError("an error without a word")))
        events: list[ir.Event] = []
        if chunk.usage_metadata is not None:
            self._usage = chunk.usage()
        if not self._id:
            self._id = chunk.response_id or sha256(data).hexdigest()[:16]
            usage = msgspec.structs.replace(self._usage, output=0, reasoning=0)
            events.append(ir.Start(chunk.response_id, chunk.model_version, usage))
        for candidate in chunk.candidates or ():
            if candidate.index == 0:
                self._read_candidate(candidate, events)
        feedback = chunk.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            self._finish = read_block(feedback)
        if self._finish is not None and chunk.usage_metadata is not None:
            events += self._end(self._finish)
        return events

    def _read_candidate(self, candidate: Candidate, events: list[ir.Event]) -> None:
        logprobs: tuple[ir.Logprob, ...] = ()
        if candidate.logprobs_result is not None:
            logprobs = candidate.logprobs_result.read()
        for value in candidate.parts:
            text = value.get("text")
            if isinstance(text, str) and "thoughtSignature" not in value:
                if value.get("thought"):
                    self._grow(ir.Thinking, text, (), events)
                else:
                    self._grow(ir.Text, text, logprobs, events)
                    logprobs = ()
            else:
                self._read_whole(value, events)
        if logprobs:
            events.append(ir.Delta(self._enter(ir.Text, events), "", logprobs))
        for source in candidate.sources():
            self._cite(source, events)
        if candidate.finish_reason is not None:
            finish = read_finish(candidate.finish_reason, candidate.finish_message)
            self._finish = fold.settle_reason(finish, calls=self._calls)

    def _grow(
        self,
        kind: type[ir.Text | ir.Thinking],
        text: str,
        logprobs: tuple[ir.Logprob, ...],
        events: list[ir.Event],
    ) -> None:
        if not text and not logprobs:
            return
        index = self._enter(kind, events)
        if kind is ir.Text:
            self._said.append(text)
        events.append(ir.Delta(index, text, logprobs))

    def _read_whole(self, value: dict[str, Any], events: list[ir.Event]) -> None:
        part = read_answer_part(value, f"call_{self._id}_0_{self._parts}", self._origin)
        if part is None:
            return
        if isinstance(part, ir.Thinking) and part.sealed and not part.redacted:
            index = self._enter(ir.Thinking, events)
            if part.text:
                events.append(ir.Delta(index, part.text))
            events.append(ir.Sealing(index, part.sealed))
            self._leave(events)
            return
        if isinstance(part, ir.Thinking) and self._lane is ir.Text:
            self._complete = True  # citations of the text come with or behind the state
        else:
            self._leave(events)
        if isinstance(part, ir.ToolCall):
            self._calls = True
        if isinstance(part, ir.Text):
            self._before = len(self._said)
            self._said.append(part.text)
        events += (ir.PartStart(self._parts, part), ir.PartEnd(self._parts))
        self._parts += 1

    def _enter(self, kind: type[ir.Text | ir.Thinking], events: list[ir.Event]) -> int:
        """The index of the open part of this kind, which is begun if it is not there."""
        if self._lane is kind and not self._complete:
            return self._index
        self._leave(events)
        self._lane, self._index = kind, self._parts
        if kind is ir.Text:
            self._before = len(self._said)
            part: ir.AnyPart = ir.Text("")
        else:
            part = ir.Thinking("", sealed=ir.Sealed("", self._origin))
        events.append(ir.PartStart(self._index, part))
        self._parts += 1
        return self._index

    def _leave(self, events: list[ir.Event]) -> None:
        if self._lane is not None:
            events.append(ir.PartEnd(self._index))
            self._lane, self._complete = None, False

    def _cite(self, source: Source, events: list[ir.Event]) -> None:
        """A citation, once: some models repeat them with every chunk. They come behind the text,
        and go to the part of it that is open."""
        if source in self._cited:
            return
        self._cited.add(source)
        index = self._index if self._lane is ir.Text else self._enter(ir.Text, events)
        before = "".join(self._said[: self._before])
        text = "".join(self._said[self._before :])
        events.append(ir.Cited(index, source.within(text, before)))

    def _end(self, finish: ir.Finish) -> Sequence[ir.Event]:
        self._done = True
        if finish.reason is ir.FinishReason.ERROR and self._parts == 0:
            return (ir.StreamError(failure(finish)),)
        events: list[ir.Event] = []
        self._leave(events)
        return [*events, ir.Finished(finish, self._usage)]

    def _fail(self, error: DragomanError) -> Sequence[ir.Event]:
        self._done = True
        return (ir.StreamError(error),)


class Encoder:
    """Writes one stream. Text goes out as it comes, a call once its arguments are whole. Every
    chunk holds a part, if only an empty text: Google's SDKs drop a turn from their history in
    which a chunk holds none."""

    def __init__(self, view: CallerView) -> None:
        self.losses: list[ir.Loss] = []
        self._view = view
        self._before = b'data: {"candidates":[{"index":0,"content":{"role":"model","parts":['
        identity = {"modelVersion": view.model, "responseId": view.id}
        self._identity = b"," + encode(identity)[1:]
        self._after = b"]}}]" + self._identity + b"\n\n"
        # Google's Python SDK takes a comment for a broken answer, so that silence is filled with a
        # thought of nothing, which every client knows and `read_part` skips.
        self._keep_alive = self._before + b'{"text":"","thought":true}' + self._after
        self._head = b""  # a chunk of the open part up to its text
        self._tail = b""
        self._part: ir.AnyPart | None = None
        self._pieces: list[str] = []
        self._sealed: list[ir.Sealed] = []
        self._said: list[str] = []
        self._part_from = 0
        self._citing: list[ir.Citation] = []  # of the open part
        self._citations: list[ir.Citation] = []  # of the whole text
        self._calls = False

    def feed(self, event: ir.Event) -> bytes:
        match event:
            case ir.Delta():
                return self._write_delta(event)
            case ir.PartStart():
                return self._start_part(event.part)
            case ir.PartEnd():
                return self._end_part()
            case ir.Sealing():
                self._sealed.append(event.sealed)
                return b""
            case ir.Cited():
                self._citing.append(event.citation)
                return b""
            case ir.Start():
                return b""  # every chunk says what there is to say
            case ir.Finished():
                return self._finish(event)
            case ir.StreamError():
                return encode_error_event(
                    STREAM_GENERATE_CONTENT, event.error, self._view.request_id
                )
            case ir.KeepAlive():
                return self._keep_alive

    def _write_delta(self, event: ir.Delta) -> bytes:
        if not self._head:
            self._pieces.append(event.text)
            return b""
        if isinstance(self._part, ir.Text):
            self._said.append(event.text)
        if event.logprobs:
            found = {"logprobsResult": write_logprobs(event.logprobs)}
            tail = self._tail.replace(b"]}}]", b"]}," + encode(found)[1:] + b"]", 1)
            return self._head + encode(event.text) + tail
        return self._head + encode(event.text) + self._tail if event.text else b""

    def _start_part(self, part: ir.AnyPart) -> bytes:
        self._part = part
        self._sealed = []
        self._pieces = []
        self._head = b""
        match part:
            case ir.Text():
                self._part_from = sum(map(len, self._said))
                self._citing = list(part.citations)
                if part.sealed is not None:
                    self._said.append(part.text)
                    return self._write_part(part)
                return self._open(b"}", part.text, part.logprobs)
            case ir.Refusal():
                return self._open(b"}", part.text)
            case ir.Thinking() if not part.redacted:
                return self._open(b',"thought":true}', part.text)
            case ir.ToolCall():
                self._calls = True
                return b""
            case _:
                return b""  # written whole when it ends

    def _open(self, closed: bytes, text: str, logprobs: tuple[ir.Logprob, ...] = ()) -> bytes:
        """Sets what stands before and after the text in each chunk of the open part."""
        self._head = self._before + b'{"text":'
        self._tail = closed + self._after
        return self._write_delta(ir.Delta(0, text, logprobs)) if text or logprobs else b""

    def _end_part(self) -> bytes:
        part, self._part = self._part, None
        written = b""
        match part:
            case ir.Thinking():
                sealed = fold.join_sealed(part.sealed, self._sealed)
                if part.redacted or sealed is not None:
                    last = msgspec.structs.replace(part, text="", sealed=sealed)
                    written = self._write_part(last)
            case ir.ToolCall():
                sealed = fold.join_sealed(part.sealed, self._sealed)
                arguments = part.arguments + "".join(self._pieces)
                call = msgspec.structs.replace(part, arguments=arguments, sealed=sealed)
                written = self._write_part(call)
            case ir.Text() | ir.Refusal() | None:
                self._place_citations()
                sealed = fold.join_sealed(None, self._sealed)
                if sealed is not None:
                    written = self._write_part(ir.Thinking("", sealed=sealed, redacted=True))
            case _:
                written = self._write_part(part)
        self._head = b""
        return written

    def _write_part(self, part: ir.AnyPart) -> bytes:
        value = write_answer_part(part, "response", self.losses)
        return b"" if value is None else self._before + encode(value) + self._after

    def _place_citations(self) -> None:
        """Remembers the open part's citations for the last chunk, counted over the whole text; one
        that does not say where it belongs covers the part."""
        length = sum(map(len, self._said))
        for citation in self._citing:
            start = self._part_from + (citation.start or 0)
            end = length if citation.end is None else self._part_from + citation.end
            self._citations.append(msgspec.structs.replace(citation, start=start, end=end))
        self._citing = []

    def _finish(self, event: ir.Finished) -> bytes:
        finish = fold.settle_reason(event.finish, calls=self._calls)
        candidate: dict[str, Any] = {
            "index": 0,
            "content": {"role": "model", "parts": [{"text": ""}]},
            **write_finish(finish, self.losses),
        }
        if grounding := write_grounding([(0, "".join(self._said), self._citations)]):
            candidate["groundingMetadata"] = grounding
        body = {"candidates": [candidate], "usageMetadata": write_usage(event.usage)}
        return b"data: " + encode(body)[:-1] + self._identity + b"\n\n"


def stream_decoder(origin: ir.Origin) -> Decoder:
    """A decoder for one stream of `origin`."""
    return Decoder(origin)


def stream_encoder(view: CallerView) -> Encoder:
    """An encoder for one stream that the caller sees as `view` says."""
    return Encoder(view)


def _garbage(error: Exception) -> UpstreamDied:
    return UpstreamDied(f"The provider's stream holds an event that cannot be read: {error}.")


def _refusal(data: bytes) -> UpstreamRefused | None:
    """The failure that an event reports, which may stand in an array; None where it is none."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(value, list) and value:
        value = _ERRORS.decode(data)[0]
    error = object_of(object_of(value).get("error"))
    if not error:
        return None
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code <= 599 else 500
    said = decode_error(data)
    return UpstreamRefused(said.message, status=status, body=data, code=said.code)
