"""Whole answers: of providers that speak Messages, and for clients that do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dragoman import envelope, fold, ir
from dragoman.errors import InvalidRequest, UpstreamError
from dragoman.protocols import Protocol
from dragoman.wire import CallerView, Encoded, call_ids
from dragoman.wire.anthropic_messages.blocks import read_blocks, write_citation
from dragoman.wire.documents import encode, parse_answer, parse_object

_REASONS = {
    "end_turn": ir.FinishReason.STOP,
    "stop_sequence": ir.FinishReason.STOP_SEQUENCE,
    "max_tokens": ir.FinishReason.LENGTH,
    "model_context_window_exceeded": ir.FinishReason.CONTEXT_WINDOW,
    "tool_use": ir.FinishReason.TOOL_CALLS,
    "refusal": ir.FinishReason.REFUSAL,
    "pause_turn": ir.FinishReason.PAUSE,
}
_STOP_REASONS = {reason: word for word, reason in _REASONS.items()} | {
    ir.FinishReason.CONTENT_FILTER: "refusal",
    ir.FinishReason.ERROR: "end_turn",
}


class CacheCreation(msgspec.Struct, frozen=True):
    """Tokens written into the cache, by lifetime."""

    ephemeral_5m_input_tokens: int | None = None
    ephemeral_1h_input_tokens: int | None = None


class OutputDetails(msgspec.Struct, frozen=True):
    """What the output tokens were spent on."""

    thinking_tokens: int | None = None


class ServerToolUse(msgspec.Struct, frozen=True):
    """Requests of tools that Anthropic runs."""

    web_search_requests: int | None = None


class WireUsage(msgspec.Struct, frozen=True):
    """`usage` of a message, of `message_start` and of `message_delta`."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerToolUse | None = None
    service_tier: str | None = None

    def updated(self, later: WireUsage | None) -> WireUsage:
        """These counts with those of `later`, which are totals too, where it has any."""
        if later is None:
            return self
        given = {
            field: value
            for field in self.__struct_fields__
            if (value := getattr(later, field)) is not None
        }
        return msgspec.structs.replace(self, **given)

    def disjoint(self) -> ir.Usage:
        """The counts as `ir.Usage` has them."""
        written = self.cache_creation_input_tokens or 0
        lasting = (self.cache_creation and self.cache_creation.ephemeral_1h_input_tokens) or 0
        details = self.output_tokens_details
        thought = (details and details.thinking_tokens) or 0
        tools = self.server_tool_use
        return ir.Usage(
            input=self.input_tokens or 0,
            cache_read=self.cache_read_input_tokens or 0,
            cache_write=max(written - lasting, 0),
            cache_write_long=lasting,
            output=max((self.output_tokens or 0) - thought, 0),
            reasoning=thought,
            searches=(tools and tools.web_search_requests) or 0,
        )


class StopDetails(msgspec.Struct, frozen=True):
    """Why a refusal happened."""

    category: str | None = None
    explanation: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    content: list[dict[str, Any]]
    id: str = ""
    model: str = ""
    stop_reason: str | None = None
    stop_sequence: str | None = None
    stop_details: StopDetails | None = None
    usage: WireUsage = WireUsage()
    container: dict[str, Any] | None = None
    context_management: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Answer)


def decode_response(body: bytes, origin: ir.Origin) -> ir.Response:
    """A message. Raises UpstreamError where it is none."""
    answer = parse_answer(body, _DECODER)
    parts = read_answer_blocks(answer.content, origin)
    finish = read_finish(answer.stop_reason, answer.stop_sequence, answer.stop_details)
    extras = {
        name: value
        for name in ("container", "context_management")
        if (value := getattr(answer, name)) is not None
    }
    return ir.Response(
        parts=parts,
        finish=fold.settle(finish, parts),
        usage=answer.usage.disjoint(),
        id=answer.id,
        model=answer.model,
        service_tier=answer.usage.service_tier,
        extras=extras,
    )


def read_answer_blocks(blocks: list[dict[str, Any]], origin: ir.Origin) -> tuple[ir.AnyPart, ...]:
    """The blocks of an answer, whose sealed state comes from `origin`. An envelope in one is that
    of another gateway behind this one, and is its business."""
    parts: list[ir.AnyPart] = []
    for block in blocks:
        kind = block.get("type")
        if kind == "thinking":
            sealed = ir.Sealed(_text(block, "signature"), origin)
            parts.append(ir.Thinking(_text(block, "thinking"), sealed=sealed))
        elif kind == "redacted_thinking":
            sealed = ir.Sealed(_text(block, "data"), origin)
            parts.append(ir.Thinking("", sealed=sealed, redacted=True))
        else:
            parts += _read_plain_block(block)
    return tuple(parts)


