"""A whole answer out of a stream's events, and events out of a whole answer.

Both directions agree: folding what was unfolded gives the same answer. `fold` takes the strict
grammar of `ir` and says so where it is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NoReturn

import msgspec

from dragoman import ir
from dragoman.errors import UpstreamDied

_STREAMED = (ir.Text, ir.Thinking, ir.ToolCall, ir.Refusal)


class GrammarError(AssertionError):
    """Events in an order that the stream grammar does not have: a bug in a codec."""


def settle(finish: ir.Finish, parts: Iterable[ir.AnyPart]) -> ir.Finish:
    """The finish that fits what the answer holds: a turn with a tool call ends for its calls,
    whatever the provider said, unless it was cut short; one without any does not."""
    calls = any(isinstance(part, ir.ToolCall) for part in parts)
    return settle_reason(finish, calls=calls)


def settle_reason(finish: ir.Finish, *, calls: bool) -> ir.Finish:
    """`settle` where it is known whether there are calls."""
    if calls and finish.reason in (ir.FinishReason.STOP, ir.FinishReason.STOP_SEQUENCE):
        return ir.Finish(ir.FinishReason.TOOL_CALLS)
    if not calls and finish.reason is ir.FinishReason.TOOL_CALLS:
        return ir.Finish(ir.FinishReason.STOP)
    return finish


class Folder:
    """Collects the parts of one answer as its events pass by."""

    def __init__(self) -> None:
        self._start: ir.Start | None = None
        self._parts: list[ir.AnyPart] = []
        self._open: _OpenPart | None = None
        self._finished: ir.Finished | None = None

    def feed(self, event: ir.Event) -> None:
        """Raises GrammarError, and the stream's own error where there is one."""
        match event:
            case ir.Delta() | ir.Sealing() | ir.Cited():
                self._opened(event.index).add(event)
            case ir.PartStart():
                self._expect(event, self._start is not None and self._open is None)
                self._expect(event, event.index == len(self._parts))
                self._open = _OpenPart(event)
            case ir.PartEnd():
                self._parts.append(self._opened(event.index).close())
                self._open = None
            case ir.Start():
                self._expect(event, self._start is None)
                self._start = event
            case ir.Finished():
                self._expect(event, self._start is not None and self._open is None)
                self._finished = event
            case ir.StreamError():
                raise event.error
            case ir.KeepAlive():
                pass

    def close(self) -> ir.Response:
        """The answer. Raises UpstreamDied where the stream did not finish."""
        start, finished = self._start, self._finished
        if start is None or finished is None:
            raise UpstreamDied("The provider's stream ended before its answer did.")
        return ir.Response(
            parts=tuple(self._parts),
            finish=finished.finish,
            usage=finished.usage,
            id=start.id,
            model=start.model,
            created=start.created,
            service_tier=start.service_tier,
        )

    def _opened(self, index: int) -> _OpenPart:
        if self._finished is not None or self._open is None or self._open.index != index:
            raise GrammarError(f"part {index} is not open")
        return self._open

    def _expect(self, event: ir.Event, fits: bool) -> None:
        if self._finished is not None or not fits:
            raise GrammarError(f"{event} does not belong here")


class _OpenPart:
    """A part that is still growing."""

    def __init__(self, start: ir.PartStart) -> None:
        self.index = start.index
        self._part = start.part
        self._texts: list[str] = []
        self._logprobs: list[ir.Logprob] = []
        self._citations: list[ir.Citation] = []
        self._sealed: list[ir.Sealed] = []

    def add(self, event: ir.Delta | ir.Sealing | ir.Cited) -> None:
        match event:
            case ir.Delta():
                if not isinstance(self._part, _STREAMED):
                    self._misplaced(event)
                self._texts.append(event.text)
                self._logprobs += event.logprobs
            case ir.Cited():
                if not isinstance(self._part, ir.Text):
                    self._misplaced(event)
                self._citations.append(event.citation)
            case ir.Sealing():
                self._sealed.append(event.sealed)

    def close(self) -> ir.AnyPart:
        part = self._part
        text = "".join(self._texts)
        match part:
            case ir.Text():
                return msgspec.structs.replace(
                    part,
                    text=part.text + text,
                    citations=part.citations + tuple(self._citations),
                    logprobs=part.logprobs + tuple(self._logprobs),
                    sealed=join_sealed(part.sealed, self._sealed),
                )
            case ir.Thinking():
                sealed = join_sealed(part.sealed, self._sealed)
                return msgspec.structs.replace(part, text=part.text + text, sealed=sealed)
            case ir.ToolCall():
                sealed = join_sealed(part.sealed, self._sealed)
                arguments = part.arguments + text
                return msgspec.structs.replace(part, arguments=arguments, sealed=sealed)
            case ir.Refusal():
                return msgspec.structs.replace(part, text=part.text + text)
            case _:
                return part

    def _misplaced(self, event: ir.Event) -> NoReturn:
        raise GrammarError(f"{event} in {self._part}")


def join_sealed(first: ir.Sealed | None, more: Iterable[ir.Sealed]) -> ir.Sealed | None:
    """State that came in pieces, in one."""
    for sealed in more:
        if first is None:
            first = sealed
        else:
            first = ir.Sealed(first.value + sealed.value, sealed.origin, sealed.id or first.id)
    return first


def fold(events: Iterable[ir.Event]) -> ir.Response:
    """The answer that `events` spell out."""
    folder = Folder()
    for event in events:
        folder.feed(event)
    return folder.close()


def unfold(response: ir.Response) -> Iterator[ir.Event]:
    """`response` as a stream, for callers that asked for one of a provider that gave none. Choices
    beyond the first have no place in a stream."""
    yield ir.Start(
        id=response.id,
        model=response.model,
        usage=msgspec.structs.replace(response.usage, output=0, reasoning=0),
        created=response.created,
        service_tier=response.service_tier,
    )
    for index, part in enumerate(response.parts):
        yield ir.PartStart(index, part)
        yield ir.PartEnd(index)
    yield ir.Finished(response.finish, response.usage)
