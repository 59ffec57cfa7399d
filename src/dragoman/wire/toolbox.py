"""Tools under the names and forms that a target takes, and the way back for calls.

Codex groups tools in namespaces and has custom tools, whose input is raw text that may follow a
grammar. Most protocols have neither. A namespace becomes a prefix of the tool's name; a custom
tool becomes a function with one string argument, `input`. Whoever sends the answer back builds
the same toolbox from the same request and turns each call into what the client declared.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from dragoman import ir
from dragoman.wire.documents import encode, parse_object
from dragoman.wire.losses import Losses, refuse

_LONGEST_NAME = 64
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")
_INPUT_SCHEMA = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The tool's whole input, as text."}},
    "required": ["input"],
    "additionalProperties": False,
}

_Key = tuple[str | None, str]


class Toolbox:
    """The client tools of one request. `custom` says whether the target has custom tools.

    `declared` holds the tools as the target is to see them: functions (and custom tools, if it
    has them) under flat names. A wrapped custom tool keeps its `format`, which is only told to the
    model in words. A choice that allows only some tools leaves the others out.
    """

    def __init__(self, request: ir.Request, *, custom: bool = False) -> None:
        self._custom = custom
        self._names: dict[_Key, str] = {}
        self._tools: dict[str, ir.Tool] = {}
        choice = request.tool_choice
        allowed = None
        if choice and choice.tools and choice.mode is not ir.ChoiceMode.NAMED:
            allowed = {(tool.namespace, tool.name) for tool in choice.tools}
        declared: list[ir.Tool] = []
        for tool in request.tools:
            if isinstance(tool, ir.ServerTool):
                continue
            flat = self._register(tool)
            if allowed is None or (tool.namespace, tool.name) in allowed:
                declared.append(self._flatten(tool, flat))
        self.declared = tuple(declared)

    @property
    def changes(self) -> bool:
        """Whether any tool has another name or form at the target than with the client."""
        return any(name != tool.name or self.wraps(name) for name, tool in self._tools.items())

    def name(self, tool: ir.ToolCall | ir.ToolName) -> str:
        """The flat name of a tool, also of one that the request no longer declares."""
        found = self._names.get((tool.namespace, tool.name))
        return found or _flat_name(tool.namespace, tool.name)

    def lower(self, call: ir.ToolCall) -> ir.ToolCall:
        """An earlier call as the target would have made it."""
        name = self.name(call)
        if call.kind is ir.ToolKind.CUSTOM and not self._custom:
            return msgspec.structs.replace(
                call,
                name=name,
                namespace=None,
                kind=ir.ToolKind.FUNCTION,
                arguments=encode({"input": call.arguments}).decode(),
            )
        return msgspec.structs.replace(call, name=name, namespace=None)

    def wraps(self, name: str) -> bool:
        """Whether the tool of this flat name is a custom tool in a function's clothes."""
        tool = self._tools.get(name)
        return tool is not None and tool.kind is ir.ToolKind.CUSTOM and not self._custom

    def restore(self, call: ir.ToolCall) -> ir.ToolCall:
        """A call that the target made, under the name and in the form that the client knows."""
        tool = self._tools.get(call.name)
        if tool is None:
            return call
        arguments = unwrap(call.arguments) if self.wraps(call.name) else call.arguments
        return msgspec.structs.replace(
            call, name=tool.name, namespace=tool.namespace, kind=tool.kind, arguments=arguments
        )

    def restore_all(self, parts: tuple[ir.AnyPart, ...]) -> tuple[ir.AnyPart, ...]:
        """`restore` for the calls of a whole answer."""
        return tuple(
            self.restore(part) if isinstance(part, ir.ToolCall) else part for part in parts
        )

    def _register(self, tool: ir.Tool) -> str:
        name = _flat_name(tool.namespace, tool.name)
        if name in self._tools:
            name = _shorten(name, f"{tool.namespace} {tool.name}")
        self._names[tool.namespace, tool.name] = name
        self._tools[name] = tool
        return name

    def _flatten(self, tool: ir.Tool, name: str) -> ir.Tool:
        if tool.kind is ir.ToolKind.FUNCTION or self._custom:
            return msgspec.structs.replace(tool, name=name, namespace=None)
        return msgspec.structs.replace(
            tool,
            name=name,
            namespace=None,
            kind=ir.ToolKind.FUNCTION,
            parameters=_INPUT_SCHEMA,
            description=_describe(tool),
        )


def unwrap(arguments: str) -> str:
    """The raw input inside the arguments of a wrapped custom tool; models that ignore the wrapping
    and write the input itself are taken at their word."""
    value = parse_object(arguments)
    text = value.get("input") if value else None
    return text if isinstance(text, str) else arguments


def check_server_tools(request: ir.Request, losses: Losses) -> None:
    """Server tools of another protocol: lost beside tools that the client runs, but refused where
    they are all there is, or where the caller insists on one."""
    foreign = [
        tool
        for tool in request.tools
        if isinstance(tool, ir.ServerTool) and tool.protocol is not losses.target
    ]
    if not foreign:
        return
    choice = request.tool_choice
    insists = choice is not None and (
        choice.server is not None
        or any(tool.name in {server.name for server in foreign} for tool in choice.tools)
    )
    if insists or len(foreign) == len(request.tools):
        raise refuse(
            foreign[0].at,
            f"{foreign[0].type!r} is a tool that its own provider runs, and this model's provider "
            "does not have it; use a model of a provider that has, or a tool that you run",
        )
    for tool in foreign:
        losses.add(tool.at, f"{tool.type!r} is run by its own provider only")


def record_tool_losses(tools: tuple[ir.Tool, ...], losses: Losses) -> None:
    """What a foreign target cannot say of the tools that a toolbox declares to it."""
    for tool in tools:
        losses.extras(tool.extras, tool.at)
        if tool.format is not None and tool.kind is ir.ToolKind.FUNCTION:
            losses.add(f"{tool.at}.format", "the grammar is only described to the model")


def _flat_name(namespace: str | None, name: str) -> str:
    if namespace:
        name = f"{namespace.removesuffix('__')}__{name}"
    fitting = _UNFIT.sub("_", name)
    if fitting == name and len(name) <= _LONGEST_NAME:
        return name
    return _shorten(fitting, name)


def _shorten(fitting: str, name: str) -> str:
    """`fitting` made short and, by a digest of the real name, distinct."""
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{fitting[: _LONGEST_NAME - 9]}_{digest}"


def _describe(tool: ir.Tool) -> str | None:
    """A custom tool's description, with its grammar in words."""
    grammar = tool.format or {}
    grammar: dict[str, Any] = grammar.get("grammar", grammar)  # Chat nests it, Responses does not
    definition = grammar.get("definition")
    if not definition:
        return tool.description
    syntax = grammar.get("syntax", "")
    rule = f"`input` must follow this {syntax} grammar:\n{definition}"
    return f"{tool.description}\n\n{rule}" if tool.description else rule
