"""What people write into options that take several values."""

from __future__ import annotations

import pytest

from dragoman.cli.options import split_list


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (None, None),
        ("", []),
        ("a", ["a"]),
        (" a , b,", ["a", "b"]),
        ("anthropic:*,my-openai:gpt-4", ["anthropic:*", "my-openai:gpt-4"]),
    ],
)
def test_lists_are_separated_by_commas(text: str | None, items: list[str] | None) -> None:
    assert split_list(text) == items
