"""Reading a provider's successful answer, whatever form it chose for it."""

from __future__ import annotations

import zlib

from dragoman.errors import UpstreamDied
from dragoman.upstream.seam import Response

LONGEST_BODY = 256 * 1024 * 1024


def is_event_stream(response: Response) -> bool:
    """Whether the answer is a stream of server-sent events."""
    return _header(response, b"content-type").startswith(b"text/event-stream")


async def read_body(response: Response) -> bytes:
    """The whole body, and the response closed.

    Every request asks for an uncompressed answer, but some servers insist: gzip and deflate are
    unpacked. Raises UpstreamDied for others, for a body that is damaged and for one that is too
    long to be held.
    """
    try:
        body = await response.read(LONGEST_BODY + 1)
    finally:
        await response.aclose()
    if len(body) > LONGEST_BODY:
        raise _too_long()
    encoding = _header(response, b"content-encoding").lower()
    if encoding in {b"", b"identity"}:
        return body
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        raise UpstreamDied(
            f"The provider compressed its answer as `{encoding.decode('latin-1')}`, which it was"
            " not asked to do and which is not read here."
        )
    unpacker = zlib.decompressobj(wbits=47)
    try:
        plain = unpacker.decompress(body, LONGEST_BODY + 1)
    except zlib.error as error:
        raise _damaged() from error
    if len(plain) > LONGEST_BODY:
        raise _too_long()
    if not unpacker.eof:
        raise _damaged()
    return plain


def _too_long() -> UpstreamDied:
    return UpstreamDied("The provider's answer is longer than 256 MB.")


def _damaged() -> UpstreamDied:
    return UpstreamDied("The provider's compressed answer is damaged.")


def _header(response: Response, wanted: bytes) -> bytes:
    return next((value for name, value in response.headers if name == wanted), b"")
