"""Puts a stream's parts one behind the other.

Providers may let parts interleave, most often the arguments of parallel tool calls; many clients
then mix them up, and no encoder should have to care. The sequencer takes the loose grammar of
`ir` and gives the strict one: one part is open at a time, and what belongs to a later one waits.

Waiting costs the client time, so nothing waits that need not: a part that another one follows is
closed as soon as it is known to be complete, because its decoder said so or because it is a
function call whose arguments are one whole JSON object by now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

import msgspec

from dragoman import fold, ir
from dragoman.errors import UpstreamDied

_EMPTY_ARGUMENTS = "{}"


class _Lane:
    """One part: what has come of it and was not handed on yet."""

    __slots__ = ("arguments", "ended", "index", "key", "waiting")

    def __init__(self, key: int, index: int, part: ir.AnyPart) -> None:
        self.key = key  # the provider's index
        self.index = index  # ours
        # The arguments so far, of a function call alone: raw input has no recognisable end.
        self.arguments: list[str] | None = None
        if isinstance(part, ir.ToolCall) and part.kind is ir.ToolKind.FUNCTION:
            self.arguments = [part.arguments]
        self.waiting: list[ir.Event] = [ir.PartStart(index, part)]
        self.ended = False

    def is_whole(self) -> bool:
        """Whether nothing more can come."""
        if self.ended or self.arguments is None:
            return self.ended
        ends = self.arguments[-1].rstrip().endswith("}")
        return ends and _is_json("".join(self.arguments))

    def closing(self) -> list[ir.Event]:
        """The events that end the part; a function call that got no arguments gets empty ones."""
        if self.arguments is not None and not "".join(self.arguments).strip():
            return [ir.Delta(self.index, _EMPTY_ARGUMENTS), ir.PartEnd(self.index)]
        return [ir.PartEnd(self.index)]


class Sequencer:
    """Loose events in, strict events out.

    `usage` and `finish` hold what has become known of the answer, for accounting; `finish` stays
    None until the stream is complete. What breaks even the loose grammar (a second start, a delta
    of a part that never began) becomes a `StreamError`.
    """

    def __init__(self) -> None:
        self.usage = ir.Usage()
        self.finish: ir.Finish | None = None
        self._lanes: deque[_Lane] = deque()  # the first one is open, the others wait
        self._by_key: dict[int, _Lane] = {}
        self._parts = 0
        self._calls = False
        self._started = False
        self._done = False

    def feed(self, event: ir.Event) -> Sequence[ir.Event]:
        """The strict events that `event` brings about."""
        if self._done:
            return ()
        match event:
            case ir.Delta() | ir.Sealing() | ir.Cited():
                return self._add(event)
            case ir.PartStart():
                return self._open(event)
            case ir.PartEnd():
                return self._close(event)
            case ir.Start():
                return self._start(event)
            case ir.Finished():
                return self._finish(event)
            case ir.StreamError():
                self._done = True
                return (event,)
            case ir.KeepAlive():
                return (event,)

    def _start(self, event: ir.Start) -> Sequence[ir.Event]:
        if self._started:
            return ()  # some providers begin twice; the first beginning counts
        self._started = True
        self.usage = event.usage
        return (event,)

    def _open(self, event: ir.PartStart) -> Sequence[ir.Event]:
        begin = self._start(ir.Start())
        lane = _Lane(event.index, self._parts, event.part)
        self._parts += 1
        self._calls = self._calls or isinstance(event.part, ir.ToolCall)
        self._by_key[event.index] = lane
        self._lanes.append(lane)
        return [*begin, *self._advance()]

    def _add(self, event: ir.Delta | ir.Sealing | ir.Cited) -> Sequence[ir.Event]:
        lane = self._by_key.get(event.index)
        if lane is None or lane.ended:
            if lane is not None and isinstance(event, ir.Delta) and not event.text.strip():
                return ()  # white space behind whole arguments
            return self._break_off(f"a piece of part {event.index}, which is not open")
        if event.index != lane.index:
            event = msgspec.structs.replace(event, index=lane.index)
        if lane.arguments is not None and isinstance(event, ir.Delta):
            lane.arguments.append(event.text)
        if lane is not self._lanes[0]:
            lane.waiting.append(event)
            return ()
        if len(self._lanes) == 1:
            return (event,)
        return [event, *self._advance()]

    def _close(self, event: ir.PartEnd) -> Sequence[ir.Event]:
        lane = self._by_key.get(event.index)
        if lane is None:
            return self._break_off(f"the end of part {event.index}, which never began")
        if lane.ended:
            return ()
        lane.ended = True
        return self._advance()

    def _advance(self) -> list[ir.Event]:
        """Hands on what waits in the first lane, and in those behind it once it is complete: a
        lane is left when it has ended, or when others wait behind it and it is whole."""
        events: list[ir.Event] = []
        while self._lanes:
            lane = self._lanes[0]
            events += lane.waiting
            lane.waiting = []
            followed = next(islice(self._lanes, 1, None), None) is not None
            if not (lane.ended or (followed and lane.is_whole())):
                break
            events += lane.closing()
            lane.ended = True
            self._lanes.popleft()
        return events

    def _finish(self, event: ir.Finished) -> Sequence[ir.Event]:
        events = list(self._start(ir.Start()))
        for lane in self._lanes:
            lane.ended = True
        events += self._advance()
        self.usage = event.usage
        self.finish = fold.settle_reason(event.finish, calls=self._calls)
        self._done = True
        events.append(ir.Finished(self.finish, self.usage))
        return events

    def _break_off(self, what: str) -> Sequence[ir.Event]:
        self._done = True
        return (ir.StreamError(UpstreamDied(f"The provider's stream holds {what}.")),)


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True
