"""The record of one request: what was asked, what was tried, what came back, what it used."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from dragoman.errors import UpstreamError
from dragoman.ir import Usage
from dragoman.keys import GatewayKey
from dragoman.limits import Demand, Hold
from dragoman.prices import LOCAL, Prices
from dragoman.protocols import COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS, Operation
from dragoman.routing import Target
from dragoman.transcript import Transcript

PER_DOLLAR = 1_000_000_000
"""Costs are counted in billionths of a dollar."""

LEFT = "client_left"
"""The `code` of a request whose client did not wait for its end."""

_FREE = frozenset({COUNT_TOKENS.name, GEMINI_COUNT_TOKENS.name, INPUT_TOKENS.name})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a provider that failed, why, and after how many seconds; `began` as in Entry."""

    target: Target
    error: UpstreamError
    seconds: float = 0.0
    began: float = 0.0


@dataclass(slots=True)
class Entry:
    """A request in progress; times are `time.monotonic` seconds.

    `status` is what the client was told; a stream that broke after its status line keeps that
    status and has an `error`, whose stable name is `code`. `usage` stays None where the provider
    told nothing. `asked` is the model's name as the client wrote it, `target` where the latest
    attempt went, which began at `attempted`. `traceparent` is the client's header of that name.
    `cost` is in billionths of a dollar and stays None where it is unknown; `price` says whose
    price it is. `complete` says that a stream's last event has been handed out: a client may hang
    up on it.
    `held` is the beginning of a stream that the client has not been shown yet, `hold` what the
    request has set aside of its key's allowance.
    """

    request_id: str
    operation: Operation
    started: float = field(default_factory=time.monotonic)
    started_at: float = field(default_factory=time.time)
    key: GatewayKey | None = None
    client: str = ""
    traceparent: str = ""
    stream: bool = False
    asked: str = ""
    target: Target | None = None
    translation: str = "none"
    dropped: tuple[str, ...] = ()
    attempts: int = 0
    failures: list[Attempt] = field(default_factory=list[Attempt])
    usage: Usage | None = None
    status: int = 0
    error: str | None = None
    code: str | None = None
    complete: bool = False
    first_byte: float | None = None
    ended: float | None = None
    cost: int | None = None
    price: str | None = None
    transcript: Transcript | None = None
    held: bytearray = field(default_factory=bytearray)
    hold: Hold | None = None
    attempted: float = 0.0

    def begin_attempt(self, target: Target) -> None:
        """Notes that `target` is being tried."""
        self.target = target
        self.attempts += 1
        self.attempted = time.monotonic()

    def fail_attempt(self, error: UpstreamError) -> None:
        """Notes that the attempt under way has failed."""
        if self.target is not None:
            seconds = time.monotonic() - self.attempted
            self.failures.append(Attempt(self.target, error, seconds, self.attempted))

    def mark_first_byte(self) -> None:
        """Notes when the provider's answer began to arrive."""
        if self.first_byte is None:
            self.first_byte = time.monotonic()

    def charge(self, prices: Prices) -> None:
        """Works out what the request has cost, once it is over.

        Nothing, where no attempt was answered: neither a refusal nor a token count is billed. Of
        an answer without a word on what it used the cost is unknown, unless it was free anyway.
        """
        if self.target is None or not self._is_billed:
            self.cost = 0
            return
        usage = self.usage or Usage()
        rates = prices.find(self.target.provider, self.target.model, usage)
        if rates is None:
            return
        self.price = rates.source
        if self.usage is None and rates is not LOCAL:
            return
        cost = rates.cost(usage)
        self.cost = None if cost is None else int(cost * PER_DOLLAR)

    def count_against(self, hold: Hold) -> Demand:
        """What the request has used of its key's allowance, once it is charged. Where nobody told
        what was used, it is what was reserved."""
        if not self._is_billed:
            return Demand()
        usage = self.usage
        return Demand(
            hold.demand.tokens if usage is None else usage.all_input + usage.all_output,
            hold.demand.cost if self.cost is None else self.cost,
        )

    @property
    def _is_billed(self) -> bool:
        """Whether an attempt was answered, by something that is not free for everybody."""
        return self.attempts > len(self.failures) and self.operation.name not in _FREE
