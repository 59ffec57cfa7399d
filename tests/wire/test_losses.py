from __future__ import annotations

import pytest
from conversations import request

from dragoman import ir
from dragoman.errors import InvalidRequest, PreviousResponseNotFound, Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire.losses import Losses, refuse, refuse_memory

CHAT, MESSAGES = Protocol.CHAT, Protocol.MESSAGES


def test_fields_are_named_in_the_caller_s_words() -> None:
    losses = Losses(request(CHAT, names={"cache_key": "prompt_cache_key"}), MESSAGES)
    losses.field("cache_key", "why")
    assert losses.result() == (ir.Loss("prompt_cache_key", "why"),)


def test_only_what_was_set_is_lost() -> None:
    asked = request(CHAT, seed=0, store=False, logprobs=True)
    losses = Losses(asked, MESSAGES)
    losses.unsupported(("seed", "store", "logprobs", "user"))
    assert [loss.path for loss in losses.found] == ["seed", "logprobs"]


def test_extras_are_lost_in_another_protocol_only() -> None:
    for target, expected in ((MESSAGES, ["a.new"]), (CHAT, [])):
        losses = Losses(request(CHAT), target)
        losses.extras({"new": 1}, "a")
        assert [loss.path for loss in losses.found] == expected


@pytest.mark.parametrize(
    ("caller", "name"), [(CHAT, "prompt_cache_breakpoint"), (MESSAGES, "cache_control")]
)
def test_cache_markers_have_the_caller_s_name(caller: Protocol, name: str) -> None:
    losses = Losses(request(caller), Protocol.GEMINI)
    losses.cache(ir.Text("x", at="m.0", cache=ir.Cache()))
    losses.cache(ir.Text("x", at="m.1"))
    assert [loss.path for loss in losses.found] == [f"m.0.{name}"]


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("thread", InvalidRequest),
        ("previous_response_id", PreviousResponseNotFound),
        ("conversation", Untranslatable),
    ],
)
def test_a_conversation_without_its_beginning_is_never_sent(
    field: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        refuse_memory(request(CHAT, memory=ir.Memory(field, "x")))
    refuse_memory(request(CHAT))


def test_a_refusal_names_its_path() -> None:
    error = refuse("messages.0", "it sings")
    assert error.paths == ("messages.0",)
    assert error.message == "`messages.0` cannot be translated: it sings."
