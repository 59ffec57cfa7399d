"""Sampling, caps, thinking and output format, as Anthropic's models take them."""

from __future__ import annotations

from typing import Any

from dragoman import ir, reasoning
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.anthropic_messages.generations import generation_of
from dragoman.wire.losses import Losses, refuse

_DEFAULT_CAP = 8192
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_TIERS = {
    "auto": "auto",
    "default": "standard_only",
    "standard_only": "standard_only",
}
_ABSENT = (
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "cache_key",
    "metadata",
    "store",
)


def write_parameters(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """The members of a Messages body that are neither content nor tools."""
    if request.n is not None and request.n > 1:
        raise refuse(request.name("n"), "Anthropic Messages gives one answer per request")
    losses.unsupported(_ABSENT)
    thinking, effort = _write_thinking(request, target, losses)
    cap = _write_cap(request, target, losses, thinking)
    body: dict[str, Any] = {"max_tokens": cap}
    body |= _write_sampling(request, target, losses, thinking)
    if stop := _write_stop(request, losses):
        body["stop_sequences"] = stop
    if thinking is not None:
        body["thinking"] = thinking
    if config := _write_output(request, losses, effort):
        body["output_config"] = config
    user = request.user or request.safety_identifier
    if user is not None:
        body["metadata"] = {"user_id": user}
    if request.safety_identifier not in (None, user):
        losses.field("safety_identifier", "Anthropic takes one user id, and `user` is it")
    if request.service_tier is not None:
        if request.service_tier in _TIERS:
            body["service_tier"] = _TIERS[request.service_tier]
        else:
            losses.field("service_tier", "Anthropic has no such tier")
    return body


def _write_cap(
    request: ir.Request, target: Target, losses: Losses, thinking: dict[str, Any] | None
) -> int:
    """`max_tokens`, which Anthropic requires: the caller's, within the model's limit."""
    budget: int = (thinking or {}).get("budget_tokens", 0)
    if request.max_tokens is None:
        return target.max_output or budget + _DEFAULT_CAP
    if target.max_output is not None and request.max_tokens > target.max_output:
        losses.field("max_tokens", f"clamped to the model's limit of {target.max_output}")
        return target.max_output
    return request.max_tokens


def _write_sampling(
    request: ir.Request, target: Target, losses: Losses, thinking: dict[str, Any] | None
) -> dict[str, Any]:
    """temperature, top_p and top_k, as far as the model and its thinking allow them."""
    generation = generation_of(target.model)
    given = {
        field: value
        for field in ("temperature", "top_p", "top_k")
        if (value := getattr(request, field)) is not None
    }
    if request.protocol is Protocol.MESSAGES:
        return given
    if not generation.samples:
        for field in given:
            losses.field(field, "the model samples as it sees fit")
        return {}
    if thinking is not None and thinking["type"] != "disabled":
        for field in ("temperature", "top_k"):
            if given.pop(field, None) not in (None, 1):
                losses.field(field, "not taken while the model thinks")
        if not 0.95 <= given.get("top_p", 1) <= 1:
            del given["top_p"]
            losses.field("top_p", "not taken below 0.95 while the model thinks")
    if given.get("temperature", 0) > 1:
        given["temperature"] = 1
        losses.field("temperature", "clamped to Anthropic's maximum of 1")
    if generation.one_sampler and {"temperature", "top_p"} <= given.keys():
        del given["top_p"]
        losses.field("top_p", "the model takes temperature or top_p, not both")
    return given


def _write_stop(request: ir.Request, losses: Losses) -> list[str]:
    """The stop sequences; Anthropic refuses those that are only white space."""
    stop = [sequence for sequence in request.stop if sequence.strip()]
    if len(stop) < len(request.stop):
        losses.field("stop", "stop sequences of white space are not taken")
    return stop


def _write_thinking(
    request: ir.Request, target: Target, losses: Losses
) -> tuple[dict[str, Any] | None, str | None]:
    """The `thinking` member and the effort.

    Newer models are told an effort and think adaptively, older ones get a budget, which must stay
    below the cap. A caller of Messages is passed on as it is.
    """
    asked = request.reasoning
    if asked is None:
        return None, None
    if request.protocol is Protocol.MESSAGES:
        return _copy_thinking(asked), asked.effort
    if asked.mode is ir.ReasoningMode.OFF or asked.effort == reasoning.OFF:
        return {"type": "disabled"}, None
    forced = request.tool_choice is not None and request.tool_choice.mode in (
        ir.ChoiceMode.REQUIRED,
        ir.ChoiceMode.NAMED,
    )
    shown = {"display": "summarized"} if asked.summary or asked.show else {}
    if generation_of(target.model).adaptive:
        effort = _effort(asked)
        return None if forced else {"type": "adaptive", **shown}, effort
    if forced:
        losses.field("reasoning", "the model cannot think where a tool call is forced")
        return None, None
    if _loop_lacks_thinking(request, target):
        losses.field("reasoning", "the model cannot think on in a tool loop begun without it")
        return None, None
    budget = _budget(asked, request.max_tokens or target.max_output, target.max_output)
    if budget is None:
        losses.field("reasoning", "max_tokens leaves no room for thinking")
        return None, None
    return {"type": "enabled", "budget_tokens": budget}, None


def _copy_thinking(asked: ir.Reasoning) -> dict[str, Any] | None:
    if asked.mode is None:
        return None
    kind = {"on": "enabled", "off": "disabled"}.get(asked.mode, str(asked.mode))
    written: dict[str, Any] = {"type": kind}
    if asked.budget is not None:
        written["budget_tokens"] = asked.budget
    if asked.display is not None:
        written["display"] = asked.display
    return written


def _effort(asked: ir.Reasoning) -> str | None:
    """The effort that adaptive thinking is to be guided by; None leaves it to the model."""
    effort = asked.effort
    if effort is None and asked.budget is not None and asked.budget > 0:
        effort = reasoning.effort_for(asked.budget)
    return reasoning.nearest(effort, _EFFORTS) if effort else None


def _budget(asked: ir.Reasoning, cap: int | None, limit: int | None) -> int | None:
    if limit is not None and cap is not None:
        cap = min(cap, limit)
    if asked.budget is not None and asked.budget > 0:
        budget = max(asked.budget, reasoning.SMALLEST_BUDGET)
        if cap is not None:
            budget = min(budget, cap - 1)
        return budget if budget >= reasoning.SMALLEST_BUDGET else None
    return reasoning.budget_for(asked.effort or "medium", cap)


def _loop_lacks_thinking(request: ir.Request, target: Target) -> bool:
    """Whether the request continues a turn of tool calls whose thinking cannot be replayed: with
    a budget set, Anthropic then refuses the turn because it does not begin with thinking."""
    for message in reversed(request.messages):
        if message.role is ir.Role.ASSISTANT:
            calls = any(isinstance(part, ir.ToolCall) for part in message.parts)
            thought = any(
                isinstance(part, ir.Thinking)
                and part.sealed is not None
                and target.reads(part.sealed)
                for part in message.parts
            )
            return calls and not thought
        if not any(isinstance(part, ir.ToolResult) for part in message.parts):
            return False
    return False


def _write_output(request: ir.Request, losses: Losses, effort: str | None) -> dict[str, Any]:
    """`output_config`: effort and the schema of structured output."""
    config: dict[str, Any] = {}
    if effort is not None:
        config["effort"] = effort
    form = request.format
    if form is None:
        return config
    if form.schema is None:
        losses.field("format", "asked for in words: Anthropic has no JSON mode without a schema")
        return config
    if form.description is not None:
        losses.field("format", "the schema's description has no place")
    config["format"] = {"type": "json_schema", "schema": form.schema}
    return config
