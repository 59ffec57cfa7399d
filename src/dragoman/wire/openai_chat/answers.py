"""Whole answers: of providers that speak Chat, and for clients that do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from dragoman import fold, ir
from dragoman.envelope import seal
from dragoman.errors import UpstreamError, UpstreamRefused
from dragoman.protocols import Protocol
from dragoman.wire import CallerView, Encoded, call_ids
from dragoman.wire.documents import encode, parse_answer
from dragoman.wire.error_bodies import decode_error
from dragoman.wire.fields import object_of, objects_of
from dragoman.wire.openai_chat.thoughts import (
    make_thoughts,
    read_signature,
    write_entries,
    write_signature,
)

_REASONS = {
    "stop": ir.FinishReason.STOP,
    "length": ir.FinishReason.LENGTH,
    "tool_calls": ir.FinishReason.TOOL_CALLS,
    "function_call": ir.FinishReason.TOOL_CALLS,
    "content_filter": ir.FinishReason.CONTENT_FILTER,
    "error": ir.FinishReason.ERROR,
    "insufficient_system_resource": ir.FinishReason.ERROR,  # DeepSeek
}
_FINISH_REASONS = {
    ir.FinishReason.STOP: "stop",
    ir.FinishReason.STOP_SEQUENCE: "stop",
    ir.FinishReason.PAUSE: "stop",
    ir.FinishReason.LENGTH: "length",
    ir.FinishReason.CONTEXT_WINDOW: "length",
    ir.FinishReason.TOOL_CALLS: "tool_calls",
    ir.FinishReason.CONTENT_FILTER: "content_filter",
    ir.FinishReason.REFUSAL: "content_filter",
    ir.FinishReason.ERROR: "error",
}


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None


class _CompletionDetails(msgspec.Struct, frozen=True):
    reasoning_tokens: int | None = None


class WireUsage(msgspec.Struct, frozen=True):
    """`usage` of an answer or of a stream's last chunk."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek

    def disjoint(self) -> ir.Usage:
        """The counts as `ir.Usage` has them. xAI leaves reasoning out of `completion_tokens`,
        which shows in its total."""
        prompt = self.prompt_tokens or 0
        completion = self.completion_tokens or 0
        details = self.prompt_tokens_details or _PromptDetails()
        cached = details.cached_tokens or self.prompt_cache_hit_tokens or 0
        written = details.cache_write_tokens or 0
        thought = (self.completion_tokens_details or _CompletionDetails()).reasoning_tokens or 0
        apart = thought and self.total_tokens == prompt + completion + thought
        return ir.Usage(
            input=max(prompt - cached - written, 0),
            cache_read=cached,
            cache_write=written,
            output=completion if apart else max(completion - thought, 0),
            reasoning=thought,
        )


class WireLogprob(msgspec.Struct, frozen=True):
    """One token's log probability."""

    token: str
    logprob: float
    bytes: list[int] | None = None
    top_logprobs: list[WireLogprob] | None = None

    def neutral(self) -> ir.Logprob:
        top = tuple(entry.neutral() for entry in self.top_logprobs or ())
        return ir.Logprob(self.token, self.logprob, self.bytes, top)


class WireLogprobs(msgspec.Struct, frozen=True):
    """`logprobs` of a choice."""

    content: list[WireLogprob] | None = None

    def neutral(self) -> tuple[ir.Logprob, ...]:
        return tuple(entry.neutral() for entry in self.content or ())