def _read_plain_block(block: dict[str, Any]) -> Iterable[ir.AnyPart]:
    try:
        parts = read_blocks([block], "content")
    except InvalidRequest as error:
        raise UpstreamError(f"The provider's answer cannot be read: {error.message}") from error
    return (msgspec.structs.replace(part, at="") for part in parts)


def _text(block: dict[str, Any], name: str) -> str:
    value = block.get(name)
    return value if isinstance(value, str) else ""


def read_finish(reason: str | None, sequence: str | None, details: StopDetails | None) -> ir.Finish:
    """Anthropic's stop reason; one that nobody knows yet counts as a plain stop."""
    found = _REASONS.get(reason or "", ir.FinishReason.STOP)
    if details is None:
        return ir.Finish(found, sequence)
    return ir.Finish(found, sequence, details.category, details.explanation)


def encode_response(response: ir.Response, view: CallerView) -> Encoded:
    """A message for a Messages client."""
    losses: list[ir.Loss] = []
    content: list[dict[str, Any]] = []
    for index, part in enumerate(response.parts):
        content += write_answer_part(part, f"response.{index}", losses)
    if response.others:
        losses.append(ir.Loss("response.choices", "Messages shows one answer"))
    message = {
        "id": f"msg_{view.id}",
        "type": "message",
        "role": "assistant",
        "model": view.model,
        "content": content,
        **write_finish(fold.settle(response.finish, response.parts)),
        "usage": write_usage(response.usage, response.service_tier),
        **(response.extras if view.request.protocol is Protocol.MESSAGES else {}),
    }
    return Encoded(encode(message), tuple(losses))


def write_answer_part(part: ir.AnyPart, at: str, losses: list[ir.Loss]) -> list[dict[str, Any]]:
    """The blocks for one part. State that a part other than thinking carries goes before it in a
    redacted thinking block, which clients hand back."""
    match part:
        case ir.Text():
            block: dict[str, Any] = {"type": "text", "text": part.text}
            if part.citations:
                block["citations"] = [write_citation(citation) for citation in part.citations]
            if part.logprobs:
                losses.append(ir.Loss(f"{at}.logprobs", "Messages has no log probabilities"))
            return [*write_leading(part.sealed), block]
        case ir.Refusal():
            return [{"type": "text", "text": part.text}]
        case ir.Thinking():
            return [write_thinking(part)]
        case ir.ToolCall():
            return [*write_leading(part.sealed), write_tool_use(part)]
        case ir.Opaque() if part.protocol is Protocol.MESSAGES:
            return [part.value]
        case ir.Opaque() if part.text is not None:
            return [{"type": "text", "text": part.text}]
        case _:
            losses.append(ir.Loss(at, "Messages cannot show this in an answer"))
            return []


def write_thinking(part: ir.Thinking) -> dict[str, Any]:
    """A thinking block whose signature is an envelope of what its origin wants back."""
    signature = envelope.seal(part.sealed) if part.sealed else ""
    if part.redacted:
        return {"type": "redacted_thinking", "data": signature}
    return {"type": "thinking", "thinking": part.text, "signature": signature}


def write_leading(sealed: ir.Sealed | None) -> list[dict[str, Any]]:
    """The block that carries the state of the part behind it."""
    if sealed is None:
        return []
    return [{"type": "redacted_thinking", "data": envelope.seal(sealed, follows=True)}]


def write_tool_use(call: ir.ToolCall) -> dict[str, Any]:
    """A tool call; arguments that are no JSON object stand under `arguments`."""
    arguments = parse_object(call.arguments or "{}")
    if arguments is None:
        arguments = {"arguments": call.arguments}
    return {
        "type": "tool_use",
        "id": call_ids.fit(call.id),
        "name": call.name,
        "input": arguments,
        **call.extras,
    }


def write_finish(finish: ir.Finish) -> dict[str, Any]:
    """`stop_reason` and what belongs to it."""
    written: dict[str, Any] = {
        "stop_reason": _STOP_REASONS[finish.reason],
        "stop_sequence": finish.sequence,
    }
    if finish.category is not None or finish.explanation is not None:
        written["stop_details"] = {
            "type": "refusal",
            "category": finish.category,
            "explanation": finish.explanation,
        }
    return written


def write_usage(usage: ir.Usage, service_tier: str | None = None) -> dict[str, Any]:
    """All counts, as both `message_start` and `message_delta` show them."""
    written: dict[str, Any] = {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write + usage.cache_write_long,
        "cache_read_input_tokens": usage.cache_read,
        "output_tokens": usage.all_output,
    }
    if usage.cache_write or usage.cache_write_long:
        written["cache_creation"] = {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_long,
        }
    if usage.reasoning:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.searches:
        written["server_tool_use"] = {
            "web_search_requests": usage.searches,
            "web_fetch_requests": 0,
        }
    if service_tier is not None:
        written["service_tier"] = service_tier
    return written
