"""Whole answers: of providers that speak Gemini, and for clients that do."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from dragoman import fold, ir
from dragoman.errors import InvalidRequest, UpstreamError
from dragoman.protocols import Protocol
from dragoman.usage_fields import GeminiUsage
from dragoman.wire import CallerView, Encoded
from dragoman.wire.documents import encode, parse_answer
from dragoman.wire.fields import as_fields
from dragoman.wire.gemini.grounding import (
    LogprobsResult,
    Source,
    read_sources,
    write_grounding,
    write_logprobs,
)
from dragoman.wire.gemini.parts import (
    Part,
    envelope_of,
    read_part,
    sign,
    with_extras,
    write_call,
    write_media,
    write_text,
)

_REASONS = {
    "STOP": ir.FinishReason.STOP,
    "MAX_TOKENS": ir.FinishReason.LENGTH,
    "CONTINUATION": ir.FinishReason.LENGTH,
}
_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "MODEL_ARMOR",
    }
)
_FAILED = frozenset(
    {
        "OTHER",
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "IMAGE_OTHER",
        "NO_IMAGE",
    }
)
_WORDS = {
    ir.FinishReason.STOP: "STOP",
    ir.FinishReason.STOP_SEQUENCE: "STOP",
    ir.FinishReason.TOOL_CALLS: "STOP",
    ir.FinishReason.LENGTH: "MAX_TOKENS",
    ir.FinishReason.CONTEXT_WINDOW: "MAX_TOKENS",
    ir.FinishReason.CONTENT_FILTER: "SAFETY",
    ir.FinishReason.REFUSAL: "SAFETY",
    ir.FinishReason.PAUSE: "OTHER",
    ir.FinishReason.ERROR: "OTHER",
}


class Content(msgspec.Struct, frozen=True):
    """What a candidate says."""

    parts: list[dict[str, Any]] | None = None


class Candidate(msgspec.Struct, frozen=True, rename="camel"):
    """One answer, or the next piece of it."""

    content: Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    index: int = 0
    grounding_metadata: dict[str, Any] | None = None
    citation_metadata: dict[str, Any] | None = None
    logprobs_result: LogprobsResult | None = None

    @property
    def parts(self) -> list[dict[str, Any]]:
        return (self.content and self.content.parts) or []

    def sources(self) -> list[Source]:
        """What it cites."""
        if self.grounding_metadata is None and self.citation_metadata is None:
            return []
        return read_sources(self.grounding_metadata, self.citation_metadata)


class PromptFeedback(msgspec.Struct, frozen=True, rename="camel"):
    """Why a prompt got no candidate."""

    block_reason: str | None = None
    block_reason_message: str | None = None


class Chunk(msgspec.Struct, frozen=True, rename="camel"):
    """A whole answer, or one event of a stream."""

    candidates: list[Candidate] | None = None
    prompt_feedback: PromptFeedback | None = None
    usage_metadata: GeminiUsage | None = None
    model_version: str = ""
    response_id: str = ""
    error: Any = None

    def usage(self) -> ir.Usage:
        return self.usage_metadata.counts() if self.usage_metadata else ir.Usage()


_DECODER = msgspec.json.Decoder(Chunk)


def decode_response(body: bytes, origin: ir.Origin) -> ir.Response:
    """An answer. Raises UpstreamError where it is none, or where the model failed at it and had
    said nothing yet: sent again, the request may well succeed."""
    answer = parse_answer(body, _DECODER)
    id = answer.response_id or sha256(body).hexdigest()[:16]
    choices = [_read_candidate(each, id, origin) for each in answer.candidates or ()]
    if not choices:
        choices = [ir.Choice((), read_block(answer.prompt_feedback))]
    first, *others = choices
    return ir.Response(
        parts=first.parts,
        finish=first.finish,
        usage=answer.usage(),
        id=answer.response_id,
        model=answer.model_version,
        others=tuple(others),
    )


def _read_candidate(candidate: Candidate, id: str, origin: ir.Origin) -> ir.Choice:
    places: dict[int, int] = {}  # of Gemini's parts among ours
    parts: list[ir.AnyPart] = []
    for index, value in enumerate(candidate.parts):
        part = read_answer_part(value, f"call_{id}_{candidate.index}_{index}", origin)
        if part is not None:
            places[index] = len(parts)
            parts.append(part)
    _cite(parts, places, candidate.sources())
    if candidate.logprobs_result is not None:
        _add_logprobs(parts, candidate.logprobs_result.read())
    finish = fold.settle(read_finish(candidate.finish_reason, candidate.finish_message), parts)
    if finish.reason is ir.FinishReason.ERROR and not parts:
        raise failure(finish)
    return ir.Choice(tuple(parts), finish)


def read_answer_part(value: dict[str, Any], id: str, origin: ir.Origin) -> ir.AnyPart | None:
    """A part of an answer, whose state is `origin`'s."""
    try:
        part = read_part(as_fields(value, ""), id, origin)
    except InvalidRequest as error:
        raise UpstreamError(f"The provider's answer cannot be read: {error.message}") from error
    return None if part is None else msgspec.structs.replace(part, at="")


