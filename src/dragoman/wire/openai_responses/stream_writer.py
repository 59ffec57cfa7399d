"""Streams for Responses clients.

Official helpers want every event of the life of an item, in order, with its indexes: the item is
added, its pieces are added, grow and are done, and the item is done, before the next one begins.
Neighbouring texts share one message, which therefore stays open until something else comes.
Events are numbered, and the first two and the last hold the response object.

A failure is told twice, as OpenAI does it: an `error` event, on which SDKs raise, and
`response.failed`, which Codex reads.
"""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman import fold, ir, sse
from dragoman.errors import DragomanError
from dragoman.protocols import ErrorShape
from dragoman.wire import CallerView
from dragoman.wire.documents import encode
from dragoman.wire.error_bodies import encode_error
from dragoman.wire.openai_responses.answers import (
    Item,
    Items,
    closing_refusal,
    response_object,
    wording,
    write_end,
    write_piece,
)
from dragoman.wire.openai_responses.content import encode_citation, encode_logprob

_PLAIN_TAIL = b',"sequence_number":%d}\n\n'
_TEXT_TAIL = b',"logprobs":[],"sequence_number":%d}\n\n'


class Encoder:
    """Writes one stream."""

    def __init__(self, view: CallerView) -> None:
        self._view = view
        self._items = Items(view)
        self.losses = self._items.losses
        self._sequence = 0
        self._response: dict[str, Any] = {}
        self._message: Item | None = None  # the message that is still open
        self._item: Item | None = None  # the item that is still open, of any other type
        self._part: ir.AnyPart | None = None
        self._texts: list[str] = []
        self._logprobs: list[ir.Logprob] = []
        self._citations: list[ir.Citation] = []
        self._sealed: list[ir.Sealed] = []
        self._head = b""  # a delta of the open part up to its text; empty where it has none
        self._tail = _PLAIN_TAIL
        self._calls = False
        self._refused = False

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
                return self._write_citation(event.citation)
            case ir.Start():
                return self._start(event.created, event.service_tier)
            case ir.Finished():
                return self._finish(event)
            case ir.StreamError():
                return self._fail(event.error)
            case ir.KeepAlive():
                return sse.PING

    def _start(self, created: int | None, service_tier: str | None) -> bytes:
        self._response = response_object(self._view, created, service_tier)
        body = {"response": msgspec.Raw(encode(self._response))}
        return self._event("response.created", body) + self._event("response.in_progress", body)

    def _write_delta(self, event: ir.Delta) -> bytes:
        self._texts.append(event.text)
        if not event.logprobs:
            return self._grow(event.text, self._tail)
        self._logprobs += event.logprobs
        return self._grow(event.text, _likely_tail(event.logprobs))

    def _grow(self, text: str, tail: bytes) -> bytes:
        if not self._head:
            return b""
        written = self._head + encode(text) + tail % self._sequence
        self._sequence += 1
        return written

    def _start_part(self, part: ir.AnyPart) -> bytes:
        self._part = part
        self._texts, self._logprobs, self._citations, self._sealed = [], [], [], []
        self._head = b""
        match part:
            case ir.Text() | ir.Refusal():
                return self._start_piece(part)
            case ir.Opaque() if (text := wording(part)) is not None:
                return self._start_part(ir.Text(text))
            case ir.Thinking() if not part.redacted:
                opened = self._close_message()
                item = self._items.reasoning(part)
                opened += self._open_item({**item, "summary": [], "encrypted_content": None})
                at = {"summary_index": 0}
                piece = {"type": "summary_text", "text": ""}
                opened += self._about("response.reasoning_summary_part.added", at, {"part": piece})
                self._prepare("response.reasoning_summary_text.delta", at)
                return opened + self._grow_from(part.text)
            case ir.ToolCall() if not self._items.is_search(part):
                return self._start_call(part)
            case _:
                return b""  # written whole when it ends

    def _start_piece(self, part: ir.Text | ir.Refusal) -> bytes:
        """A piece of the open message, or of a new one."""
        opened = b""
        sealed = part.sealed if isinstance(part, ir.Text) else None
        phase = part.extras.get("phase")
        if self._message is not None and (sealed or self._message.get("phase") != phase):
            opened += self._close_message()
        if sealed is not None:
            opened += self._write_item(self._items.leading(sealed))
        if self._message is None:
            self._message = self._items.message(phase)
            opened += self._open_item({**self._message, "status": "in_progress"})
        at = {"content_index": len(self._message["content"])}
        bare = msgspec.structs.replace(part, text="")
        if isinstance(bare, ir.Text):
            bare = msgspec.structs.replace(bare, citations=(), logprobs=())
        opened += self._about("response.content_part.added", at, {"part": write_piece(bare)})
        if isinstance(part, ir.Refusal):
            self._refused = True
            self._prepare("response.refusal.delta", at)
            return opened + self._grow_from(part.text)
        self._prepare("response.output_text.delta", at, _TEXT_TAIL)
        if part.logprobs:
            opened += self._grow(part.text, _likely_tail(part.logprobs))
        else:
            opened += self._grow_from(part.text)
        return opened + b"".join(map(self._write_citation, part.citations))

    def _start_call(self, part: ir.ToolCall) -> bytes:
        self._calls = True
        opened = self._close_message()
        if part.sealed is not None:
            opened += self._write_item(self._items.leading(part.sealed))
        item = self._items.call(part)
        custom = part.kind is ir.ToolKind.CUSTOM
        member = "input" if custom else "arguments"
        opened += self._open_item({**item, "status": "in_progress", member: ""})
        kind = "custom_tool_call_input" if custom else "function_call_arguments"
        self._prepare(f"response.{kind}.delta", {})
        return opened + self._grow_from(part.arguments)

    def _grow_from(self, text: str) -> bytes:
        """The delta for what a part already held when it began."""
        return self._grow(text, self._tail) if text else b""

    def _end_part(self) -> bytes:
        part, self._part = self._part, None
        match part:
            case ir.Text() | ir.Refusal():
                return self._end_piece(part)
            case ir.Thinking() if self._head:
                return self._end_thinking(part)
            case ir.ToolCall() if self._head:
                return self._end_call(part)
            case None:
                return b""
            case _:
                return self._close_message() + self._write_whole(part)

    def _end_piece(self, part: ir.Text | ir.Refusal) -> bytes:
        text = part.text + "".join(self._texts)
        if self._message is None:
            return b""
        at = {"content_index": len(self._message["content"])}
        if isinstance(part, ir.Refusal):
            piece = write_piece(msgspec.structs.replace(part, text=text))
            done = self._about("response.refusal.done", at, {"refusal": text})
        else:
            if self._sealed:
                self.losses.append(
                    ir.Loss("response.signature", "it came after its text had begun")
                )
            whole = msgspec.structs.replace(
                part,
                text=text,
                citations=tuple(self._citations),
                logprobs=(*part.logprobs, *self._logprobs),
            )
            piece = write_piece(whole)
            members = {"text": text, "logprobs": piece["logprobs"]}
            done = self._about("response.output_text.done", at, members)
        self._message["content"].append(piece)
        self._head = b""
        return done + self._about("response.content_part.done", at, {"part": piece})

    def _end_thinking(self, part: ir.Thinking) -> bytes:
        text = part.text + "".join(self._texts)
        sealed = fold.join_sealed(part.sealed, self._sealed)
        whole = msgspec.structs.replace(part, text=text, sealed=sealed)
        at = {"summary_index": 0}
        done = self._about("response.reasoning_summary_text.done", at, {"text": text})
        piece = {"type": "summary_text", "text": text}
        done += self._about("response.reasoning_summary_part.done", at, {"part": piece})
        return done + self._close_item(self._items.reasoning(whole))

    def _end_call(self, part: ir.ToolCall) -> bytes:
        """Arguments that never came are an empty object, which the deltas must spell out too."""
        done = b""
        arguments = part.arguments + "".join(self._texts)
        custom = part.kind is ir.ToolKind.CUSTOM
        if not arguments and not custom:
            arguments = "{}"
            done += self._grow_from(arguments)
        if self._sealed:
            self.losses.append(ir.Loss("response.signature", "it came after its call had begun"))
        item = self._items.call(msgspec.structs.replace(part, arguments=arguments))
        if custom:
            done += self._about("response.custom_tool_call_input.done", {}, {"input": arguments})
        else:
            members = {"name": part.name, "arguments": arguments}
            done += self._about("response.function_call_arguments.done", {}, members)
        return done + self._close_item(item)

    def _write_whole(self, part: ir.AnyPart) -> bytes:
        """A part that no delta spells out, as one item or none."""
        if isinstance(part, ir.ToolCall):
            self._calls = True
            arguments = part.arguments + "".join(self._texts)
            return self._write_item(
                self._items.call(msgspec.structs.replace(part, arguments=arguments))
            )
        if isinstance(part, ir.Thinking):
            sealed = fold.join_sealed(part.sealed, self._sealed)
            part = msgspec.structs.replace(part, sealed=sealed)
        item = self._items.whole(part)
        if item is None:
            self.losses.append(ir.Loss("response", "Responses cannot show this in an answer"))
            return b""
        return self._write_item(item)

    def _write_citation(self, citation: ir.Citation) -> bytes:
        if self._message is None:
            return b""
        at = {"content_index": len(self._message["content"])}
        members = {
            "annotation_index": len(self._citations),
            "annotation": encode_citation(citation),
        }
        self._citations.append(citation)
        return self._about("response.output_text.annotation.added", at, members)

    def _finish(self, event: ir.Finished) -> bytes:
        finish = fold.settle_reason(event.finish, calls=self._calls)
        written = b""
        if not self._refused:
            for part in closing_refusal(finish, ()):
                written += self._start_part(part) + self._end_part()
        end = write_end(finish, event.usage, refused=self._refused)
        written += self._close_message(end["status"])
        name = "response.completed" if end["status"] == "completed" else "response.incomplete"
        response = {**self._response, "output": self._items.output, **end}
        return written + self._event(name, {"response": response})

    def _fail(self, error: DragomanError) -> bytes:
        body = msgspec.json.decode(encode_error(ErrorShape.OPENAI, error, self._view.request_id))
        inner = body["error"]
        told = {name: inner.get(name) for name in ("code", "message", "param")}
        code = error.code if error.status < 500 else "server_error"
        response = self._response or response_object(self._view, None, None)
        failed = {
            **response,
            "status": "failed",
            "error": {"code": code, "message": error.message},
            "output": self._items.output,
        }
        return self._event("error", {**told, "error": inner}) + self._event(
            "response.failed", {"response": failed}
        )

    def _open_item(self, item: Item) -> bytes:
        self._item = item
        members = {"output_index": len(self._items.output), "item": item}
        return self._event("response.output_item.added", members)

    def _close_item(self, item: Item) -> bytes:
        members = {"output_index": len(self._items.output), "item": item}
        self._items.output.append(item)
        self._item = None
        self._head = b""
        return self._event("response.output_item.done", members)

    def _write_item(self, item: Item) -> bytes:
        return self._open_item(item) + self._close_item(item)

    def _close_message(self, status: str = "completed") -> bytes:
        message, self._message = self._message, None
        return b"" if message is None else self._close_item({**message, "status": status})

    def _prepare(self, name: str, at: dict[str, int], tail: bytes = _PLAIN_TAIL) -> None:
        """Readies the deltas of the part that begins."""
        members = encode({"type": name, **self._place(), **at})
        self._head = b'event: %b\ndata: %b,"delta":' % (name.encode(), members[:-1])
        self._tail = tail

    def _about(self, name: str, at: dict[str, int], members: dict[str, Any]) -> bytes:
        """An event about the open item."""
        return self._event(name, {**self._place(), **at, **members})

    def _place(self) -> dict[str, Any]:
        id = self._item["id"] if self._item else ""
        return {"item_id": id, "output_index": len(self._items.output)}

    def _event(self, name: str, members: dict[str, Any]) -> bytes:
        event = {"type": name, **members, "sequence_number": self._sequence}
        self._sequence += 1
        return sse.encode(encode(event), name.encode())


def _likely_tail(logprobs: tuple[ir.Logprob, ...]) -> bytes:
    """The end of a text delta that has log probabilities; a percent sign is doubled, since the
    tail is a template."""
    written = encode([encode_logprob(each) for each in logprobs]).replace(b"%", b"%%")
    return b',"logprobs":' + written + _PLAIN_TAIL


def stream_encoder(view: CallerView) -> Encoder:
    """An encoder for one stream that the caller sees as `view` says."""
    return Encoder(view)
