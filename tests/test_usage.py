"""usage: the record of a request as it goes on, and what it costs in the end."""

from __future__ import annotations

import pytest

from dragoman.errors import UpstreamUnreachable
from dragoman.ir import Usage
from dragoman.prices import Prices, PriceSpec
from dragoman.protocols import CHAT, COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS, Protocol
from dragoman.providers.provider import Auth, Provider, Source
from dragoman.routing import Target
from dragoman.usage import Entry

UP = Provider("up", "openai-compatible", "Up", {}, frozenset({Protocol.CHAT}), Auth.BEARER)
LOCAL = Provider("local", "local", "Local", {}, frozenset(), Auth.NONE, source=Source.LOCAL)
PRICES = Prices([PriceSpec(model="up:m", input=1, output=2)])


def test_attempts_are_counted_and_failures_kept() -> None:
    entry = Entry("req", CHAT)
    first, second = Target(UP, "a"), Target(UP, "b")
    entry.begin_attempt(first)
    error = UpstreamUnreachable("gone")
    entry.fail_attempt(error)
    entry.begin_attempt(second)
    assert (entry.attempts, entry.target) == (2, second)
    (failure,) = entry.failures
    assert (failure.target, failure.error) == (first, error)
    assert failure.seconds >= 0


def test_the_first_byte_is_marked_once() -> None:
    entry = Entry("req", CHAT)
    assert entry.first_byte is None
    entry.mark_first_byte()
    marked = entry.first_byte
    entry.mark_first_byte()
    assert entry.first_byte == marked is not None


class TestCharge:
    def charge(self, entry: Entry, target: Target | None = None, usage: Usage | None = None) -> int:
        if target is not None:
            entry.begin_attempt(target)
        entry.usage = usage
        entry.charge(PRICES)
        return -1 if entry.cost is None else entry.cost

    def test_tokens_have_a_price(self) -> None:
        entry = Entry("req", CHAT)
        assert self.charge(entry, Target(UP, "m"), Usage(input=1, output=1)) == 3000
        assert entry.price == "configuration file"

    def test_without_a_price_the_cost_is_unknown_and_not_nothing(self) -> None:
        entry = Entry("req", CHAT)
        assert self.charge(entry, Target(UP, "other"), Usage(input=1)) == -1
        assert entry.price is None

    def test_without_counts_the_cost_is_unknown(self) -> None:
        assert self.charge(Entry("req", CHAT), Target(UP, "m")) == -1

    def test_a_model_inside_the_gateway_costs_nothing_with_or_without_counts(self) -> None:
        assert self.charge(Entry("req", CHAT), Target(LOCAL, "m")) == 0
        assert self.charge(Entry("req", CHAT), Target(LOCAL, "m"), Usage(input=5)) == 0

    def test_a_request_that_nobody_answered_costs_nothing(self) -> None:
        assert self.charge(Entry("req", CHAT)) == 0
        refused = Entry("req", CHAT)
        refused.begin_attempt(Target(UP, "m"))
        refused.fail_attempt(UpstreamUnreachable("gone"))
        refused.charge(PRICES)
        assert refused.cost == 0

    @pytest.mark.parametrize("operation", [COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS])
    def test_counting_tokens_is_free(self, operation) -> None:
        assert self.charge(Entry("req", operation), Target(UP, "other")) == 0
