from __future__ import annotations

import pytest
from conversations import calls, names, sealed, streamed, texts, thoughts, usages
from hypothesis import given
from hypothesis import strategies as st

from dragoman import fold, ir
from dragoman.errors import UpstreamDied, UpstreamRefused
from dragoman.protocols import Protocol

STOP = ir.Finish(ir.FinishReason.STOP)
parts = st.one_of(
    st.builds(ir.Text, st.text()),
    thoughts,
    calls,
    st.builds(ir.Refusal, texts),
    st.builds(ir.Thinking, st.just(""), sealed=sealed, redacted=st.just(True)),
    st.just(ir.Media(ir.MediaKind.IMAGE, data="aaaa")),
)
responses = st.builds(
    ir.Response,
    parts=st.lists(parts, max_size=4).map(tuple),
    finish=st.builds(ir.Finish, st.sampled_from(ir.FinishReason)),
    usage=usages,
    id=names,
    model=names,
    created=st.none() | st.integers(0, 10**9),
)


@given(responses)
def test_folding_undoes_unfolding(response: ir.Response) -> None:
    assert fold.fold(fold.unfold(response)) == response


@given(st.data(), responses)
def test_pieces_add_up(data: st.DataObject, response: ir.Response) -> None:
    assert fold.fold(data.draw(streamed(response))) == response


def test_citations_and_states_are_gathered() -> None:
    origin = ir.Origin("acme", Protocol.MESSAGES)
    response = fold.fold(
        [
            ir.Start(),
            ir.PartStart(0, ir.Thinking("", sealed=ir.Sealed("", origin))),
            ir.Sealing(0, ir.Sealed("a", origin)),
            ir.Sealing(0, ir.Sealed("b", origin, "rs_1")),
            ir.PartEnd(0),
            ir.PartStart(1, ir.Text("x")),
            ir.KeepAlive(),
            ir.Cited(1, ir.Citation(url="https://x")),
            ir.PartEnd(1),
            ir.Finished(STOP),
        ]
    )
    assert response.parts == (
        ir.Thinking("", sealed=ir.Sealed("ab", origin, "rs_1")),
        ir.Text("x", citations=(ir.Citation(url="https://x"),)),
    )


@pytest.mark.parametrize(
    "events",
    [
        [ir.PartStart(0, ir.Text(""))],
        [ir.Start(), ir.Start()],
        [ir.Start(), ir.PartStart(1, ir.Text(""))],
        [ir.Start(), ir.PartStart(0, ir.Text("")), ir.PartStart(1, ir.Text(""))],
        [ir.Start(), ir.Delta(0, "x")],
        [ir.Start(), ir.PartStart(0, ir.Text("")), ir.Delta(1, "x")],
        [ir.Start(), ir.PartStart(0, ir.Media(ir.MediaKind.IMAGE)), ir.Delta(0, "x")],
        [ir.Start(), ir.PartStart(0, ir.Refusal("")), ir.Cited(0, ir.Citation())],
        [ir.Start(), ir.PartStart(0, ir.Text("")), ir.Finished(STOP)],
        [ir.Start(), ir.PartEnd(0)],
        [ir.Start(), ir.Finished(STOP), ir.Delta(0, "x")],
        [ir.Start(), ir.Finished(STOP), ir.Finished(STOP)],
    ],
)
def test_a_broken_grammar_is_a_bug_that_shows(events: list[ir.Event]) -> None:
    folder = fold.Folder()
    *before, last = events
    if last == ir.PartStart(0, ir.Text("")):
        before, last = [], events[0]
    for event in before:
        folder.feed(event)
    with pytest.raises((fold.GrammarError, UpstreamDied)):
        folder.feed(last)


def test_an_unfinished_stream_is_no_answer() -> None:
    with pytest.raises(UpstreamDied):
        fold.fold([ir.Start()])


def test_the_stream_s_own_error_is_raised() -> None:
    error = UpstreamRefused("Too busy", status=529)
    with pytest.raises(UpstreamRefused, match="Too busy"):
        fold.fold([ir.Start(), ir.StreamError(error)])


@pytest.mark.parametrize(
    ("reason", "calls", "expected"),
    [
        ("stop", True, "tool_calls"),
        ("stop_sequence", True, "tool_calls"),
        ("length", True, "length"),
        ("refusal", True, "refusal"),
        ("tool_calls", False, "stop"),
        ("pause", False, "pause"),
    ],
)
def test_the_finish_fits_what_the_answer_holds(reason: str, calls: bool, expected: str) -> None:
    finish = fold.settle_reason(ir.Finish(ir.FinishReason(reason)), calls=calls)
    assert finish.reason == expected
