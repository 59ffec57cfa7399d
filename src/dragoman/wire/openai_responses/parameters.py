"""Caps, sampling, reasoning, output format and the other settings, as Responses words them."""

from __future__ import annotations

from typing import Any

from dragoman import ir, reasoning
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.losses import Losses, refuse
from dragoman.wire.openai_models import efforts_of, takes_breakpoints
from dragoman.wire.openai_responses.request_reader import ENCRYPTED_REASONING, LOGPROBS

_SMALLEST_CAP = 16
"""OpenAI refuses less, with a 400 that says so."""

_ABSENT = ("top_k", "frequency_penalty", "presence_penalty", "seed", "stop")
_TIERS = {
    "auto": "auto",
    "default": "default",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "fast",
    "ultrafast": "ultrafast",
    "standard_only": "default",
}
_SHARED_WITH_CHAT = frozenset({"moderation", "prompt_cache_options", "prompt_cache_retention"})


def write_parameters(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """The members of a Responses body that are neither input nor tools."""
    if request.n is not None and request.n > 1:
        raise refuse(request.name("n"), "Responses gives one answer per request")
    losses.unsupported(_ABSENT)
    efforts = efforts_of(target)
    asked = _write_reasoning(request, efforts, losses)
    body: dict[str, Any] = {}
    cap = _write_cap(request, target, losses)
    if cap is not None:
        body["max_output_tokens"] = cap
    body |= _write_sampling(request, efforts, asked.get("effort"), losses)
    if asked:
        body["reasoning"] = asked
    if text := _write_text(request, target, losses):
        body["text"] = text
    body |= _write_identity(request, target, losses)
    if request.store is not None or request.protocol is not Protocol.RESPONSES:
        body["store"] = bool(request.store)
    if include := _write_include(request, target, efforts):
        body["include"] = include
    if request.top_logprobs is not None:
        body["top_logprobs"] = request.top_logprobs
    body |= _write_cache(request, target, losses)
    return _write_extras(request, target, losses, body)


def write_format(form: ir.Format) -> dict[str, Any]:
    """`text.format`. A schema must have a name."""
    if form.schema is None:
        return {"type": "json_object"}
    value: dict[str, Any] = {
        "type": "json_schema",
        "name": form.name or "answer",
        "schema": form.schema,
    }
    if form.description is not None:
        value["description"] = form.description
    if form.strict is not None:
        value["strict"] = form.strict
    return value


def write_own_reasoning(asked: ir.Reasoning) -> dict[str, Any]:
    """`reasoning` as a Responses caller asked for it."""
    value: dict[str, Any] = {}
    effort = reasoning.OFF if asked.mode is ir.ReasoningMode.OFF else asked.effort
    if effort is not None:
        value["effort"] = effort
    if asked.summary is not None:
        value["summary"] = asked.summary
    return value


def _write_cap(request: ir.Request, target: Target, losses: Losses) -> int | None:
    cap = request.max_tokens
    if cap is None:
        return None
    if target.max_output is not None and cap > target.max_output:
        losses.field("max_tokens", f"clamped to the model's limit of {target.max_output}")
        return target.max_output
    if cap < _SMALLEST_CAP and target.genuine and request.protocol is not Protocol.RESPONSES:
        losses.field("max_tokens", f"raised to OpenAI's minimum of {_SMALLEST_CAP}")
        return _SMALLEST_CAP
    return cap


def _write_reasoning(
    request: ir.Request, efforts: tuple[str, ...] | None, losses: Losses
) -> dict[str, Any]:
    asked = request.reasoning
    if asked is None:
        return {}
    if request.protocol is Protocol.RESPONSES:
        return write_own_reasoning(asked)
    off = asked.mode is ir.ReasoningMode.OFF
    if efforts == ():
        if not off:
            losses.field("reasoning", "the model does not reason")
        return {}
    value: dict[str, Any] = {}
    effort = _effort(asked, efforts, losses)
    if effort is not None:
        value["effort"] = effort
    shown = asked.display == "summarized" or bool(asked.show)
    thinks_aloud = asked.mode is ir.ReasoningMode.ON and asked.display is None
    if asked.summary is not None:
        value["summary"] = asked.summary
    elif not off and (shown or (thinks_aloud and request.protocol is Protocol.MESSAGES)):
        value["summary"] = "auto"
    return value


def _effort(asked: ir.Reasoning, efforts: tuple[str, ...] | None, losses: Losses) -> str | None:
    """The effort that comes nearest to what was asked; None leaves it to the model."""
    if asked.mode is ir.ReasoningMode.OFF:
        if efforts is None or reasoning.OFF in efforts:
            return reasoning.OFF
        losses.field("reasoning", f"the model cannot go below the effort {efforts[0]!r}")
        return efforts[0]
    effort = asked.effort
    if effort is None and asked.budget is not None and asked.budget > 0:
        effort = reasoning.effort_for(asked.budget)
    if effort is None or efforts is None:
        return effort
    offered = tuple(word for word in efforts if word != reasoning.OFF)
    nearest = reasoning.nearest(effort, offered)
    if nearest != effort:
        losses.field("reasoning", f"the effort {effort!r} became {nearest!r}")
    return nearest


def _write_sampling(
    request: ir.Request, efforts: tuple[str, ...] | None, effort: str | None, losses: Losses
) -> dict[str, Any]:
    """temperature and top_p, which OpenAI's models refuse while they reason; 1 is what they do
    then."""
    given = {
        field: value
        for field in ("temperature", "top_p")
        if (value := getattr(request, field)) is not None
    }
    if request.protocol is Protocol.RESPONSES or not efforts or effort == reasoning.OFF:
        return given
    for field, value in given.items():
        if value != 1:
            losses.field(field, "the model samples as it sees fit while it reasons")
    return {}


def _write_text(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    text: dict[str, Any] = {}
    if request.format is not None:
        text["format"] = write_format(request.format)
    if request.verbosity is not None and _may_have(request, target, losses, "verbosity"):
        text["verbosity"] = request.verbosity
    return text


def _write_identity(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """Who asks, and with which priority."""
    body: dict[str, Any] = {}
    if request.user is not None:
        body["user"] = request.user
    if request.metadata is not None:
        body["metadata"] = request.metadata
    for field, name in (
        ("safety_identifier", "safety_identifier"),
        ("cache_key", "prompt_cache_key"),
    ):
        value = getattr(request, field)
        if value is not None and _may_have(request, target, losses, field):
            body[name] = value
    tier = request.service_tier
    if tier is not None and _may_have(request, target, losses, "service_tier"):
        if request.protocol is Protocol.RESPONSES:
            body["service_tier"] = tier
        elif tier in _TIERS:
            body["service_tier"] = _TIERS[tier]
        else:
            losses.field("service_tier", "OpenAI has no such tier")
    return body


def _may_have(request: ir.Request, target: Target, losses: Losses, field: str) -> bool:
    """Whether a field that copies of the API mostly lack may be sent."""
    if target.genuine or request.protocol is Protocol.RESPONSES:
        return True
    losses.field(field, "only OpenAI itself is known to take it")
    return False


def _write_include(
    request: ir.Request, target: Target, efforts: tuple[str, ...] | None
) -> list[str]:
    """What is to be included beyond the default: log probabilities, and reasoning that can be
    handed back (where the model reasons: others refuse to include it)."""
    include: list[str] = []
    own = request.protocol is Protocol.RESPONSES
    if efforts != () and (target.genuine or own):
        include.append(ENCRYPTED_REASONING)
    if request.logprobs:
        include.append(LOGPROBS)
    return include


def _write_cache(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """A breakpoint at the end of the request, which OpenAI sets by itself; only a longer life
    must be asked for."""
    if request.cache is None:
        return {}
    if takes_breakpoints(target):
        return {"prompt_cache_options": {"ttl": "12h"}} if request.cache.ttl == "1h" else {}
    if not target.genuine or request.cache.ttl == "1h":
        losses.field("cache", "responses has no such field here")
    return {}


def _write_extras(
    request: ir.Request, target: Target, losses: Losses, body: dict[str, Any]
) -> dict[str, Any]:
    """`body` with the caller's members that this form does not have, as far as they mean the
    same here. A Responses caller's are all carried; those inside `text` and `reasoning` stand
    under their paths."""
    if request.protocol is not Protocol.RESPONSES:
        shared = target.genuine and request.protocol is Protocol.CHAT
        kept = {name for name in request.extras if shared and name in _SHARED_WITH_CHAT}
        losses.extras(name for name in request.extras if name not in kept)
        return body | {name: request.extras[name] for name in kept}
    for path, value in request.extras.items():
        name, _, member = path.partition(".")
        if member and name in ("text", "reasoning"):
            body[name] = {**body.get(name, {}), member: value}
        elif path == "include":
            body["include"] = [*body.get("include", ()), *value]
        else:
            body[path] = value
    return body
