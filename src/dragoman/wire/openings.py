"""The beginning of a provider's stream: where the answer starts, and errors that come before it.

Providers answer 200 and send their first events before they know whether they can serve the
request. Until there is more than a greeting (`message_start`, `response.created`, a chunk that
holds nothing but the role, a comment) the request can still fail as if there had been no stream:
with a status of its own, and tried elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec

from dragoman import sse
from dragoman.errors import UpstreamRefused
from dragoman.protocols import Operation, Protocol
from dragoman.wire.error_bodies import decode_error, in_shape
from dragoman.wire.overflow import recognise

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "api_error": 500,
    "server_error": 500,
    "internal_server_error": 500,
    "service_unavailable": 503,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_UNKNOWN_STATUS = 500
_MESSAGES_GREETINGS = frozenset({"message_start", "ping"})
_RESPONSES_GREETINGS = frozenset({"response.created", "response.in_progress", "response.queued"})


class Opening:
    """Reads the first events of one stream of `operation`."""

    def __init__(self, operation: Operation) -> None:
        self._operation = operation
        self._begins = _BEGINS.get(operation.protocol, _begins_at_once)

    def feed(self, events: bytes) -> bool:
        """Whether the answer begins in `events`, which are whole.

        Raises UpstreamRefused for an error that comes before it.
        """
        for event in sse.read(events):
            value = _decode(event.data)
            if (refusal := self._find_error(event, value)) is not None:
                raise refusal
            if self._begins(value):
                return True
        return False

    def _find_error(self, event: sse.Event, value: dict[str, Any]) -> UpstreamRefused | None:
        kind = value.get("type")
        if kind == "response.failed":
            # What is the caller's fault stays an event: clients look into it.
            response = _members(value.get("response"))
            refusal = _refusal(msgspec.json.encode({"error": response.get("error")}), b"")
            return refusal if refusal.retryable else None
        if not value.get("error") and kind != "error":
            return None
        body = event.data if in_shape(self._operation.error_shape, event.data) else b""
        return _refusal(event.data, body)


def _refusal(said: bytes, body: bytes) -> UpstreamRefused:
    told = decode_error(said)
    number = _members(_decode(said).get("error")).get("code")
    if isinstance(number, int) and 400 <= number <= 599:
        status = number
    else:
        code = told.code or ""
        status = _STATUSES.get(code, 400 if code.startswith("invalid") else _UNKNOWN_STATUS)
    message = told.message or "The provider failed and did not say why."
    refusal = UpstreamRefused(message, status=status, body=body, code=told.code, param=told.param)
    return recognise(refusal)


def _begins_in_chat(chunk: dict[str, Any]) -> bool:
    choices = chunk.get("choices")
    if not isinstance(choices, list):
        return True  # `[DONE]`, or something new
    return any(map(_has_content, cast("list[Any]", choices)))


def _has_content(choice: Any) -> bool:
    members = _members(choice)
    delta = _members(members.get("delta"))
    return bool(
        members.get("finish_reason")
        or members.get("text")
        or any(value for name, value in delta.items() if name != "role")
    )


def _begins_in_messages(event: dict[str, Any]) -> bool:
    return event.get("type") not in _MESSAGES_GREETINGS


def _begins_in_responses(event: dict[str, Any]) -> bool:
    return event.get("type") not in _RESPONSES_GREETINGS


def _begins_in_gemini(chunk: dict[str, Any]) -> bool:
    candidates = chunk.get("candidates")
    if not isinstance(candidates, list):
        return chunk.keys() - {"usageMetadata", "modelVersion", "responseId"} != set()
    for candidate in map(_members, cast("list[Any]", candidates)):
        if candidate.get("finishReason") or _members(candidate.get("content")).get("parts"):
            return True
    return False


def _begins_at_once(_: dict[str, Any]) -> bool:
    return True


_BEGINS: dict[Protocol, Callable[[dict[str, Any]], bool]] = {
    Protocol.CHAT: _begins_in_chat,
    Protocol.COMPLETIONS: _begins_in_chat,
    Protocol.RESPONSES: _begins_in_responses,
    Protocol.MESSAGES: _begins_in_messages,
    Protocol.GEMINI: _begins_in_gemini,
}


def _decode(data: bytes) -> dict[str, Any]:
    """The members of a JSON object; none where it is something else."""
    try:
        return _members(msgspec.json.decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _members(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
