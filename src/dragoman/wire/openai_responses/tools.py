"""Tools and tool choices of OpenAI Responses, both ways.

Functions stand flat in the array (Chat nests them), custom tools take raw text, a `namespace`
holds a group of either, and every other type is run by OpenAI itself. A `tool_search` that the
client executes is a function to everybody else: the model calls it, and the client's answer
(`tool_search_output`) brings further tools.

A function without `strict` is strict in Responses and is not in the other protocols
("Function calling" guide, strict mode), so what comes from them says `strict: false`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire.fields import Fields, object_of, objects_of
from dragoman.wire.losses import Losses

TOOL_SEARCH = "tool_search"
"""The type of the search tool, and the name that other protocols know it by."""

AnyTool = ir.Tool | ir.ServerTool

_SIMPLE_CHOICES = {
    "auto": ir.ChoiceMode.AUTO,
    "none": ir.ChoiceMode.NONE,
    "required": ir.ChoiceMode.REQUIRED,
}
_CLIENT_TYPES = {"function": ir.ToolKind.FUNCTION, "custom": ir.ToolKind.CUSTOM}
_NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def decode_tools(fields: Fields, name: str = "tools") -> Iterator[AnyTool]:
    """The tools of the member `name`, those inside namespaces included."""
    for tool in fields.each(name):
        kind = tool.required_text("type")
        if kind == "namespace":
            yield from _decode_namespace(tool)
        else:
            yield _decode_tool(tool, kind)


def is_search(tool: ir.Tool) -> bool:
    """Whether `tool` is the tool search that the client executes."""
    return tool.name == TOOL_SEARCH and tool.extras.get("execution") == "client"


def encode_tools(tools: tuple[AnyTool, ...], losses: Losses) -> list[dict[str, Any]]:
    """`tools` in Responses' own words, with neighbours of one namespace grouped again."""
    encoded: list[dict[str, Any]] = []
    for (namespace, description), group in groupby(tools, key=_namespace):
        members = [value for tool in group if (value := _encode_tool(tool, losses)) is not None]
        if namespace is None:
            encoded += members
        else:
            encoded.append(
                {
                    "type": "namespace",
                    "name": namespace,
                    "description": description or "",
                    "tools": members,
                }
            )
    return encoded


def decode_choice(fields: Fields) -> ir.ToolChoice | None:
    """`tool_choice`: a word, one tool, a list of allowed tools, or a tool that OpenAI runs."""
    value = fields.take("tool_choice")
    if value is None:
        return None
    if isinstance(value, str) and value in _SIMPLE_CHOICES:
        return ir.ToolChoice(_SIMPLE_CHOICES[value])
    whole = object_of(value)
    if not whole:
        raise fields.wrong("tool_choice", "auto, none, required or an object")
    choice = Fields(dict(whole), fields.place("tool_choice"))
    kind = choice.required_text("type")
    if kind in _CLIENT_TYPES:
        return ir.ToolChoice(ir.ChoiceMode.NAMED, (_decode_name(choice, kind),))
    if kind == "allowed_tools":
        return _decode_allowed(choice, whole)
    return ir.ToolChoice(ir.ChoiceMode.NAMED, server=whole)


def encode_choice(choice: ir.ToolChoice, losses: Losses) -> Any:
    """None where nothing of it can be said."""
    if choice.server is not None:
        if losses.request.protocol is Protocol.RESPONSES:
            return choice.server
        losses.field("tool_choice", "this model's provider does not run the chosen tool")
        return None
    if choice.mode is ir.ChoiceMode.NAMED and choice.tools:
        return _encode_name(choice.tools[0])
    if choice.tools and choice.mode in (ir.ChoiceMode.AUTO, ir.ChoiceMode.REQUIRED):
        tools = [_encode_name(tool) for tool in choice.tools]
        return {"type": "allowed_tools", "mode": choice.mode.value, "tools": tools}
    mode = ir.ChoiceMode.REQUIRED if choice.mode is ir.ChoiceMode.NAMED else choice.mode
    return mode.value


def _namespace(tool: AnyTool) -> tuple[str | None, str | None]:
    if isinstance(tool, ir.ServerTool):
        return None, None
    return tool.namespace, tool.namespace_description


def _decode_namespace(fields: Fields) -> Iterator[AnyTool]:
    namespace = fields.required_text("name")
    description = fields.text("description") or None
    for tool in fields.each("tools"):
        yield _decode_tool(tool, tool.required_text("type"), namespace, description)


