"""admission: room for so many, a line for some more, and a clear word for the rest."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.admission import Admission
from dragoman.errors import Overloaded


class Visitor:
    """Enters and stays until it is told to leave."""

    def __init__(self, admission: Admission) -> None:
        self.inside = False
        self._leave = asyncio.Event()
        self.task = asyncio.create_task(self._visit(admission))

    async def _visit(self, admission: Admission) -> None:
        async with admission.enter():
            self.inside = True
            await self._leave.wait()
        self.inside = False

    async def leave(self) -> None:
        self._leave.set()
        await self.task


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_line_is_served_in_its_order() -> None:
    admission = Admission(1, 2, 60)
    first, second, third = (Visitor(admission) for _ in range(3))
    await settle()
    assert (first.inside, second.inside, third.inside) == (True, False, False)
    assert (admission.served, admission.waiting) == (1, 2)
    await first.leave()
    await settle()
    assert (second.inside, third.inside) == (True, False)
    await second.leave()
    await third.leave()
    assert (admission.served, admission.waiting) == (0, 0)


async def test_a_full_line_turns_away_with_a_time_to_come_back() -> None:
    admission = Admission(1, 1, 60)
    inside, waiting = Visitor(admission), Visitor(admission)
    await settle()
    with pytest.raises(Overloaded, match="max_requests") as caught:
        async with admission.enter():
            pass
    assert caught.value.status == 503
    assert caught.value.retry_after
    await inside.leave()
    await waiting.leave()


async def test_patience_ends() -> None:
    admission = Admission(1, 1, 0.01)
    inside = Visitor(admission)
    await settle()
    with pytest.raises(Overloaded, match="queue_s"):
        async with admission.enter():
            pass
    assert admission.waiting == 0
    await inside.leave()


async def test_a_raised_limit_holds_at_the_next_change() -> None:
    admission = Admission(1, 9, 60)
    visitors = [Visitor(admission) for _ in range(4)]
    await settle()
    admission.limit = 3
    await visitors[0].leave()
    await settle()
    assert [visitor.inside for visitor in visitors] == [False, True, True, True]
    for visitor in visitors[1:]:
        await visitor.leave()


@given(st.lists(st.tuples(st.sampled_from(["come", "leave", "cancel"]), st.integers(0, 9))))
async def test_nobody_is_forgotten_and_nobody_is_counted_twice(
    events: list[tuple[str, int]],
) -> None:
    admission = Admission(2, 3, 60)
    visitors: list[Visitor] = []
    for what, index in events:
        if what == "come":
            visitors.append(Visitor(admission))
        elif index < len(visitors):
            visitor = visitors.pop(index)
            if what == "cancel":
                visitor.task.cancel()
            else:
                visitor._leave.set()
            if index % 2:
                await settle()
        inside = [visitor for visitor in visitors if visitor.inside]
        assert len(inside) <= 2
    await settle()
    assert admission.served == sum(visitor.inside for visitor in visitors)
    for visitor in visitors:
        visitor._leave.set()
    await asyncio.gather(*(visitor.task for visitor in visitors), return_exceptions=True)
    await settle()
    assert (admission.served, admission.waiting) == (0, 0)
