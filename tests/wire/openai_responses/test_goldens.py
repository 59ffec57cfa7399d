"""Whole requests and streams with what must come of them, one file for each case and direction.

Every stream is tried whole, byte by byte, and with data behind its end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import events_of, target, translate, translate_stream

from dragoman import sse
from dragoman.protocols import Protocol

CASES = {path.stem: path for path in sorted((Path(__file__).parent / "goldens").glob("*.json"))}
REQUESTS = [name for name in CASES if "stream" not in name]
STREAMS = [name for name in CASES if "stream" in name]


def load(name: str) -> dict[str, Any]:
    return json.loads(CASES[name].read_text(encoding="utf-8"))


def framed(events: list[dict[str, Any]]) -> bytes:
    """`events` as their protocol frames them: Chat has no names, but a last line of its own."""
    written = b"".join(
        sse.encode(json.dumps(event).encode(), event.get("type", "").encode()) for event in events
    )
    return written if "type" in events[0] else written + b"data: [DONE]\n\n"


def test_there_are_cases_of_both_kinds() -> None:
    assert len(REQUESTS) == len(STREAMS) == 4


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_becomes_what_the_file_says(name: str) -> None:
    case = load(name)
    to = target(Protocol(case["to"]), case["model"], genuine=case["genuine"])
    written, losses = translate(case["given"], Protocol(case["from"]), to)
    assert written == case["expected"]
    assert losses == case["losses"]


@pytest.mark.parametrize("trailing", [b"", b"data: {}\n\n: bye\n\n"], ids=["", "trailing"])
@pytest.mark.parametrize("step", [None, 1], ids=["whole", "bytewise"])
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_becomes_what_the_file_says(name: str, step: int | None, trailing: bytes) -> None:
    case = load(name)
    stream = framed(case["given"]) + trailing
    written = translate_stream(stream, Protocol(case["from"]), Protocol(case["to"]), step=step)
    assert events_of(written) == case["expected"]
