"""`generationConfig` and the settings beside it, as Gemini's models take them."""

from __future__ import annotations

from typing import Any

from dragoman import ir, reasoning
from dragoman.protocols import Protocol
from dragoman.wire import Target
from dragoman.wire.gemini.generations import Generation, generation_of
from dragoman.wire.gemini.schema import to_dialect
from dragoman.wire.losses import Losses, refuse

_MOST_STOPS = 5
_ABSENT = ("verbosity", "cache_key", "cache", "user", "safety_identifier", "metadata")
_COPIED = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
}
_TIERS = {
    "default": "standard",
    "standard_only": "standard",
    "flex": "flex",
    "priority": "priority",
}
_UNSAID_TIER = "auto"


def write_parameters(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """The members of a body that are neither contents nor tools."""
    if request.stream and (request.n or 1) > 1:
        raise refuse(request.name("n"), "only one answer can be streamed through a translation")
    losses.unsupported(_ABSENT)
    config: dict[str, Any] = {
        name: value
        for field, name in _COPIED.items()
        if (value := getattr(request, field)) is not None
    }
    if (cap := _write_cap(request, target, losses)) is not None:
        config["maxOutputTokens"] = cap
    if request.stop:
        if len(request.stop) > _MOST_STOPS:
            losses.field("stop", f"Gemini takes {_MOST_STOPS} stop sequences; the first were sent")
        config["stopSequences"] = list(request.stop[:_MOST_STOPS])
    if request.format is not None:
        config |= _write_format(request.format, target, losses)
    if thinking := _write_thinking(request, target, losses):
        config["thinkingConfig"] = thinking
    body: dict[str, Any] = {"generationConfig": config} if config else {}
    if (tier := _write_tier(request, losses)) is not None:
        body["serviceTier"] = tier
    if request.protocol is Protocol.GEMINI:
        if request.store is not None:
            body["store"] = request.store
    elif request.store:
        losses.field("store", "Gemini keeps no answers")
    return body


def _write_cap(request: ir.Request, target: Target, losses: Losses) -> int | None:
    cap = request.max_tokens
    if cap is not None and target.max_output is not None and cap > target.max_output:
        losses.field("max_tokens", f"clamped to the model's limit of {target.max_output}")
        return target.max_output
    return cap


def _write_tier(request: ir.Request, losses: Losses) -> str | None:
    tier = request.service_tier
    if tier is None or request.protocol is Protocol.GEMINI:
        return tier
    if tier not in _TIERS and tier != _UNSAID_TIER:
        losses.field("service_tier", "Gemini has no such tier")
    return _TIERS.get(tier)


def _write_format(form: ir.Format, target: Target, losses: Losses) -> dict[str, Any]:
    """JSON output. Google takes a JSON Schema as it is; copies of its API know the dialect."""
    written: dict[str, Any] = {"responseMimeType": "application/json"}
    if form.description is not None:
        losses.field("format", "the schema's description has no place")
    if form.schema is None:
        return written
    if target.genuine:
        return {**written, "responseJsonSchema": form.schema}
    name = losses.request.name("format")
    dialect = to_dialect(form.schema, lambda at, why: losses.add(f"{name}{at}", why))
    return {**written, "responseSchema": dialect}


def _write_thinking(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """`thinkingConfig`. A caller of Gemini is passed on as it is; for others the thoughts are
    shown unless they were not wanted, since their models show them too."""
    asked = request.reasoning
    if asked is None:
        return {}
    if request.protocol is Protocol.GEMINI:
        return _copy_thinking(asked)
    generation = generation_of(target.model)
    takes = bool(generation.levels or generation.budgets)
    off = asked.mode is ir.ReasoningMode.OFF or asked.effort == reasoning.OFF
    if target.reasons is False or not (takes or target.reasons):
        if not off:
            losses.field("reasoning", "the model is not known to reason")
        return {}
    written = (
        _write_level(asked, off, generation, losses)
        if generation.levels
        else _write_budget(asked, off, generation, request.max_tokens, losses)
    )
    if not off and asked.display != "omitted":
        written["includeThoughts"] = True
    return written


def _copy_thinking(asked: ir.Reasoning) -> dict[str, Any]:
    written: dict[str, Any] = {}
    if asked.show is not None:
        written["includeThoughts"] = asked.show
    if asked.effort is not None:
        written["thinkingLevel"] = asked.effort.upper()
    if asked.budget is not None:
        written["thinkingBudget"] = asked.budget
    elif asked.mode is not None:
        written["thinkingBudget"] = 0 if asked.mode is ir.ReasoningMode.OFF else -1
    return written


def _write_level(
    asked: ir.Reasoning, off: bool, generation: Generation, losses: Losses
) -> dict[str, Any]:
    """The level nearest to the effort, or to the budget's; none leaves it to the model."""
    lowest = generation.levels[0]
    if off:
        losses.field("reasoning", f"the model cannot go below the level {lowest!r}")
        return {"thinkingLevel": lowest.upper()}
    effort = asked.effort
    if effort is None and asked.budget is not None and asked.budget > 0:
        effort = reasoning.effort_for(asked.budget)
    level = reasoning.nearest(effort, generation.levels) if effort else None
    if asked.effort is not None and level != asked.effort:
        losses.field("reasoning", f"the effort {asked.effort!r} became {level!r}")
    return {"thinkingLevel": level.upper()} if level else {}


def _write_budget(
    asked: ir.Reasoning, off: bool, generation: Generation, cap: int | None, losses: Losses
) -> dict[str, Any]:
    """The budget, or the effort's, within what the model takes and below the cap."""
    smallest, largest = generation.budgets or (1, reasoning.BUDGETS["max"])
    if off:
        if generation.may_rest:
            return {"thinkingBudget": 0}
        losses.field("reasoning", f"the model cannot think with less than {smallest} tokens")
        return {"thinkingBudget": smallest}
    budget = asked.budget
    if budget is None and asked.effort is not None:
        budget = reasoning.BUDGETS.get(asked.effort)
    if budget is None:
        return {"thinkingBudget": -1}
    fitting = min(max(budget, smallest), largest)
    if cap is not None:
        fitting = min(fitting, cap * 3 // 4 if asked.budget is None else cap - 1)
    if fitting < smallest:
        losses.field("reasoning", "max_tokens leaves no room for thinking")
        return {"thinkingBudget": 0 if generation.may_rest else smallest}
    if fitting != budget and asked.budget is not None:
        losses.field("reasoning", f"the budget became {fitting}")
    return {"thinkingBudget": fitting}