def _cite(parts: list[ir.AnyPart], places: dict[int, int], sources: list[Source]) -> None:
    """Adds citations to the texts that they belong to; those that name no text go to the first."""
    texts = [place for place, part in enumerate(parts) if isinstance(part, ir.Text)]
    for source in sources:
        place = places.get(source.part, -1)
        if place not in texts:
            place = texts[0] if texts else -1
        part = parts[place] if texts else None
        if isinstance(part, ir.Text):
            citations = (*part.citations, source.within(part.text))
            parts[place] = msgspec.structs.replace(part, citations=citations)


def _add_logprobs(parts: list[ir.AnyPart], logprobs: tuple[ir.Logprob, ...]) -> None:
    for place, part in enumerate(parts):
        if isinstance(part, ir.Text):
            parts[place] = msgspec.structs.replace(part, logprobs=logprobs)
            return


def read_finish(word: str | None, message: str | None) -> ir.Finish:
    """Gemini's finish reason; a word that nobody knows yet counts as a plain stop."""
    if word in _FILTERED:
        return ir.Finish(ir.FinishReason.CONTENT_FILTER, None, word, message)
    if word in _FAILED:
        return ir.Finish(ir.FinishReason.ERROR, None, word, message)
    return ir.Finish(_REASONS.get(word or "", ir.FinishReason.STOP))


def read_block(feedback: PromptFeedback | None) -> ir.Finish:
    """The finish of an answer without a candidate. Raises UpstreamError where nothing says why
    there is none."""
    if feedback is None or feedback.block_reason is None:
        raise UpstreamError("The provider's answer holds no candidate and does not say why.")
    explanation = (
        feedback.block_reason_message or f"The prompt was blocked: {feedback.block_reason}."
    )
    return ir.Finish(ir.FinishReason.CONTENT_FILTER, None, feedback.block_reason, explanation)


def failure(finish: ir.Finish) -> UpstreamError:
    """The error for an answer that failed before it had begun."""
    why = f": {finish.explanation}" if finish.explanation else "."
    return UpstreamError(f"The model's answer failed with {finish.category}{why}")


def encode_response(response: ir.Response, view: CallerView) -> Encoded:
    """An answer for a Gemini client."""
    losses: list[ir.Loss] = []
    choices = [ir.Choice(response.parts, response.finish), *response.others]
    candidates = [_write_candidate(choice, index, losses) for index, choice in enumerate(choices)]
    body = {
        "candidates": candidates,
        "usageMetadata": write_usage(response.usage),
        "modelVersion": view.model,
        "responseId": view.id,
    }
    return Encoded(encode(body), tuple(losses))


def _write_candidate(choice: ir.Choice, index: int, losses: list[ir.Loss]) -> dict[str, Any]:
    written: list[Part] = []
    cited: list[tuple[int, str, Sequence[ir.Citation]]] = []
    logprobs: list[ir.Logprob] = []
    for place, part in enumerate(choice.parts):
        if isinstance(part, ir.Text):
            cited.append((len(written), part.text, part.citations))
            logprobs += part.logprobs
        if (value := write_answer_part(part, f"response.{place}", losses)) is not None:
            written.append(value)
    candidate: dict[str, Any] = {
        "index": index,
        "content": {"role": "model", "parts": written},
        **write_finish(fold.settle(choice.finish, choice.parts), losses),
    }
    if grounding := write_grounding(cited):
        candidate["groundingMetadata"] = grounding
    if logprobs:
        candidate["logprobsResult"] = write_logprobs(logprobs)
    return candidate


def write_answer_part(part: ir.AnyPart, at: str, losses: list[ir.Loss]) -> Part | None:
    """The part for one part, its state in an envelope; None where it cannot be shown."""
    match part:
        case ir.Text():
            written = write_text(part.text, envelope_of(part.sealed))
        case ir.Refusal():
            return write_text(part.text)
        case ir.Thinking():
            signature = envelope_of(part.sealed)
            if part.redacted:
                return sign({"text": ""}, signature)
            written = write_text(part.text, signature, thought=True)
        case ir.ToolCall():
            written = write_call(part, part.name, envelope_of(part.sealed))
        case ir.Media():
            written = write_media(part, envelope_of(part.sealed))
        case ir.Opaque() if part.protocol is Protocol.GEMINI:
            return part.value
        case ir.Opaque() if part.text is not None:
            return write_text(part.text)
        case _:
            losses.append(ir.Loss(at, "Gemini cannot show this in an answer"))
            return None
    return with_extras(written, part)


def write_finish(finish: ir.Finish, losses: list[ir.Loss]) -> dict[str, Any]:
    """`finishReason` and what explains it."""
    word = _WORDS[finish.reason]
    if finish.category in _FILTERED | _FAILED:
        word = finish.category
    if finish.sequence is not None:
        losses.append(ir.Loss("response.stop_sequence", "Gemini does not tell which one was hit"))
    explained = {"finishMessage": finish.explanation} if finish.explanation else {}
    return {"finishReason": word, **explained}


def write_usage(usage: ir.Usage) -> dict[str, Any]:
    """`usageMetadata`: the prompt's tokens include the cached ones, the candidates' leave
    thinking out."""
    written: dict[str, Any] = {
        "promptTokenCount": usage.all_input,
        "candidatesTokenCount": usage.output,
        "totalTokenCount": usage.all_input + usage.all_output,
    }
    if usage.cache_read:
        written["cachedContentTokenCount"] = usage.cache_read
    if usage.reasoning:
        written["thoughtsTokenCount"] = usage.reasoning
    return written
