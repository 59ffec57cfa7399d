from __future__ import annotations

import pytest
from conversations import target

from dragoman.protocols import Protocol
from dragoman.wire.openai_models import efforts_of, takes_breakpoints


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("gpt-4.1", ()),
        ("gpt-5-chat-latest", ()),
        ("o3-mini", ("low", "medium", "high")),
        ("gpt-5-mini-2025-08-07", ("minimal", "low", "medium", "high")),
        ("gpt-5-codex", ("low", "medium", "high")),
        ("gpt-5.1", ("none", "low", "medium", "high")),
        ("gpt-5.1-codex-max", ("low", "medium", "high", "xhigh")),
        ("gpt-5.4", ("none", "low", "medium", "high", "xhigh")),
        ("gpt-6-astra", ("none", "low", "medium", "high", "xhigh", "max")),
        ("gpt-oss-120b", None),
    ],
)
def test_the_name_tells_the_efforts(model: str, efforts: tuple[str, ...] | None) -> None:
    assert efforts_of(target(Protocol.RESPONSES, model, genuine=True)) == efforts


def test_names_tell_nothing_elsewhere() -> None:
    assert efforts_of(target(Protocol.RESPONSES, "gpt-4.1")) is None
    assert efforts_of(target(Protocol.RESPONSES, "gpt-5.6", reasons=False)) == ()


@pytest.mark.parametrize(
    ("model", "genuine", "expected"),
    [("gpt-5.6-sol", True, True), ("gpt-5.5", True, False), ("gpt-5.6", False, False)],
)
def test_breakpoints_came_with_5_6(model: str, genuine: bool, expected: bool) -> None:
    assert takes_breakpoints(target(Protocol.RESPONSES, model, genuine=genuine)) is expected
