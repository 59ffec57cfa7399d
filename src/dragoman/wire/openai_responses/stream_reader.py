"""Streams of providers that speak Responses, read with tolerance.

OpenAI numbers items and pieces and repeats each of them when it is done. Copies of its API leave
out much of that: llama.cpp sends no indexes and no item ids for calls, others send no `done`
events, or send them all at the end. So an event is matched to its item by the item's index, else
by its id, else it belongs to the last item; what a `done` event, or the final response, holds
beyond the deltas is added then; and a text or reasoning is over when another part begins (calls
may interleave). Only the final response (or an error) ends a stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from dragoman import ir, sse
from dragoman.errors import DragomanError, UpstreamDied
from dragoman.wire.fields import objects_of
from dragoman.wire.openai_responses.answers import (
    Answer,
    Item,
    failure,
    read_call,
    read_finish,
    read_item,
    read_thinking,
    read_usage,
)
from dragoman.wire.openai_responses.content import (
    decode_citation,
    decode_citations,
    decode_logprobs,
)

_EMPTY: tuple[ir.Event, ...] = ()
_KEEP_ALIVE = (ir.KeepAlive(),)
_CALLS = ("function_call", "custom_tool_call")
_PIECES = {"output_text": "text", "refusal": "refusal"}
"""The pieces of a message, and the member that holds their text."""


_REPEATING = frozenset(
    (
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.refusal.done",
    )
)
"""Events that only frame or repeat what others say."""


class _Event(msgspec.Struct):
    """Every event's members: they are few, and one shape decodes faster than a union."""

    type: str
    delta: str | None = None
    item_id: str | None = None
    output_index: int | None = None
    content_index: int | None = None
    summary_index: int | None = None
    logprobs: list[Item] | None = None
    text: str | None = None
    arguments: str | None = None
    input: str | None = None
    refusal: str | None = None
    part: Item | None = None
    item: Item | None = None
    annotation: Item | None = None
    response: Answer | None = None
    error: Item | None = None
    message: str | None = None
    code: str | None = None
    param: str | None = None


class _Typed(msgspec.Struct):
    type: str = ""


_DECODER = msgspec.json.Decoder(_Event)
_TYPE_DECODER = msgspec.json.Decoder(_Typed)


class _Open:
    """A part under way: its index, and how much of its text has been handed on."""

    __slots__ = ("citations", "ended", "index", "length", "summaries")

    def __init__(self, index: int, length: int = 0) -> None:
        self.index = index
        self.length = length
        self.ended = False
        self.citations = 0
        self.summaries = 0  # the summary piece that the text comes from


class _Item:
    """An output item under way, with its parts by their places in it."""

    __slots__ = ("done", "ids", "output_index", "parts", "value")

    def __init__(self, value: Item, output_index: int) -> None:
        self.value = value
        self.output_index = output_index
        self.ids = {value.get("id"), value.get("call_id")} - {None, ""}
        self.parts: dict[int, _Open] = {}
        self.done = False


