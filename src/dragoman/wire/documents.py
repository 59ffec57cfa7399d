"""JSON in and out of codecs, with each side's mistakes blamed on that side."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from dragoman import edit
from dragoman.errors import UpstreamError
from dragoman.wire.fields import Fields

T = TypeVar("T")

encode = msgspec.json.Encoder().encode
"""Compact JSON bytes of plain values and structs."""


def parse_request(body: bytes) -> Fields:
    """The caller's body. Raises InvalidJson, or InvalidRequest where it is no object or names a
    member twice."""
    edit.parse(body)
    return Fields(msgspec.json.decode(body))


def parse_answer(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """A provider's body by `decoder`. Raises UpstreamError where it does not fit."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamError(
            f"The provider's answer is not what its protocol promises: {error}."
        ) from error


def parse_object(text: str) -> dict[str, Any] | None:
    """A JSON object out of a model's own text, None where it is not one."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def is_object(text: str) -> bool:
    """Whether `text` is one whole JSON object."""
    return text.endswith("}") and parse_object(text) is not None
