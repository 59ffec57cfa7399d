"""Reads a request body within its limit, unpacked where the client has packed it."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from dragoman.errors import InvalidRequest, RequestTooLarge, UnsupportedEncoding

_WBITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 47}


async def read_body(receive: Any, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """The whole body, at most `limit` bytes both packed and unpacked.

    Raises RequestTooLarge as soon as the limit is known to be passed (by `content-length` before
    a byte is read), UnsupportedEncoding, or InvalidRequest for damaged compression.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in _WBITS and encoding not in {b"identity", b""}:
        raise UnsupportedEncoding(
            f"The content-encoding `{encoding.decode('latin-1')}` is not read here: send the body"
            " uncompressed, or as gzip or deflate."
        )
    message = await receive()
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        body = await _read_rest(receive, body, limit)
    if len(body) > limit:
        raise _too_large(limit)
    return _unpack(body, _WBITS[encoding], limit) if encoding in _WBITS else body


async def _read_rest(receive: Any, first: bytes, limit: int) -> bytes:
    pieces = [first]
    size = len(first)
    more = True
    while more:
        if size > limit:
            raise _too_large(limit)
        message = await receive()
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        more = message.get("more_body", False)
    return b"".join(pieces)


def _unpack(body: bytes, wbits: int, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits)
    try:
        plain = unpacker.decompress(body, limit + 1)
    except zlib.error as error:
        raise InvalidRequest("The compressed request body is damaged.") from error
    if len(plain) > limit:
        raise _too_large(limit)
    if not unpacker.eof:
        raise InvalidRequest("The compressed request body ends early.")
    return plain


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(
        f"The request body is larger than {limit / 1_048_576:g} MB, the gateway's `max_body_mb`."
    )
