from __future__ import annotations

import msgspec
from conversations import calls, texts
from hypothesis import given
from hypothesis import strategies as st

from dragoman import fold, ir
from dragoman.errors import UpstreamDied
from dragoman.sequencer import Sequencer

STOP = ir.Finished(ir.Finish(ir.FinishReason.STOP))


def sequence(*events: ir.Event) -> list[ir.Event]:
    sequencer = Sequencer()
    return [strict for event in events for strict in sequencer.feed(event)]


def call(index: int, arguments: str = "") -> ir.PartStart:
    return ir.PartStart(index, ir.ToolCall(f"id{index}", "f", arguments))


@st.composite
def interleaved(draw: st.DrawFn) -> tuple[list[ir.ToolCall], list[ir.Event]]:
    """Calls, and a stream in which their arguments come in any mixture."""
    found = draw(st.lists(calls, min_size=1, max_size=4))
    lanes = []
    for index, part in enumerate(found):
        cut = draw(st.integers(0, len(part.arguments)))
        pieces = [part.arguments[:cut], part.arguments[cut:]]
        opened = msgspec.structs.replace(part, arguments="")
        ends = [ir.PartEnd(index * 3)] if draw(st.booleans()) else []
        deltas = [ir.Delta(index * 3, piece) for piece in pieces if piece]
        lanes.append([ir.PartStart(index * 3, opened), *deltas, *ends])
    events: list[ir.Event] = [ir.Start()]
    order = draw(st.permutations([n for n, lane in enumerate(lanes) for _ in lane]))
    started = sorted(range(len(lanes)), key=order.index)
    for number in order:
        events.append(lanes[number].pop(0))
    return [found[number] for number in started], [*events, STOP]


@given(interleaved())
def test_any_mixture_comes_out_in_order(
    conversation: tuple[list[ir.ToolCall], list[ir.Event]],
) -> None:
    expected, events = conversation
    assert fold.fold(sequence(*events)).parts == tuple(expected)


@given(texts)
def test_what_is_in_order_passes_at_once(text: str) -> None:
    events = [ir.Start(), ir.PartStart(0, ir.Text("")), ir.Delta(0, text), ir.PartEnd(0), STOP]
    sequencer = Sequencer()
    for event in events:
        assert list(sequencer.feed(event)) == [event]


def test_a_whole_call_does_not_hold_up_the_next() -> None:
    sequencer = Sequencer()
    for event in (ir.Start(), call(0), ir.Delta(0, '{"x":1}')):
        sequencer.feed(event)
    assert list(sequencer.feed(call(1))) == [ir.PartEnd(0), call(1)]
    assert list(sequencer.feed(ir.Delta(1, "{"))) == [ir.Delta(1, "{")]


def test_an_unfinished_call_holds_up_the_next_until_it_is_whole() -> None:
    sequencer = Sequencer()
    for event in (ir.Start(), call(0), ir.Delta(0, '{"x"')):
        sequencer.feed(event)
    assert list(sequencer.feed(call(1))) == []
    assert list(sequencer.feed(ir.Delta(1, "{}"))) == []
    assert list(sequencer.feed(ir.Delta(0, ":{}"))) == [ir.Delta(0, ":{}")]
    assert list(sequencer.feed(ir.Delta(0, "}"))) == [
        ir.Delta(0, "}"),
        ir.PartEnd(0),
        call(1),
        ir.Delta(1, "{}"),
    ]


def test_a_call_without_arguments_gets_empty_ones() -> None:
    events = sequence(ir.Start(), call(0), ir.PartEnd(0), STOP)
    assert events[2:4] == [ir.Delta(0, "{}"), ir.PartEnd(0)]


def test_raw_input_is_left_alone() -> None:
    raw = ir.PartStart(0, ir.ToolCall("a", "f", "", kind=ir.ToolKind.CUSTOM))
    events = sequence(ir.Start(), raw, ir.Delta(0, "{}"), call(1), ir.Delta(0, " more"), STOP)
    assert fold.fold(events).parts[0] == ir.ToolCall("a", "f", "{} more", kind=ir.ToolKind.CUSTOM)


def test_the_finish_fits_the_parts_and_is_kept_for_the_books() -> None:
    sequencer = Sequencer()
    usage = ir.Usage(input=1, output=2)
    sequencer.feed(ir.Start(usage=ir.Usage(input=1)))
    assert sequencer.usage == ir.Usage(input=1)
    assert sequencer.finish is None
    sequencer.feed(call(0, "{}"))
    *_, last = sequencer.feed(ir.Finished(ir.Finish(ir.FinishReason.STOP), usage))
    assert last == ir.Finished(ir.Finish(ir.FinishReason.TOOL_CALLS), usage)
    assert (sequencer.usage, sequencer.finish) == (usage, ir.Finish(ir.FinishReason.TOOL_CALLS))


def test_a_missing_start_is_made_up_and_a_second_one_ignored() -> None:
    events = sequence(ir.PartStart(0, ir.Text("x")), ir.Start(), ir.PartEnd(0), STOP)
    assert [type(event) for event in events] == [ir.Start, ir.PartStart, ir.PartEnd, ir.Finished]


def test_pieces_of_parts_that_are_not_open_break_the_stream_off() -> None:
    for event in (ir.Delta(7, "x"), ir.PartEnd(7)):
        (_, error) = sequence(ir.Start(), event, STOP)
        assert isinstance(error, ir.StreamError)
        assert isinstance(error.error, UpstreamDied)


def test_white_space_behind_whole_arguments_is_harmless() -> None:
    events = sequence(ir.Start(), call(0, "{}"), call(1, "{}"), ir.Delta(0, "\n"), STOP)
    assert len(fold.fold(events).parts) == 2


def test_nothing_follows_an_error() -> None:
    error = ir.StreamError(UpstreamDied("gone"))
    assert sequence(ir.Start(), error, ir.KeepAlive(), STOP) == [ir.Start(), error]


def test_keep_alives_pass() -> None:
    assert sequence(ir.KeepAlive()) == [ir.KeepAlive()]
