"""What a response repeats of its request."""

from __future__ import annotations

from typing import Any

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire.losses import Losses
from dragoman.wire.openai_responses.parameters import write_format, write_own_reasoning
from dragoman.wire.openai_responses.tools import encode_choice, encode_tools

_REPEATED_EXTRAS = (
    "max_tool_calls",
    "prompt_cache_options",
    "prompt_cache_retention",
    "truncation",
)


def echo(request: ir.Request) -> dict[str, Any]:
    """The members of a response object that say what was asked for."""
    unheard = Losses(request, Protocol.RESPONSES)
    memory = request.memory
    text: dict[str, Any] = {"format": {"type": "text"}}
    if request.format is not None:
        text["format"] = write_format(request.format)
    if request.verbosity is not None:
        text["verbosity"] = request.verbosity
    reasoning = write_own_reasoning(request.reasoning) if request.reasoning else {}
    members: dict[str, Any] = {
        "background": False,
        "instructions": _instructions(request),
        "max_output_tokens": request.max_tokens,
        "metadata": request.metadata or {},
        "parallel_tool_calls": request.parallel is not False,
        "previous_response_id": None,
        "prompt_cache_key": request.cache_key,
        "reasoning": {"effort": None, "summary": None, **reasoning},
        "safety_identifier": request.safety_identifier,
        "store": request.store is not False,
        "temperature": request.temperature,
        "text": text,
        "tool_choice": "auto",
        "tools": encode_tools(_declared(request), unheard),
        "top_logprobs": request.top_logprobs or 0,
        "top_p": request.top_p,
        "truncation": "disabled",
        "user": request.user,
    }
    if request.tool_choice is not None:
        members["tool_choice"] = encode_choice(request.tool_choice, unheard) or "auto"
    if memory is not None and memory.field == "previous_response_id":
        members["previous_response_id"] = memory.value
    if request.protocol is Protocol.RESPONSES:
        for name in _REPEATED_EXTRAS:
            if name in request.extras:
                members[name] = request.extras[name]
    return members


def _declared(request: ir.Request) -> tuple[ir.Tool | ir.ServerTool, ...]:
    """The tools of the request itself, without those that input items brought along."""
    return tuple(tool for tool in request.tools if not tool.at.startswith("input."))


def _instructions(request: ir.Request) -> str | None:
    if not request.messages or request.messages[0].at != "instructions":
        return None
    return "\n\n".join(part.text for part in request.messages[0].parts if isinstance(part, ir.Text))