class Decoder:
    """Reads one stream."""

    def __init__(self, origin: ir.Origin) -> None:
        self._origin = origin
        self._items: list[_Item] = []
        self._next_part = 0
        self._texts: list[_Open] = []  # what ends when another part begins
        self._kinds: list[ir.AnyPart] = []  # what the finish depends on: calls and refusals
        self._started = False
        self._done = False

    def feed(self, event: sse.Event) -> Sequence[ir.Event]:
        if self._done or event.data == b"[DONE]":
            return _EMPTY
        try:
            return self._read(_DECODER.decode(event.data))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return _KEEP_ALIVE if _is_unknown(event.data) else self._fail(_garbage(error))

    def close(self) -> Sequence[ir.Event]:
        if self._done:
            return _EMPTY
        return self._fail(UpstreamDied("The provider's stream ended without response.completed."))

    def _read(self, event: _Event) -> Sequence[ir.Event]:
        reader = _READERS.get(event.type)
        if reader is None:
            return _EMPTY if event.type in _REPEATING else _KEEP_ALIVE
        events = reader(self, event)
        if self._started or not events or isinstance(events[0], ir.Start | ir.StreamError):
            return events
        self._started = True
        return (ir.Start(), *events)

    def start(self, event: _Event) -> Sequence[ir.Event]:
        """`response.created`, and whatever else announces the response."""
        if self._started or event.response is None:
            return _EMPTY
        self._started = True
        answer = event.response
        return (
            ir.Start(
                answer.id,
                answer.model,
                read_usage(answer),
                created=answer.created,
                service_tier=answer.service_tier,
            ),
        )

    def add_item(self, event: _Event) -> Sequence[ir.Event]:
        """An item begins. A call begins its part at once; reasoning and text with their first
        piece, and what no one else knows when it is done."""
        if event.item is None:
            return _EMPTY
        item = self._register(event.item, event.output_index)
        if item.value.get("type") not in _CALLS:
            return _EMPTY
        call = read_call(item.value)
        given = item.value.get("input") or item.value.get("arguments")
        if not given:
            call = msgspec.structs.replace(call, arguments="")  # they come in deltas
        return self._begin(item, 0, call, len(call.arguments))

    def add_text(self, event: _Event) -> Sequence[ir.Event]:
        """More of a text: its part begins where no event has announced it."""
        item = self._item_of(event, "message")
        place = event.content_index or 0
        begun = _EMPTY
        if place not in item.parts:
            begun = self._begin(item, place, _new_piece(item, "output_text"))
        logprobs = decode_logprobs(event.logprobs) if event.logprobs else ()
        return (*begun, *self._grow(item.parts[place], event.delta, logprobs))

    def end_text(self, event: _Event) -> Sequence[ir.Event]:
        return self._complete_text(self._item_of(event, "message"), event.content_index, event.text)

    def add_refusal(self, event: _Event) -> Sequence[ir.Event]:
        item = self._item_of(event, "message")
        place = event.content_index or 0
        begun = _EMPTY
        if place not in item.parts:
            begun = self._begin(item, place, _new_piece(item, "refusal"))
        return (*begun, *self._grow(item.parts[place], event.delta))

    def add_annotation(self, event: _Event) -> Sequence[ir.Event]:
        part = self._item_of(event, "message").parts.get(event.content_index or 0)
        if part is None or part.ended or event.annotation is None:
            return _EMPTY
        part.citations += 1
        return (ir.Cited(part.index, decode_citation(event.annotation)),)

    def add_piece(self, event: _Event) -> Sequence[ir.Event]:
        """A piece of a message begins; it may hold text already. Reasoning has pieces too, which
        its item repeats."""
        place, value = event.content_index or 0, event.part or {}
        kind = value.get("type")
        if kind not in _PIECES:
            return _EMPTY
        item = self._item_of(event, "message")
        if place in item.parts:
            return _EMPTY
        text = _string(value.get(_PIECES[kind]))
        return self._begin(item, place, _new_piece(item, kind, text), len(text))

    def end_piece(self, event: _Event) -> Sequence[ir.Event]:
        if event.part is None or event.part.get("type") not in _PIECES:
            return _EMPTY
        item = self._item_of(event, "message")
        return self._complete_piece(item, event.content_index or 0, event.part)

    def add_arguments(self, event: _Event) -> Sequence[ir.Event]:
        part = self._item_of(event, "function_call").parts.get(0)
        return self._grow(part, event.delta) if part else _EMPTY

    def end_arguments(self, event: _Event) -> Sequence[ir.Event]:
        part = self._item_of(event, "function_call").parts.get(0)
        whole = event.input if event.arguments is None else event.arguments
        return self._grow_to(part, whole) if part else _EMPTY

    def add_reasoning(self, event: _Event) -> Sequence[ir.Event]:
        """More of the reasoning's own text, or of its summary, whose pieces are joined by blank
        lines. An item that has both is read as its first kind."""
        item = self._item_of(event, "reasoning")
        summary = event.type.startswith("response.reasoning_summary")
        piece = event.summary_index if summary else event.content_index
        begun: Sequence[ir.Event] = _EMPTY
        if 0 not in item.parts:
            begun = self._begin(item, 0, ir.Thinking("", summary=summary))
            item.value["is_summary"] = summary
        part = item.parts[0]
        if item.value.get("is_summary") is not summary:
            return _EMPTY
        if piece is not None and piece > part.summaries:
            part.summaries = piece
            begun = (*begun, *self._grow(part, "\n\n" if part.length else ""))
        return (*begun, *self._grow(part, event.delta))

    def end_item(self, event: _Event) -> Sequence[ir.Event]:
        """An item is done; what its deltas did not say is said now."""
        if event.item is None:
            return _EMPTY
        under_way = [item for item in self._items if not item.done]
        item = self._numbered(event.output_index) or _match(event.item, under_way)
        return self._complete(item or self._register(event.item, event.output_index), event.item)

    def finish(self, event: _Event) -> Sequence[ir.Event]:
        """The final response, items that no event has told of included."""
        answer = event.response
        if answer is None:
            return self._fail(UpstreamDied("The provider's last event holds no response."))
        if answer.status in ("failed", "cancelled") or event.type == "response.failed":
            return self._fail(failure(answer.error or {}))
        events: list[ir.Event] = []
        if not self._started:
            events += self.start(event)
        told = list(self._items)
        for index, value in enumerate(answer.output):
            item = _match(value, told)
            if item is None:
                item = self._register(value, index)
            else:
                told.remove(item)
            events += self._complete(item, value)
        if event.type == "response.incomplete" and answer.status != "incomplete":
            answer.status = "incomplete"
        self._done = True
        events.append(ir.Finished(read_finish(answer, self._kinds), read_usage(answer)))
        return events

    def fail(self, event: _Event) -> Sequence[ir.Event]:
        """An `error` event, whose members stand at its top or inside `error`."""
        top = {"message": event.message, "code": event.code, "param": event.param}
        return self._fail(failure(event.error or top))

    def _fail(self, error: DragomanError) -> Sequence[ir.Event]:
        self._done = True
        return (ir.StreamError(error),)

    def _register(self, value: Item, output_index: int | None) -> _Item:
        item = _Item(value, len(self._items) if output_index is None else output_index)
        self._items.append(item)
        return item

    def _numbered(self, output_index: int | None) -> _Item | None:
        if output_index is None:
            return None
        numbered = (item for item in reversed(self._items) if item.output_index == output_index)
        return next(numbered, None)

    def _item_of(self, event: _Event, kind: str) -> _Item:
        """The item that `event` is about, which must be of its kind; a new one where none was
        announced."""
        of_kind = [item for item in self._items if _is_kind(item.value, kind)]
        found = self._numbered(event.output_index)
        if found in of_kind:
            return found
        if event.output_index is None:
            named = [item for item in of_kind if event.item_id in item.ids]
            if named or (of_kind and event.item_id is None):
                return (named or of_kind)[-1]
        return self._register({"type": kind, "id": event.item_id or ""}, event.output_index)

    def _begin(
        self, item: _Item, place: int, part: ir.AnyPart, length: int = 0
    ) -> tuple[ir.Event, ...]:
        ended = self._end(self._texts)
        begun = item.parts[place] = _Open(self._next_part, length)
        self._next_part += 1
        self._texts = [] if isinstance(part, ir.ToolCall) else [begun]
        if isinstance(part, ir.ToolCall | ir.Refusal):
            self._kinds.append(part)
        return (*ended, ir.PartStart(begun.index, part))

    def _end(self, parts: Iterable[_Open]) -> list[ir.Event]:
        ended = [part for part in parts if not part.ended]
        for part in ended:
            part.ended = True
        return [ir.PartEnd(part.index) for part in ended]

    def _grow(
        self, part: _Open, text: str | None, logprobs: tuple[ir.Logprob, ...] = ()
    ) -> tuple[ir.Event, ...]:
        if part.ended or not (text or logprobs):
            return ()
        part.length += len(text or "")
        return (ir.Delta(part.index, text or "", logprobs),)

    def _grow_to(self, part: _Open, whole: str | None) -> tuple[ir.Event, ...]:
        """What `whole` has beyond the deltas so far."""
        return self._grow(part, whole[part.length :]) if whole else ()

    def _complete(self, item: _Item, value: Item) -> Sequence[ir.Event]:
        """The rest of `item`, given all of it, and the ends of its parts."""
        if item.done:
            return _EMPTY
        item.done = True
        events: list[ir.Event] = []
        kind = value.get("type")
        if kind == "message":
            for place, piece in enumerate(objects_of(value.get("content"))):
                events += self._complete_piece(item, place, piece)
        elif kind == "reasoning" and item.parts:
            events += self._complete_reasoning(item, value)
        elif kind in _CALLS and item.parts:
            events += self._grow_to(item.parts[0], read_call(value).arguments)
        else:
            for place, part in enumerate(read_item(value, self._origin)):
                events += self._begin(item, place, part)
        return events + self._end(item.parts.values())

    def _complete_reasoning(self, item: _Item, value: Item) -> list[ir.Event]:
        """The state of the reasoning; one that comes after its part has ended is its own part."""
        part = item.parts[0]
        thinking = read_thinking(value, self._origin)
        sealed = thinking.sealed
        events: list[ir.Event] = []
        if not part.length:
            events += self._grow(part, thinking.text)
        if sealed is not None and not part.ended:
            events.append(ir.Sealing(part.index, sealed))
        elif sealed is not None and sealed.value:
            events += self._begin(item, 1, ir.Thinking("", sealed=sealed, redacted=True))
        return events

    def _complete_piece(self, item: _Item, place: int, value: Item) -> Sequence[ir.Event]:
        kind = value.get("type")
        if kind not in _PIECES:
            return _EMPTY
        begun: tuple[ir.Event, ...] = ()
        if place not in item.parts:
            begun = self._begin(item, place, _new_piece(item, kind))
        part = item.parts[place]
        text = _string(value.get(_PIECES[kind]))
        logprobs = () if part.length else decode_logprobs(value.get("logprobs"))
        grown = self._grow(part, text[part.length :], logprobs)
        citations = () if part.ended else decode_citations(value.get("annotations"))
        citations = citations[part.citations :]
        part.citations += len(citations)
        return (*begun, *grown, *(ir.Cited(part.index, each) for each in citations))

    def _complete_text(
        self, item: _Item, place: int | None, text: str | None
    ) -> Sequence[ir.Event]:
        part = item.parts.get(place or 0)
        if part is not None:
            return self._grow_to(part, text)
        if not text:
            return _EMPTY
        piece = _new_piece(item, "output_text", text)
        return self._begin(item, place or 0, piece, len(text))


