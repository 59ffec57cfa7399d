"""Runs local models: one child process per model, started on first use and stopped when idle.

    stopped --use--> starting --loaded--> ready --idle for `idle_s`--> stopped
                        |                   |
                        +----> failed <-----+   the process ended by itself; a use starts anew

A crash of the native code therefore costs the requests under way and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from dragoman.errors import DragomanError, ModelNotFound, UpstreamDied, UpstreamUnreachable
from dragoman.local.child import Endpoint, ServerProcess
from dragoman.local.models import LocalModelFile

_CLOSING = "The gateway is shutting down; it starts no local model."


class State(StrEnum):
    """What a local model's process is doing."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """A local model as the admin page shows it.

    `users` counts the requests that hold it, `rss` is resident memory in bytes, `since` the Unix
    time at which the process was started, `error` why the last one failed or ended.
    """

    id: str
    path: str
    state: State
    users: int
    pid: int | None = None
    port: int | None = None
    rss: int | None = None
    since: float | None = None
    error: str | None = None


class LocalModels:
    """The running local models. Belongs to one event loop and never blocks it.

    `idle_s` is how long a process is kept without requests (0 keeps it for good), `start_s` how
    long loading may take, `grace_s` how long a process may take to end before it is killed.
    """

    def __init__(
        self,
        models: Iterable[LocalModelFile] = (),
        *,
        idle_s: float = 600,
        start_s: float = 120,
        grace_s: float = 5,
    ) -> None:
        self._idle_s = idle_s
        self._start_s = start_s
        self._grace_s = grace_s
        self._slots: dict[str, _Slot] = {model.id: _Slot(model) for model in models}
        self._retired: set[_Slot] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def use(self, model_id: str) -> AsyncGenerator[Endpoint]:
        """Holds a running model for one request; starts its process when there is none.

        Leave it only when the answer has been read to its end. An `UpstreamUnreachable` or
        `UpstreamDied` that leaves the block is raised anew with the reason when the cause is that
        the process ended. Raises `ModelNotFound`, and what `ServerProcess.start` raises.
        """
        slot = self._slots.get(model_id)
        if slot is None:
            raise ModelNotFound(f"There is no local model {model_id}.", param="model")
        slot.users += 1
        slot.cancel_timer()
        try:
            child = await self._running(slot)
            try:
                yield child.endpoint
            except (UpstreamUnreachable, UpstreamDied) as error:
                end = await child.ending()
                if end is None:
                    raise
                raise type(error)(
                    f"Local model {model_id} broke off: {end}. The next request starts it again."
                ) from error
        finally:
            slot.users -= 1
            self._release(slot)

    def configure(self, models: Iterable[LocalModelFile], *, idle_s: float) -> None:
        """Takes over a changed configuration. A model that is no longer listed, or whose file is
        another one now, is stopped once its last request is answered."""
        self._idle_s = idle_s
        before = self._slots
        self._slots = {}
        for model in models:
            slot = before.get(model.id)
            if slot is not None and slot.model == model:
                self._slots[model.id] = before.pop(model.id)
            else:
                self._slots[model.id] = _Slot(model)
        self._retired.update(before.values())
        for slot in (*before.values(), *self._slots.values()):
            self._release(slot)

    def status(self) -> tuple[Status, ...]:
        """Every configured model and what its process is doing."""
        return tuple(slot.status() for slot in self._slots.values())

    async def aclose(self) -> None:
        """Ends every process; a request that still uses one sees its connection break."""
        self._closed = True
        for slot in (*self._slots.values(), *self._retired):
            slot.cancel_timer()
            if slot.starting is not None:
                slot.starting.cancel()
                await asyncio.wait([slot.starting])
            self._stop(slot)
        await asyncio.gather(*self._stopping)

    async def _running(self, slot: _Slot) -> ServerProcess:
        if self._closed:
            raise UpstreamUnreachable(_CLOSING)
        if slot.child is not None and slot.child.alive:
            return slot.child
        if slot.starting is None:
            slot.starting = asyncio.create_task(self._start(slot))
            slot.starting.add_done_callback(_note_outcome)
        # `wait` leaves the start alone when one of those who wait for it is cancelled.
        starting = slot.starting
        await asyncio.wait([starting])
        if starting.cancelled():
            raise UpstreamUnreachable(_CLOSING)
        return starting.result()

    async def _start(self, slot: _Slot) -> ServerProcess:
        try:
            slot.child = await ServerProcess.start(slot.model, limit_s=self._start_s)
        except DragomanError as error:
            slot.error = error.message
            raise
        else:
            slot.error = None
            return slot.child
        finally:
            slot.starting = None
            self._release(slot)

    def _release(self, slot: _Slot) -> None:
        """Decides what becomes of a process that nobody uses."""
        slot.cancel_timer()
        if slot.users or slot.starting is not None:
            return
        if slot in self._retired:
            self._retired.discard(slot)
            self._stop(slot)
        elif slot.child is not None and self._idle_s:
            loop = asyncio.get_running_loop()
            slot.timer = loop.call_later(self._idle_s, self._stop, slot)

    def _stop(self, slot: _Slot) -> None:
        child, slot.child = slot.child, None
        if child is not None:
            task = asyncio.create_task(child.stop(self._grace_s))
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)


@dataclass(eq=False, slots=True)
class _Slot:
    """A configured model and, while it has one, its process."""

    model: LocalModelFile
    child: ServerProcess | None = None
    starting: asyncio.Task[ServerProcess] | None = None
    timer: asyncio.TimerHandle | None = None
    users: int = 0
    error: str | None = None

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def status(self) -> Status:
        about = Status(self.model.id, str(self.model.path), State.STOPPED, self.users)
        child = self.child
        if self.starting is not None:
            return replace(about, state=State.STARTING)
        if child is None:
            return replace(about, state=State.FAILED, error=self.error) if self.error else about
        if not child.alive:
            return replace(about, state=State.FAILED, error=child.describe_end())
        return replace(
            about,
            state=State.READY,
            pid=child.pid,
            port=child.port,
            rss=child.rss,
            since=child.started_at,
        )


def _note_outcome(starting: asyncio.Task[ServerProcess]) -> None:
    # Everyone who waited may have left by now; asyncio complains of an error nobody looked at.
    if not starting.cancelled():
        starting.exception()
