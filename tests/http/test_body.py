"""http.body: whole bodies within their limit."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.errors import InvalidRequest, RequestTooLarge, UnsupportedEncoding
from dragoman.http.body import read_body

PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"deflate": zlib.compress,
    b"identity": bytes,
}


def receiver(pieces: list[bytes]) -> Any:
    """An ASGI `receive` that gives the body in these pieces, and fails when asked for more."""
    left = list(pieces) or [b""]

    async def receive() -> dict[str, object]:
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left)}

    return receive


@given(st.lists(st.binary(max_size=50), max_size=5), st.sampled_from(list(PACKERS)))
async def test_any_body_in_any_pieces(pieces: list[bytes], encoding: bytes) -> None:
    body = b"".join(pieces)
    packed = PACKERS[encoding](body)
    half = len(packed) // 2
    receive = receiver([packed[:half], packed[half:]])
    assert await read_body(receive, {b"content-encoding": encoding}, 1000) == body


@pytest.mark.parametrize("size", [99, 100])
async def test_up_to_the_limit(size: int) -> None:
    assert len(await read_body(receiver([b"x" * size]), {}, 100)) == size


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    async def receive() -> None:
        raise AssertionError("must not be read")

    with pytest.raises(RequestTooLarge):
        await read_body(receive, {b"content-length": b"101"}, 100)


async def test_reading_stops_once_the_limit_is_passed() -> None:
    receive = receiver([b"x" * 60, b"x" * 60, b"never read", b"never read"])
    with pytest.raises(RequestTooLarge):
        await read_body(receive, {}, 100)
    assert (await receive())["body"] == b"never read"


async def test_a_bomb_does_not_unfold() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(RequestTooLarge):
        await read_body(receiver([bomb]), {b"content-encoding": b"gzip"}, 100_000)


@pytest.mark.parametrize(
    ("encoding", "body", "error"),
    [
        (b"br", b"", UnsupportedEncoding),
        (b"gzip, gzip", b"", UnsupportedEncoding),
        (b"gzip", b"not gzip", InvalidRequest),
        (b"gzip", gzip.compress(b"x" * 50, mtime=0)[:-6], InvalidRequest),
    ],
)
async def test_what_cannot_be_unpacked(
    encoding: bytes, body: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await read_body(receiver([body]), {b"content-encoding": encoding}, 1000)
