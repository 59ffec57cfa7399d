"""The record of one request: what was asked, what was tried, what came back, what it used."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from dragoman.errors import UpstreamError
from dragoman.ir import Usage
from dragoman.keys import GatewayKey
from dragoman.protocols import Operation
from dragoman.routing import Target


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a provider that failed, and why."""

    target: Target
    error: UpstreamError


@dataclass(slots=True)
class Entry:
    """A request in progress; times are `time.monotonic` seconds.

    `status` is what the client was told; a stream that broke after its status line keeps that
    status and has an `error`. `usage` stays None where the provider told nothing.
    """

    request_id: str
    operation: Operation
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    key: GatewayKey | None = None
    client: str = ""
    stream: bool = False
    target: Target | None = None
    translation: str = "none"
    dropped: tuple[str, ...] = ()
    attempts: int = 0
    failures: list[Attempt] = field(default_factory=list[Attempt])
    usage: Usage | None = None
    status: int = 0
    error: str | None = None
    first_byte: float | None = None
    ended: float | None = None

    def begin_attempt(self, target: Target) -> None:
        """Notes that `target` is being tried."""
        self.target = target
        self.attempts += 1

    def fail_attempt(self, error: UpstreamError) -> None:
        """Notes that the attempt under way has failed."""
        if self.target is not None:
            self.failures.append(Attempt(self.target, error))

    def mark_first_byte(self) -> None:
        """Notes when the provider's answer began to arrive."""
        if self.first_byte is None:
            self.first_byte = time.monotonic()
