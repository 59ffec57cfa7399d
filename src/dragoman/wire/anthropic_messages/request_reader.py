"""Requests of Messages clients: Claude Code, Anthropic's SDKs, and everything that copies them."""

from __future__ import annotations

from typing import Any

from dragoman import ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.anthropic_messages.blocks import read_cache, read_content
from dragoman.wire.documents import parse_object, parse_request
from dragoman.wire.fields import Fields

_ROLES = {
    "user": ir.Role.USER,
    "assistant": ir.Role.ASSISTANT,
    "system": ir.Role.SYSTEM,
}
_CHOICE_MODES = {
    "auto": ir.ChoiceMode.AUTO,
    "any": ir.ChoiceMode.REQUIRED,
    "none": ir.ChoiceMode.NONE,
    "tool": ir.ChoiceMode.NAMED,
}
_THINKING_MODES = {
    "enabled": ir.ReasoningMode.ON,
    "adaptive": ir.ReasoningMode.ADAPTIVE,
    "between_tools": ir.ReasoningMode.BETWEEN_TOOLS,
    "disabled": ir.ReasoningMode.OFF,
}
_NAMES = {
    "stop": "stop_sequences",
    "reasoning": "thinking",
    "format": "output_config.format",
    "parallel": "tool_choice.disable_parallel_tool_use",
    "user": "metadata.user_id",
    "memory": "thread",
    "cache": "cache_control",
}


def decode_request(body: bytes) -> ir.Request:
    """One request, `count_tokens` requests included, which have no `max_tokens`."""
    fields = parse_request(body)
    choice, parallel = _read_choice(fields)
    reasoning, form, kept_config = _read_output(fields)
    user, kept_metadata = _read_user(fields)
    thread = fields.take("thread")
    return ir.Request(
        protocol=Protocol.MESSAGES,
        model=fields.required_text("model"),
        messages=_read_messages(fields),
        tools=tuple(_read_tool(tool) for tool in fields.each("tools")),
        tool_choice=choice,
        parallel=parallel,
        max_tokens=fields.integer("max_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=fields.strings("stop_sequences"),
        format=form,
        reasoning=reasoning,
        cache=read_cache(fields),
        user=user,
        service_tier=fields.text("service_tier"),
        memory=None if thread is None else ir.Memory("thread", thread),
        stream=fields.boolean("stream") or False,
        extras=kept_config | kept_metadata | fields.rest(),
        names=_NAMES,
    )


def _read_messages(fields: Fields) -> tuple[ir.Message, ...]:
    """The top-level system prompt as a message of its own, then the turns."""
    messages: list[ir.Message] = []
    system = read_content(fields, "system")
    if system:
        messages.append(ir.Message(ir.Role.SYSTEM, system, at="system"))
    for turn in fields.each("messages", required=True):
        role = _ROLES.get(turn.required_text("role"))
        if role is None:
            place = turn.place("role")
            raise InvalidRequest(f"`{place}` must be user, assistant or system.", param=place)
        parts = read_content(turn)
        messages.append(ir.Message(role, parts, extras=turn.rest(), at=turn.at))
    return tuple(messages)


def _read_tool(tool: Fields) -> ir.Tool | ir.ServerTool:
    """A tool of the client's, or one that has a type of its own, which Anthropic runs or has
    trained its models on."""
    kind = tool.text("type")
    if kind not in (None, "custom"):
        name = tool.text("name")
        value = {"type": kind, **({"name": name} if name else {}), **tool.rest()}
        return ir.ServerTool(
            type=kind, value=value, protocol=Protocol.MESSAGES, name=name, at=tool.at
        )
    return ir.Tool(
        name=tool.required_text("name"),
        description=tool.text("description"),
        parameters=tool.object("input_schema"),
        strict=tool.boolean("strict"),
        deferred=tool.boolean("defer_loading") or False,
        cache=read_cache(tool),
        extras=tool.rest(),
        at=tool.at,
    )


def _read_choice(fields: Fields) -> tuple[ir.ToolChoice | None, bool | None]:
    """The tool choice, and whether parallel calls are allowed."""
    choice = fields.fields("tool_choice")
    if choice is None:
        return None, None
    kind = choice.required_text("type")
    mode = _CHOICE_MODES.get(kind)
    if mode is None:
        raise choice.wrong("type", "auto, any, tool or none")
    serial = choice.boolean("disable_parallel_tool_use")
    tools: tuple[ir.ToolName, ...] = ()
    if mode is ir.ChoiceMode.NAMED:
        tools = (ir.ToolName(choice.required_text("name")),)
    return ir.ToolChoice(mode, tools), None if serial is None else not serial


def _read_output(
    fields: Fields,
) -> tuple[ir.Reasoning | None, ir.Format | None, dict[str, Any]]:
    """Thinking, effort and output format, and what else `output_config` holds.

    `output_format` is where the format stood during its beta.
    """
    config = fields.fields("output_config") or Fields({}, "output_config")
    effort = config.text("effort")
    form = config.fields("format") or fields.fields("output_format")
    reasoning = _read_reasoning(fields, effort)
    rest = config.rest()
    kept = {"output_config": rest} if rest else {}
    if form is None:
        return reasoning, None, kept
    if form.text("type") != "json_schema":
        raise form.wrong("type", "json_schema")
    return reasoning, ir.Format(schema=form.object("schema") or {}), kept


def _read_reasoning(fields: Fields, effort: str | None) -> ir.Reasoning | None:
    thinking = fields.fields("thinking")
    if thinking is None:
        return None if effort is None else ir.Reasoning(effort=effort)
    mode = _THINKING_MODES.get(thinking.required_text("type"))
    if mode is None:
        raise thinking.wrong("type", "enabled, adaptive, between_tools or disabled")
    return ir.Reasoning(
        mode=mode,
        effort=effort,
        budget=thinking.integer("budget_tokens"),
        display=thinking.text("display"),
    )


def _read_user(fields: Fields) -> tuple[str | None, dict[str, Any]]:
    """The user id; Claude Code's, which is a JSON object about the machine and the account, is
    for Anthropic only and stays among the extras."""
    metadata = fields.fields("metadata")
    if metadata is None:
        return None, {}
    user = metadata.text("user_id")
    rest = metadata.rest()
    if user is not None and parse_object(user) is not None:
        rest = {"user_id": user, **rest}
        user = None
    return user, {"metadata": rest} if rest else {}
