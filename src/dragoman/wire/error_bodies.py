"""Errors in the words of each protocol: bodies, stream events, and what a provider's error says.

Shapes and type names are those of the OpenAI, Anthropic and Google API references. An OpenAI
Responses stream reports a failure as an event of type `error` whose members stand at the top
level; OpenAI's SDKs raise only when there is an `error` member as well, so both are written.
"""

from __future__ import annotations

import html
import re
from typing import Any, NamedTuple, cast

import msgspec

from dragoman import sse
from dragoman.errors import DragomanError
from dragoman.protocols import ErrorShape, Operation, Protocol
from dragoman.wire import overflow

_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_GEMINI_STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
    529: "UNAVAILABLE",
}
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_LONGEST_TEXT = 500


class ProviderMessage(NamedTuple):
    """What a provider's error body says, whatever its shape."""

    message: str
    code: str | None = None
    param: str | None = None


def encode_error(shape: ErrorShape, error: DragomanError, request_id: str) -> bytes:
    """The JSON body of `error` in the caller's shape."""
    return msgspec.json.encode(_envelope(shape, error, request_id))


def encode_error_event(operation: Operation, error: DragomanError, request_id: str) -> bytes:
    """The event that ends a stream of `operation` with `error`, framed."""
    body = _envelope(operation.error_shape, error, request_id)
    if operation.protocol is Protocol.RESPONSES:
        inner: Any = body["error"]
        event = {
            "type": "error",
            "code": inner["code"],
            "message": inner["message"],
            "param": inner["param"],
            "sequence_number": 0,
            "error": inner,
        }
        return sse.encode(msgspec.json.encode(event), b"error")
    name = b"error" if operation.protocol is Protocol.MESSAGES else b""
    return sse.encode(msgspec.json.encode(body), name)


def decode_error(body: bytes) -> ProviderMessage:
    """The message inside a provider's error body: JSON of any known shape, HTML or plain text."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = html.unescape(_TAG.sub(" ", body.decode("utf-8", "replace")))
        return ProviderMessage(_shorten(" ".join(text.split())))
    if isinstance(value, list) and value:  # Gemini wraps stream errors in an array
        value = cast("list[Any]", value)[0]
    return _find_message(value)


def in_shape(shape: ErrorShape, body: bytes) -> bool:
    """Whether a provider's error body already is what a client of this shape expects."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    outer = _members(value)
    inner = _members(outer.get("error"))
    if not isinstance(inner.get("message"), str):
        return False
    match shape:
        case ErrorShape.OPENAI:
            return True
        case ErrorShape.ANTHROPIC:
            return outer.get("type") == "error" and isinstance(inner.get("type"), str)
        case ErrorShape.GEMINI:
            return isinstance(inner.get("status"), str) and isinstance(inner.get("code"), int)


def _envelope(shape: ErrorShape, error: DragomanError, request_id: str) -> dict[str, Any]:
    extra = dict(error.details or {})
    inner: dict[str, Any]
    match shape:
        case ErrorShape.OPENAI:
            inner = {
                "message": error.message,
                "type": _OPENAI_TYPES.get(error.status) or _by_class(error, "server_error"),
                "param": error.param,
                "code": error.code,
            }
            return {"error": inner | extra}
        case ErrorShape.ANTHROPIC:
            kind = _ANTHROPIC_TYPES.get(error.status) or _by_class(error, "api_error")
            message = error.message
            if error.code == overflow.CODE:
                message = overflow.anthropic_words(message)
            inner = {"type": kind, "message": message}
            if extra:
                inner["details"] = extra
            return {"type": "error", "error": inner, "request_id": request_id}
        case ErrorShape.GEMINI:
            fallback = "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL"
            status = _GEMINI_STATUSES.get(error.status, fallback)
            inner = {"code": error.status, "message": error.message, "status": status}
            return {"error": inner | extra}


def _by_class(error: DragomanError, server_error: str) -> str:
    return "invalid_request_error" if error.status < 500 else server_error


def _find_message(value: Any) -> ProviderMessage:
    members = _members(value)
    if not members:
        return ProviderMessage(_shorten(str(value)))
    error = members.get("error")
    if isinstance(error, str):
        return ProviderMessage(_shorten(_text(members.get("message")) or error))
    if inner := _members(error):
        message = inner.get("message") or inner.get("type") or _render(inner)
        code = _text(inner.get("code")) or _text(inner.get("status")) or _text(inner.get("type"))
        return ProviderMessage(_shorten(str(message)), code, _text(inner.get("param")))
    for name in ("message", "detail", "msg", "error_msg", "errors"):
        if found := members.get(name):
            text = _text(found) or _render(found)
            return ProviderMessage(_shorten(text), _text(members.get("code")))
    return ProviderMessage(_shorten(_render(members)))


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _render(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
