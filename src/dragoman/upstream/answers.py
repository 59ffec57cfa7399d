"""Reading a provider's successful answer, whatever form it chose for it."""

from __future__ import annotations

import zlib

from dragoman.errors import UpstreamDied
from dragoman.upstream.seam import Response


def is_event_stream(response: Response) -> bool:
    """Whether the answer is a stream of server-sent events."""
    return _header(response, b"content-type").startswith(b"text/event-stream")


async def read_body(response: Response) -> bytes:
    """The whole body, and the response closed.

    Every request asks for an uncompressed answer, but some servers insist: gzip and deflate are
    unpacked. Raises UpstreamDied for others, and for a body that is damaged.
    """
    try:
        body = await response.read()
    finally:
        await response.aclose()
    encoding = _header(response, b"content-encoding").lower()
    if encoding in {b"", b"identity"}:
        return body
    if encoding not in {b"gzip", b"x-gzip", b"deflate"}:
        raise UpstreamDied(
            f"The provider compressed its answer as `{encoding.decode('latin-1')}`, which it was"
            " not asked to do and which is not read here."
        )
    try:
        return zlib.decompress(body, wbits=47)
    except zlib.error as error:
        raise UpstreamDied("The provider's compressed answer is damaged.") from error


def _header(response: Response, wanted: bytes) -> bytes:
    return next((value for name, value in response.headers if name == wanted), b"")
