"""How many requests are served at once, and what happens to the rest.

Beyond `limit` requests wait in line, first come, first served. When the line is full, or after
`patience_s` in it, a request is turned away at once with a time to come back, which costs the
machine less and tells the client more than an answer that never begins.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from dragoman.errors import Overloaded

_RETRY_AFTER_S = 2.0


class Admission:
    """The door of one process; its limits may change while it is in use."""

    def __init__(self, limit: int, line: int, patience_s: float) -> None:
        self.limit = limit
        self.line = line
        self.patience_s = patience_s
        self.served = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._waiting)

    @asynccontextmanager
    async def enter(self) -> AsyncGenerator[None]:
        """Runs the block when there is room for it. Raises Overloaded."""
        if self.served < self.limit:
            self.served += 1
        else:
            await self._stand_in_line()
        try:
            yield
        finally:
            self.served -= 1
            self._let_in()

    async def _stand_in_line(self) -> None:
        if len(self._waiting) >= self.line:
            raise Overloaded(
                f"The gateway serves {self.served} requests already and {self.waiting} wait: try"
                " again, or raise its `max_requests` or `max_queue`.",
                retry_after=_RETRY_AFTER_S,
            )
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self.patience_s):
                await turn
        except TimeoutError as error:
            self._leave_line(turn)
            raise Overloaded(
                f"The gateway did not get to this request within {self.patience_s:g} s (queue_s):"
                " try again, or raise its `max_requests`.",
                retry_after=_RETRY_AFTER_S,
            ) from error
        except asyncio.CancelledError:
            self._leave_line(turn)
            raise

    def _leave_line(self, turn: asyncio.Future[None]) -> None:
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled():  # its turn came at the very same moment
            self.served -= 1
            self._let_in()

    def _let_in(self) -> None:
        while self._waiting and self.served < self.limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self.served += 1
                turn.set_result(None)