_READERS = {
    "response.created": Decoder.start,
    "response.queued": Decoder.start,
    "response.in_progress": Decoder.start,
    "response.output_item.added": Decoder.add_item,
    "response.output_item.done": Decoder.end_item,
    "response.content_part.added": Decoder.add_piece,
    "response.content_part.done": Decoder.end_piece,
    "response.output_text.delta": Decoder.add_text,
    "response.output_text.done": Decoder.end_text,
    "response.output_text.annotation.added": Decoder.add_annotation,
    "response.refusal.delta": Decoder.add_refusal,
    "response.function_call_arguments.delta": Decoder.add_arguments,
    "response.function_call_arguments.done": Decoder.end_arguments,
    "response.custom_tool_call_input.delta": Decoder.add_arguments,
    "response.custom_tool_call_input.done": Decoder.end_arguments,
    "response.reasoning_text.delta": Decoder.add_reasoning,
    "response.reasoning_summary_text.delta": Decoder.add_reasoning,
    "response.completed": Decoder.finish,
    "response.incomplete": Decoder.finish,
    "response.failed": Decoder.finish,
    "error": Decoder.fail,
}


def stream_decoder(origin: ir.Origin) -> Decoder:
    """A decoder for one stream of `origin`."""
    return Decoder(origin)


def _is_kind(value: Item, kind: str) -> bool:
    found = value.get("type")
    return found == kind or (found in _CALLS and kind in _CALLS)


def _match(value: Item, items: list[_Item]) -> _Item | None:
    """The one of `items` that `value` is the whole of: by an id, else the first of its type (no
    call stands for another)."""
    alike = [item for item in items if item.value.get("type") == value.get("type")]
    ids = {value.get("id"), value.get("call_id")}
    named = [item for item in alike if item.ids & ids]
    found = named or ([] if _is_kind(value, "function_call") else alike)
    return found[0] if found else None


def _is_unknown(data: bytes) -> bool:
    """Whether `data` is an event of a type that is not read here."""
    try:
        return _TYPE_DECODER.decode(data).type not in _READERS
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _garbage(error: Exception) -> UpstreamDied:
    return UpstreamDied(f"The provider's stream holds an event that cannot be read: {error}.")


def _new_piece(item: _Item, kind: str, text: str = "") -> ir.Text | ir.Refusal:
    """A piece of a message; the message's phase goes with it."""
    phase = item.value.get("phase")
    extras = {"phase": phase} if phase else {}
    return (ir.Refusal if kind == "refusal" else ir.Text)(text, extras=extras)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
