from __future__ import annotations

import pytest

from dragoman.wire.anthropic_messages.generations import generation_of


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("claude-opus-4-5-20251101", (4, 5)),
        ("claude-opus-4-20250514", (4, 0)),
        ("claude-opus-4-8", (4, 8)),
        ("claude-sonnet-5", (5, 0)),
        ("claude-haiku-5-5", (5, 5)),
        ("claude-3-7-sonnet-20250219", (3, 7)),
        ("claude-3-opus-20240229", (3, 0)),
        ("claude-2.1", (2, 1)),
        ("anthropic/claude-4.7-opus", (4, 7)),
        ("us.anthropic.claude-opus-4-6-v1:0", (4, 6)),
        ("claude-opus-4@20250514", (4, 0)),
        ("Claude-Opus-4-6", (4, 6)),
        ("deepseek-chat", (0, 0)),
        ("claude-mythos-preview", (0, 0)),
    ],
)
def test_versions_are_read_out_of_names(model: str, version: tuple[int, int]) -> None:
    assert generation_of(model) == version


@pytest.mark.parametrize(
    ("model", "adaptive", "samples", "one_sampler", "system_turns"),
    [
        ("claude-3-5-sonnet-20241022", False, True, False, False),
        ("claude-sonnet-4-5", False, True, True, False),
        ("claude-sonnet-4-6", True, True, True, False),
        ("claude-opus-4-7", True, False, True, False),
        ("claude-opus-4-8", True, False, True, True),
        ("claude-opus-5-5", True, False, True, True),
        ("glm-5", False, True, False, False),
    ],
)
def test_what_a_generation_takes(
    model: str, adaptive: bool, samples: bool, one_sampler: bool, system_turns: bool
) -> None:
    found = generation_of(model)
    assert (found.adaptive, found.samples) == (adaptive, samples)
    assert (found.one_sampler, found.system_turns) == (one_sampler, system_turns)