def _decode_tool(
    fields: Fields, kind: str, namespace: str | None = None, about: str | None = None
) -> AnyTool:
    value = {"type": kind, **fields.rest()}
    if kind == TOOL_SEARCH and value.get("execution") == "client":
        return ir.Tool(
            name=TOOL_SEARCH,
            description=fields.text("description"),
            parameters=fields.object("parameters"),
            extras={"execution": "client"},
            at=fields.at,
        )
    if kind not in _CLIENT_TYPES:
        return ir.ServerTool(
            type=kind, value=value, protocol=Protocol.RESPONSES, name=kind, at=fields.at
        )
    return ir.Tool(
        name=fields.required_text("name"),
        kind=_CLIENT_TYPES[kind],
        description=fields.text("description"),
        parameters=fields.object("parameters"),
        strict=fields.boolean("strict"),
        format=fields.object("format"),
        deferred=fields.boolean("defer_loading") or False,
        namespace=namespace,
        namespace_description=about,
        extras=fields.rest(),
        at=fields.at,
    )


def _encode_tool(tool: AnyTool, losses: Losses) -> dict[str, Any] | None:
    if isinstance(tool, ir.ServerTool):
        return tool.value if tool.protocol is Protocol.RESPONSES else _encode_search(tool, losses)
    own = losses.request.protocol is Protocol.RESPONSES
    value: dict[str, Any] = {"type": tool.kind.value, "name": tool.name}
    if tool.description is not None:
        value["description"] = tool.description
    if own and is_search(tool):
        del value["name"]
        value["type"] = TOOL_SEARCH
    if tool.kind is ir.ToolKind.CUSTOM:
        if tool.format is not None:
            value["format"] = tool.format
    elif tool.parameters is not None:
        value["parameters"] = tool.parameters
    elif not own:
        value["parameters"] = _NO_PARAMETERS
    if tool.strict is not None:
        value["strict"] = tool.strict
    elif not own and tool.kind is ir.ToolKind.FUNCTION:
        value["strict"] = False
    if own:
        if tool.deferred:
            value["defer_loading"] = True
        value |= tool.extras
    else:
        losses.cache(tool)
        losses.extras(tool.extras, tool.at)
    return value


def _encode_search(tool: ir.ServerTool, losses: Losses) -> dict[str, Any] | None:
    """Anthropic's web search as OpenAI's; every other foreign server tool is judged elsewhere.

    Both take allowed domains and an approximate place; blocked domains and a limit on the number
    of searches are Anthropic's alone.
    """
    if not is_web_search(tool):
        return None
    value: dict[str, Any] = {"type": "web_search"}
    given = tool.value
    if allowed := given.get("allowed_domains"):
        value["filters"] = {"allowed_domains": allowed}
    if place := given.get("user_location"):
        value["user_location"] = place
    for name in given.keys() - {"type", "name", "allowed_domains", "user_location"}:
        losses.add(f"{tool.at}.{name}", "responses' web_search has no such setting")
    return value


def is_web_search(tool: ir.ServerTool) -> bool:
    """Whether `tool` is Anthropic's web search, of whichever version."""
    return tool.protocol is Protocol.MESSAGES and tool.type.startswith("web_search_")


def _decode_name(fields: Fields, kind: str) -> ir.ToolName:
    return ir.ToolName(fields.required_text("name"), fields.text("namespace"), _CLIENT_TYPES[kind])


def _decode_allowed(choice: Fields, whole: dict[str, Any]) -> ir.ToolChoice:
    mode = choice.required_text("mode")
    if mode not in ("auto", "required"):
        raise choice.wrong("mode", "auto or required")
    tools = objects_of(choice.take("tools"))
    place = choice.place("tools")
    names = [
        _decode_name(Fields(dict(tool), f"{place}.{index}"), kind)
        for index, tool in enumerate(tools)
        if (kind := str(tool.get("type"))) in _CLIENT_TYPES
    ]
    server = whole if len(names) < len(tools) else None
    return ir.ToolChoice(_SIMPLE_CHOICES[mode], tuple(names), server)


def _encode_name(tool: ir.ToolName) -> dict[str, Any]:
    value = {"type": tool.kind.value, "name": tool.name}
    if tool.namespace is not None:
        value["namespace"] = tool.namespace
    return value