class WireFunction(msgspec.Struct, frozen=True):
    """The function of a call, or a piece of it."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None

    def text(self) -> str:
        """The arguments as JSON text; some vendors send the object itself."""
        given = self.arguments
        return given if isinstance(given, str) else encode(given).decode() if given else ""


class WireCustom(msgspec.Struct, frozen=True):
    """The custom tool of a call, or a piece of it."""

    name: str | None = None
    input: str | None = None

    def text(self) -> str:
        """The raw input."""
        return self.input or ""


class _Call(msgspec.Struct, frozen=True):
    id: str | None = None
    function: WireFunction | None = None
    custom: WireCustom | None = None
    extra_content: dict[str, Any] | None = None


class _Message(msgspec.Struct, frozen=True):
    content: str | list[Any] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[Any] | None = None
    annotations: list[Any] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    index: int = 0
    finish_reason: str | None = None
    stop_reason: str | int | None = None  # vLLM: the sequence that was hit
    logprobs: WireLogprobs | None = None


class _Answer(msgspec.Struct, frozen=True):
    choices: list[_Choice] | None = None
    id: str | None = None
    model: str | None = None
    created: int | float | None = None
    service_tier: str | None = None
    usage: WireUsage | None = None
    error: Any = None


_DECODER = msgspec.json.Decoder(_Answer)


def decode_response(body: bytes, origin: ir.Origin) -> ir.Response:
    """A completion. Raises UpstreamError where it is none, or where it reports a failure under a
    good status, as some gateways do."""
    answer = parse_answer(body, _DECODER)
    if answer.error:
        said = decode_error(body)
        raise UpstreamRefused(said.message, status=502, body=body, code=said.code)
    if not answer.choices:
        raise UpstreamError("The provider's answer holds no choices.")
    first, *others = (_read_choice(choice, answer, origin) for choice in answer.choices)
    return ir.Response(
        parts=first.parts,
        finish=first.finish,
        usage=answer.usage.disjoint() if answer.usage else ir.Usage(),
        id=answer.id or "",
        model=answer.model or "",
        created=None if answer.created is None else int(answer.created),
        service_tier=answer.service_tier,
        others=tuple(others),
    )


def _read_choice(choice: _Choice, answer: _Answer, origin: ir.Origin) -> ir.Choice:
    message = choice.message
    thought, content = read_content(message.content)
    text = message.reasoning_content or message.reasoning or thought
    parts: list[ir.AnyPart] = [*make_thoughts(text, objects_of(message.reasoning_details), origin)]
    if content:
        logprobs = choice.logprobs.neutral() if choice.logprobs else ()
        citations = tuple(map(read_annotation, objects_of(message.annotations)))
        parts.append(ir.Text(content, citations=citations, logprobs=logprobs))
    if message.refusal:
        parts.append(ir.Refusal(message.refusal))
    for number, call in enumerate(message.tool_calls or ()):
        parts.append(_read_call(call, f"call_{answer.id or ''}_{choice.index}_{number}", origin))
    sequence = choice.stop_reason if isinstance(choice.stop_reason, str) else None
    finish = read_finish(choice.finish_reason, sequence, refused=bool(message.refusal))
    return ir.Choice(tuple(parts), fold.settle(finish, parts))


def _read_call(call: _Call, fallback_id: str, origin: ir.Origin) -> ir.ToolCall:
    signature = read_signature(call.extra_content)
    sealed = ir.Sealed(signature, origin) if signature else None
    id = call.id or fallback_id
    if call.custom is not None:
        name, text = call.custom.name or "", call.custom.text()
        return ir.ToolCall(id, name, text, kind=ir.ToolKind.CUSTOM, sealed=sealed)
    function = call.function or WireFunction()
    return ir.ToolCall(id, function.name or "", function.text() or "{}", sealed=sealed)


def read_content(content: str | list[Any] | None) -> tuple[str, str]:
    """Thinking and text out of `content`, which Mistral's reasoning models send as chunks."""
    if content is None or isinstance(content, str):
        return "", content or ""
    thought, text = "", ""
    for chunk in objects_of(content):
        if chunk.get("type") == "thinking":
            thought += "".join(
                str(piece.get("text", "")) for piece in objects_of(chunk["thinking"])
            )
        elif isinstance(chunk.get("text"), str):
            text += chunk["text"]
    return thought, text


def read_annotation(annotation: dict[str, Any]) -> ir.Citation:
    """A URL citation."""
    cited = object_of(annotation.get("url_citation"))
    start, end = cited.get("start_index"), cited.get("end_index")
    return ir.Citation(
        url=cited.get("url"),
        title=cited.get("title"),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        raw=annotation,
        protocol=Protocol.CHAT,
    )


def read_finish(reason: str | None, sequence: str | None, *, refused: bool) -> ir.Finish:
    """Chat's finish reason; one that nobody knows counts as a plain stop."""
    found = _REASONS.get(reason or "", ir.FinishReason.STOP)
    if found is ir.FinishReason.STOP:
        if refused:
            return ir.Finish(ir.FinishReason.REFUSAL)
        if sequence is not None:
            return ir.Finish(ir.FinishReason.STOP_SEQUENCE, sequence)
    return ir.Finish(found)


def encode_response(response: ir.Response, view: CallerView) -> Encoded:
    """A completion for a Chat client."""
    losses: list[ir.Loss] = []
    choices = [ir.Choice(response.parts, response.finish), *response.others]
    answer: dict[str, Any] = {
        "id": f"chatcmpl-{view.id}",
        "object": "chat.completion",
        "created": view.created,
        "model": view.model,
        "choices": [_write_choice(choice, index, losses) for index, choice in enumerate(choices)],
        "usage": write_usage(response.usage),
    }
    if response.service_tier is not None:
        answer["service_tier"] = response.service_tier
    losses += (ir.Loss(f"response.{name}", "Chat has no such field") for name in response.extras)
    return Encoded(encode(answer), tuple(losses))


