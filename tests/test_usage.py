"""usage: the record of a request as it goes on."""

from __future__ import annotations

from dragoman.errors import UpstreamUnreachable
from dragoman.protocols import CHAT, Protocol
from dragoman.providers.provider import Auth, Provider
from dragoman.routing import Target
from dragoman.usage import Entry

UP = Provider("up", "openai", "Up", {}, frozenset({Protocol.CHAT}), Auth.BEARER)


def test_attempts_are_counted_and_failures_kept() -> None:
    entry = Entry("req", CHAT)
    first, second = Target(UP, "a"), Target(UP, "b")
    entry.begin_attempt(first)
    error = UpstreamUnreachable("gone")
    entry.fail_attempt(error)
    entry.begin_attempt(second)
    assert (entry.attempts, entry.target) == (2, second)
    assert [(each.target, each.error) for each in entry.failures] == [(first, error)]


def test_the_first_byte_is_marked_once() -> None:
    entry = Entry("req", CHAT)
    assert entry.first_byte is None
    entry.mark_first_byte()
    marked = entry.first_byte
    entry.mark_first_byte()
    assert entry.first_byte == marked is not None
