"""Whole conversations in one table: case, direction, and what becomes of it.

The fixtures in `goldens/` are our own. Each request names its caller's protocol and its target;
each answer and stream its provider's protocol and its caller's. To add a direction, add a row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conversations import PROVIDER, events_of, translate, translate_answer, translate_stream

from dragoman import sse
from dragoman.protocols import Protocol
from dragoman.wire import Target

TABLES = Path(__file__).parent / "goldens"


def rows(table: str) -> list[Any]:
    return [
        pytest.param(row, id=row["case"].replace(" ", "-"))
        for row in json.loads((TABLES / f"{table}.json").read_text(encoding="utf-8"))
    ]


def frame(event: Any) -> bytes:
    """One event of a stream as its provider frames it."""
    if isinstance(event, str):
        return sse.encode(event.encode())
    return sse.encode(
        json.dumps(event, ensure_ascii=False).encode(), str(event.get("type", "")).encode()
    )


@pytest.mark.parametrize("row", rows("requests"))
def test_requests(row: dict[str, Any]) -> None:
    fields = row["target"] | {"provider": PROVIDER, "protocol": Protocol(row["target"]["protocol"])}
    sent, lost = translate(row["request"], Protocol(row["caller"]), Target(**fields))
    assert sent == row["sent"]
    assert lost == row["lost"]


@pytest.mark.parametrize("row", rows("answers"))
def test_answers(row: dict[str, Any]) -> None:
    told = translate_answer(row["answer"], Protocol(row["provider"]), Protocol(row["caller"]))
    assert told == row["told"]


@pytest.mark.parametrize("row", rows("streams"))
@pytest.mark.parametrize("step", [None, 1, 3], ids=["whole", "byte-by-byte", "in-threes"])
def test_streams(row: dict[str, Any], step: int | None) -> None:
    stream = b"".join(map(frame, row["stream"]))
    told = translate_stream(
        stream, Protocol(row["provider"]), Protocol(row["caller"]), step=step, **row["asked"]
    )
    assert events_of(told) == row["told"]


@pytest.mark.parametrize("row", rows("streams"))
@pytest.mark.parametrize("trailing", [b"data: {}\n\n", b"garbage", b"\x00\xff\n\n"])
def test_streams_with_trailing_data(row: dict[str, Any], trailing: bytes) -> None:
    stream = b"".join(map(frame, row["stream"])) + trailing
    told = translate_stream(
        stream, Protocol(row["provider"]), Protocol(row["caller"]), **row["asked"]
    )
    assert events_of(told) == row["told"]