class _Content:
    """What a choice's message holds, gathered part by part."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.refusal: str | None = None
        self.thoughts: list[ir.Thinking] = []
        self.calls: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        self.logprobs: list[ir.Logprob] = []

    def add(self, part: ir.AnyPart) -> bool:
        """Whether Chat can show `part` in an answer."""
        match part:
            case ir.Text():
                before = self.text or ""
                self.annotations += write_annotations(part, len(before))
                self.text = before + part.text
                self.logprobs += part.logprobs
            case ir.Thinking():
                self.thoughts.append(part)
            case ir.ToolCall():
                self.calls.append(write_call(part))
            case ir.Refusal():
                self.refusal = (self.refusal or "") + part.text
            case ir.Opaque() if part.text is not None:
                self.text = (self.text or "") + part.text
            case _:
                return False
        return True


def _write_choice(choice: ir.Choice, index: int, losses: list[ir.Loss]) -> dict[str, Any]:
    content = _Content()
    for number, part in enumerate(choice.parts):
        if not content.add(part):
            losses.append(ir.Loss(f"response.{number}", "Chat cannot show this in an answer"))
        if isinstance(part, ir.Text) and part.sealed is not None:
            losses.append(ir.Loss(f"response.{number}", "Chat has no place for a text's signature"))
    finish = fold.settle(choice.finish, choice.parts)
    refusal = finish.explanation if content.refusal is None else content.refusal
    silent = content.text is None and refusal is None and not content.calls
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "" if silent else content.text,
        "refusal": refusal,
    }
    if thought := "\n\n".join(thought.text for thought in content.thoughts if thought.text):
        message["reasoning_content"] = thought
    if entries := write_entries(content.thoughts):
        message["reasoning_details"] = entries
    if content.calls:
        message["tool_calls"] = content.calls
    if content.annotations:
        message["annotations"] = content.annotations
    return {
        "index": index,
        "message": message,
        "logprobs": write_logprobs(content.logprobs) if content.logprobs else None,
        "finish_reason": write_finish(finish, in_words=content.refusal is not None),
    }


def write_call(call: ir.ToolCall) -> dict[str, Any]:
    """A tool call of an answer; its signature, if any, in an envelope."""
    id = call_ids.fit(call.id)
    if call.kind is ir.ToolKind.CUSTOM:
        custom = {"name": call.name, "input": call.arguments}
        written: dict[str, Any] = {"id": id, "type": "custom", "custom": custom}
    else:
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        written = {"id": id, "type": "function", "function": function}
    if call.sealed is not None:
        written["extra_content"] = write_signature(seal(call.sealed))
    return written


def write_annotations(part: ir.Text, offset: int) -> list[dict[str, Any]]:
    """The part's citations that have a URL, over the stretch of the message that they are for."""
    return [
        write_annotation(citation, offset, offset + len(part.text))
        for citation in part.citations
        if citation.url is not None
    ]


def write_annotation(citation: ir.Citation, start: int, end: int) -> dict[str, Any]:
    """A citation of a part that stands from `start` to `end` in the message."""
    if citation.start is not None and citation.end is not None:
        start, end = start + citation.start, start + citation.end
    cited = {
        "start_index": start,
        "end_index": end,
        "url": citation.url or "",
        "title": citation.title or "",
    }
    return {"type": "url_citation", "url_citation": cited}


def write_logprobs(logprobs: Sequence[ir.Logprob]) -> dict[str, Any]:
    """`logprobs` of a choice."""
    return {"content": [_write_logprob(logprob) for logprob in logprobs], "refusal": None}


def _write_logprob(logprob: ir.Logprob) -> dict[str, Any]:
    return {
        "token": logprob.token,
        "logprob": logprob.logprob,
        "bytes": logprob.bytes,
        "top_logprobs": [_write_logprob(entry) for entry in logprob.top_logprobs],
    }


def write_finish(finish: ir.Finish, *, in_words: bool) -> str:
    """Chat's finish reason. When the model declines in its own words that is a plain stop to
    OpenAI; when a classifier stops it, that is a filter's work."""
    if in_words and finish.reason is ir.FinishReason.REFUSAL:
        return "stop"
    return _FINISH_REASONS[finish.reason]


def write_usage(usage: ir.Usage) -> dict[str, Any]:
    """The counts as OpenAI adds them up."""
    return {
        "prompt_tokens": usage.all_input,
        "completion_tokens": usage.all_output,
        "total_tokens": usage.all_input + usage.all_output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write + usage.cache_write_long,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }
