"""Holds the beginning of a stream back until it is worth showing.

As long as nothing of it has been shown, a failure keeps its true status and can be made good
elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from dragoman import sse
from dragoman.errors import UpstreamDied
from dragoman.routing import Target
from dragoman.usage import Entry

_MOST_HELD = 1024 * 1024
"""Bytes; a greeting repeats the request's instructions and tools, so it may be long."""


async def hold_back(
    stream: AsyncGenerator[bytes, None], has_begun: Callable[[bytes], bool], entry: Entry
) -> bytes:
    """The first pieces of `stream`, up to the one in which the answer has begun; the stream goes
    on behind them.

    Meanwhile they are in `entry.held`, from where they are taken when the client's stream must be
    opened before the answer begins; then nothing is left to be held back for. Whatever `stream`
    and `has_begun` raise goes through, and the stream is closed.
    """
    held = entry.held
    try:
        async for piece in stream:
            held += piece
            if has_begun(piece) or entry.status or len(held) > _MOST_HELD:
                break
    except BaseException:
        held.clear()
        await stream.aclose()
        raise
    opening = bytes(held)
    held.clear()
    return opening


def endless_event(target: Target) -> UpstreamDied:
    """The failure of a stream whose event does not end: it would fill the memory."""
    return UpstreamDied(
        f"The provider `{target.provider.id}` sent an event without an end; more than"
        f" {sse.LONGEST_EVENT // 1_048_576} MB of one are not held."
    )
