"""Whole conversations and answers between Gemini and each other protocol, word for word.

Each file in `goldens` is one case: what came in, and what must go out for it. A request's case
also lists what is lost on the way; an answer's may leave out members that only repeat the request.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import target, translate, translate_answer

from dragoman.protocols import Protocol

GOLDENS = Path(__file__).parent / "goldens"


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(json.loads(path.read_text()), id=path.stem)
        for path in sorted(GOLDENS.glob(f"{kind}-*.json"))
    ]


@pytest.mark.parametrize("case", cases("request"))
def test_requests(case: dict[str, Any]) -> None:
    to = target(Protocol(case["target"]), case["model"], genuine=True)
    assert translate(case["body"], Protocol(case["source"]), to) == (case["sent"], case["lost"])


@pytest.mark.parametrize("case", cases("answer"))
def test_answers(case: dict[str, Any]) -> None:
    shown = translate_answer(case["body"], Protocol(case["source"]), Protocol(case["target"]))
    assert {name: shown.get(name) for name in case["shown"]} == case["shown"]


def test_every_direction_has_its_cases() -> None:
    others = ("chat", "responses", "messages")
    pairs = [f"gemini-to-{each}" for each in others] + [f"{each}-to-gemini" for each in others]
    names = {path.stem for path in GOLDENS.iterdir()}
    assert names == {f"{kind}-{pair}" for kind in ("request", "answer") for pair in pairs}
