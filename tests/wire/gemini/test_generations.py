from __future__ import annotations

import pytest

from dragoman.wire.gemini.generations import Generation, generation_of


@pytest.mark.parametrize(
    ("model", "generation"),
    [
        ("gemini-2.5-flash-preview-09-2025", (2, 5, "flash")),
        ("gemini-2.5-flash-lite", (2, 5, "flash-lite")),
        ("models/gemini-3-pro-preview", (3, 0, "pro")),
        ("google/gemini-3.1-pro", (3, 1, "pro")),
        ("gemini-1.5-pro-002", (1, 5, "pro")),
        ("gemini-flash-latest", (3, 8, "flash")),
        ("gemma-3-27b-it", (0, 0, "")),
        ("gpt-5", (0, 0, "")),
    ],
)
def test_a_name_tells_the_generation(model: str, generation: tuple[int, int, str]) -> None:
    assert generation_of(model) == generation


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini-2.5-pro", ()),
        ("gemini-3-pro", ("low", "high")),
        ("gemini-3.1-pro", ("low", "medium", "high")),
        ("gemini-3-flash", ("minimal", "low", "medium", "high")),
        ("gemini-3.8-flash", ("low", "medium", "high")),
    ],
)
def test_levels_come_with_the_third_generation(model: str, levels: tuple[str, ...]) -> None:
    generation = generation_of(model)
    assert generation.levels == levels
    assert generation.strict_signatures == generation.media_results == bool(levels)


@pytest.mark.parametrize(
    ("model", "budgets", "may_rest"),
    [
        ("gemini-2.5-pro", (128, 32768), False),
        ("gemini-2.5-flash", (1, 24576), True),
        ("gemini-2.5-flash-lite", (512, 24576), True),
        ("gemini-2.0-flash", None, True),
        ("gemini-3-flash", None, False),
    ],
)
def test_budgets_belong_to_the_second(
    model: str, budgets: tuple[int, int] | None, may_rest: bool
) -> None:
    assert generation_of(model).budgets == budgets
    assert generation_of(model).may_rest == may_rest


def test_an_unknown_maker_gets_nothing_of_gemini_alone() -> None:
    unknown = Generation(0, 0)
    assert not unknown.levels
    assert unknown.budgets is None
    assert not unknown.strict_signatures
