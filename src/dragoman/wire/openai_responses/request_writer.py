"""Requests to providers that speak Responses, made from what clients of other protocols asked.

A system prompt of one plain text becomes `instructions`; every other system message stays where
it is, as an input item. At OpenAI itself tools keep their namespaces and custom tools their raw
input; copies of its API get functions with flat names. Nothing is left to OpenAI's memory unless
the caller said so: the other protocols store nothing, so `store` is false for them, and reasoning
comes encrypted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire import Encoded, Target, call_ids
from dragoman.wire.documents import encode, parse_object
from dragoman.wire.losses import Losses, refuse, refuse_memory
from dragoman.wire.openai_models import takes_breakpoints
from dragoman.wire.openai_responses.content import (
    encode_citation,
    encode_input,
    encode_refusal,
)
from dragoman.wire.openai_responses.parameters import write_parameters
from dragoman.wire.openai_responses.tools import (
    TOOL_SEARCH,
    encode_choice,
    encode_tools,
    is_search,
    is_web_search,
)
from dragoman.wire.toolbox import Toolbox, check_server_tools

_CACHE_TTLS = {"1h": "12h", "12h": "12h", "30m": "30m"}

_Item = dict[str, Any]


def encode_request(request: ir.Request, target: Target) -> Encoded:
    """A Responses body."""
    losses = Losses(request, Protocol.RESPONSES)
    own = request.protocol is Protocol.RESPONSES
    if not own:
        refuse_memory(request)
    _check_tools(request, target, losses)
    writer = _Writer(losses, target)
    body: dict[str, Any] = {"model": target.model}
    body |= writer.write_input()
    body |= writer.write_tools()
    body |= write_parameters(request, target, losses)
    if request.memory is not None and request.memory.field != "item_reference":
        body[request.memory.field] = request.memory.value
    if request.stream:
        body["stream"] = True
    return Encoded(encode(body), losses.result())


def _check_tools(request: ir.Request, target: Target, losses: Losses) -> None:
    """Judges server tools of other protocols, all but the one that OpenAI has too."""
    if not target.genuine or not any(
        isinstance(tool, ir.ServerTool) and is_web_search(tool) for tool in request.tools
    ):
        check_server_tools(request, losses)


class _Writer:
    """Writes the input items and the tools of one request."""

    def __init__(self, losses: Losses, target: Target) -> None:
        request = losses.request
        self._request = request
        self._losses = losses
        self._target = target
        self._own = request.protocol is Protocol.RESPONSES
        self._toolbox = None if target.genuine else Toolbox(request)
        self._searches = any(
            isinstance(tool, ir.Tool) and is_search(tool) for tool in request.tools
        )
        self._breakpoints = takes_breakpoints(target)
        self._custom: set[str] = set()  # ids of custom calls, whose results are custom too
        self._items: list[_Item] = []

    def write_input(self) -> dict[str, Any]:
        """`input`, and `instructions` and `prompt` where there are any."""
        members: dict[str, Any] = {}
        messages = list(self._request.messages)
        if messages and (prompt := _prompt_of(messages[0])) is not None:
            members["prompt"] = prompt
            del messages[0]
        lone = len(messages) == 1 and not self._own  # there must be some input
        if messages and not lone and (text := _instructions_of(messages[0])) is not None:
            members["instructions"] = text
            self._record(messages.pop(0))
        brought = self._brought()
        for message in messages:
            for index in [index for index in brought if index < _index_of(message.at)]:
                self._bring(brought.pop(index))
            self._write_message(message)
        for tools in brought.values():
            self._bring(tools)
        if self._items or not members:
            members["input"] = self._items
        return members

    def write_tools(self) -> dict[str, Any]:
        """`tools` and `tool_choice`, where there are any."""
        request = self._request
        tools: Iterable[ir.Tool | ir.ServerTool]
        if self._toolbox is None:
            tools = (tool for tool in request.tools if not self._is_brought(tool))
        else:
            servers = (tool for tool in request.tools if isinstance(tool, ir.ServerTool))
            tools = (*map(_as_function, self._toolbox.declared), *servers)
        members: dict[str, Any] = {}
        encoded = encode_tools(self._visible(tools), self._losses)
        if encoded:
            members["tools"] = encoded
        choice = request.tool_choice
        if choice is not None and (request.tools or self._own):
            if self._toolbox is not None:
                choice = self._toolbox_choice(choice, self._toolbox)
            word = encode_choice(choice, self._losses)
            if word is not None:
                members["tool_choice"] = word
        if request.parallel is not None:
            members["parallel_tool_calls"] = request.parallel
        return members

    def _toolbox_choice(self, choice: ir.ToolChoice, toolbox: Toolbox) -> ir.ToolChoice:
        """`choice` with flat names. The toolbox leaves out what is not allowed, so that a list of
        allowed tools is not needed."""
        if choice.mode is not ir.ChoiceMode.NAMED:
            return ir.ToolChoice(choice.mode, server=choice.server)
        names = tuple(ir.ToolName(toolbox.name(tool)) for tool in choice.tools)
        return ir.ToolChoice(choice.mode, names, choice.server)

    def _visible(
        self, tools: Iterable[ir.Tool | ir.ServerTool]
    ) -> tuple[ir.Tool | ir.ServerTool, ...]:
        """Without the tools that no search has found yet; OpenAI can be told to defer them."""
        if self._own and self._toolbox is None:
            return tuple(tools)
        found: set[str] = set()
        for message in self._request.messages:
            for part in message.parts:
                for each in part.parts if isinstance(part, ir.ToolResult) else ():
                    if isinstance(each, ir.ToolReference):
                        found |= {each.name, each.at}
        found.discard("")
        return tuple(
            msgspec.structs.replace(tool, deferred=False) if isinstance(tool, ir.Tool) else tool
            for tool in tools
            if isinstance(tool, ir.ServerTool) or not tool.deferred or found & {tool.name, tool.at}
        )

    def _is_brought(self, tool: ir.Tool | ir.ServerTool) -> bool:
        """Whether an input item brings `tool` along."""
        return self._own and tool.at.startswith("input.")

    def _brought(self) -> dict[int, list[ir.Tool | ir.ServerTool]]:
        """The tools of `additional_tools` items, by the items' places in the input."""
        brought: dict[int, list[ir.Tool | ir.ServerTool]] = {}
        if self._toolbox is not None:
            return brought
        found = {
            _index_of(part.at)
            for message in self._request.messages
            for part in message.parts
            if isinstance(part, ir.ToolResult) and part.name == TOOL_SEARCH
        }
        for tool in self._request.tools:
            if self._is_brought(tool) and (index := _index_of(tool.at)) not in found:
                brought.setdefault(index, []).append(tool)
        return brought

    def _bring(self, tools: list[ir.Tool | ir.ServerTool]) -> None:
        encoded = encode_tools(tuple(tools), self._losses)
        self._items.append({"type": "additional_tools", "role": "developer", "tools": encoded})

    def _record(self, message: ir.Message) -> None:
        if message.name is not None:
            self._losses.add(f"{message.at}.name", "messages have no names")
        self._losses.extras(message.extras, message.at)

    def _write_message(self, message: ir.Message) -> None:
        self._record(message)
        if message.role is ir.Role.ASSISTANT:
            self._write_turn(message.parts)
            return
        role = message.role.value
        if message.role is ir.Role.DEVELOPER and not self._target.genuine:
            role = ir.Role.SYSTEM.value
        content: list[_Item] = []
        for part in message.parts:
            if isinstance(part, ir.ToolResult):
                self._write_result(part)
            elif isinstance(part, ir.Opaque) and part.protocol is Protocol.RESPONSES:
                self._write_own_opaque(part, content)
            elif (value := self._write_input_part(part)) is not None:
                content.append(value)
        if content:
            extras = message.extras if self._own else {}
            self._items.append(
                {"type": "message", "role": role, "content": _plain(content), **extras}
            )

    def _write_own_opaque(self, part: ir.Opaque, content: list[_Item]) -> None:
        """An item of its own, or a piece of the message's content (which has a longer `at`)."""
        if part.at.count(".") <= 1:
            self._items.append(part.value)
        else:
            content.append(part.value)

    def _write_turn(self, parts: Iterable[ir.AnyPart]) -> None:
        """What the model made: neighbouring texts in one message, all else as items."""
        message: _Item | None = None
        for part in parts:
            if isinstance(part, ir.Text | ir.Refusal):
                phase = part.extras.get("phase") if self._own else None
                if message is None or message.get("phase") != phase:
                    message = {"type": "message", "role": "assistant", "content": []}
                    if phase is not None:
                        message["phase"] = phase
                    self._items.append(message)
                message["content"].append(self._write_said(part))
            else:
                message = None
                self._write_made(part)

    def _write_said(self, part: ir.Text | ir.Refusal) -> _Item:
        self._losses.extras(part.extras, part.at)
        self._losses.cache(part)
        if isinstance(part, ir.Refusal):
            return encode_refusal(part)
        self._check_sealed(part, part.sealed)
        value: _Item = {"type": "output_text", "text": part.text}
        if part.citations:
            value["annotations"] = [encode_citation(each) for each in part.citations]
        return value

    def _write_made(self, part: ir.AnyPart) -> None:
        match part:
            case ir.Thinking():
                self._write_thinking(part)
            case ir.ToolCall():
                self._write_call(part)
            case ir.Opaque() if part.protocol is Protocol.RESPONSES:
                self._items.append(part.value)
            case ir.Opaque() if part.text is not None:
                self._losses.add(part.at, "sent as plain text")
                content = [{"type": "output_text", "text": part.text}]
                self._items.append({"type": "message", "role": "assistant", "content": content})
            case ir.Opaque() if part.essential:
                raise refuse(part.at, "Responses has nothing like it")
            case _:
                self._losses.add(part.at, "responses has no such part in an assistant's turn")

    def _write_thinking(self, part: ir.Thinking) -> None:
        """A reasoning item, for the provider that made it."""
        sealed = part.sealed
        if (sealed is None and not self._own) or (
            sealed is not None and not self._target.reads(sealed)
        ):
            self._losses.add(part.at, "reasoning is replayed only to the provider that made it")
            return
        item: _Item = {"type": "reasoning", "summary": []}
        if sealed is not None and sealed.id is not None:
            item["id"] = sealed.id
        if not part.redacted:
            if part.summary:
                item["summary"] = [{"type": "summary_text", "text": part.text}]
            else:
                item["content"] = [{"type": "reasoning_text", "text": part.text}]
        if sealed is not None and sealed.value:
            item["encrypted_content"] = sealed.value
        self._items.append(item | part.extras if self._own else item)

    def _write_call(self, part: ir.ToolCall) -> None:
        self._check_sealed(part, part.sealed)
        self._losses.cache(part)
        self._losses.extras(part.extras, part.at)
        call = self._toolbox.lower(part) if self._toolbox else part
        id = call_ids.fit(call.id)
        if self._own and self._searches and self._toolbox is None and call.name == TOOL_SEARCH:
            self._items.append(
                {
                    "type": "tool_search_call",
                    "call_id": id,
                    "execution": "client",
                    "arguments": parse_object(call.arguments) or {},
                }
            )
            return
        item: _Item = {"type": "function_call", "call_id": id, "name": call.name}
        if call.kind is ir.ToolKind.CUSTOM:
            self._custom.add(call.id)
            item["type"] = "custom_tool_call"
            item["input"] = call.arguments
        else:
            item["arguments"] = call.arguments or "{}"
        if call.namespace is not None:
            item["namespace"] = call.namespace
        self._items.append(item | part.extras if self._own else item)

    def _write_result(self, part: ir.ToolResult) -> None:
        self._losses.cache(part)
        self._losses.extras(part.extras, part.at)
        if part.is_error:
            self._losses.add(f"{part.at}.is_error", "outputs are not marked as failures")
        id = call_ids.fit(part.id)
        if self._own and self._searches and self._toolbox is None and part.name == TOOL_SEARCH:
            brought = tuple(
                tool for tool in self._request.tools if tool.at.startswith(f"{part.at}.")
            )
            item: _Item = {"type": "tool_search_output", "call_id": id, "execution": "client"}
            self._items.append(item | {"tools": encode_tools(brought, self._losses)})
            return
        custom = part.id in self._custom or (self._own and part.kind is ir.ToolKind.CUSTOM)
        custom = custom and self._toolbox is None
        item = {
            "type": "custom_tool_call_output" if custom else "function_call_output",
            "call_id": id,
            "output": self._write_output(part),
        }
        if self._own and part.name is not None:
            item["name"] = part.name
        self._items.append(item | part.extras if self._own else item)

    def _write_output(self, part: ir.ToolResult) -> list[_Item] | str:
        content = [value for each in part.parts if (value := self._write_input_part(each))]
        return _plain(content) if content else ""

    def _write_input_part(self, part: ir.AnyPart) -> _Item | None:
        """A piece of content that the model is to read."""
        match part:
            case ir.Text() | ir.Media():
                return self._write_content(part)
            case ir.Refusal():
                return {"type": "input_text", "text": part.text}
            case ir.ToolReference():
                return {"type": "input_text", "text": f"The tool {part.name} can be called now."}
            case ir.Opaque() if part.protocol is Protocol.RESPONSES:
                return part.value
            case ir.Opaque() if part.text is not None:
                self._losses.add(part.at, "sent as plain text")
                return {"type": "input_text", "text": part.text}
            case ir.Opaque() if part.essential:
                raise refuse(part.at, f"Responses has nothing like {part.value.get('type')!r}")
            case _:
                self._losses.add(part.at, "responses has no such part here")
                return None

    def _write_content(self, part: ir.Text | ir.Media) -> _Item:
        self._losses.extras(part.extras, part.at)
        if isinstance(part, ir.Media):
            self._check_media(part)
        cache = None
        if part.cache is not None:
            if self._breakpoints:
                ttl = _CACHE_TTLS.get(part.cache.ttl or "")
                cache = {"mode": "explicit", "ttl": ttl} if ttl else {"mode": "explicit"}
            else:
                self._losses.cache(part)
        value = encode_input(part, cache)
        if value is None:
            kind = part.kind if isinstance(part, ir.Media) else "text"
            raise refuse(part.at, f"Responses takes no {kind}")
        return value | part.extras if self._own else value

    def _check_media(self, part: ir.Media) -> None:
        if part.file_id is not None and not self._own and self._request.protocol != Protocol.CHAT:
            raise refuse(part.at, "the file is kept by another provider; send its content")
        if part.url is not None and not part.url.startswith(("http://", "https://")):
            raise refuse(part.at, "media must be base64 data or an http(s) URL")
        if part.context is not None:
            self._losses.add(f"{part.at}.context", "documents have no context")
        if part.cite:
            self._losses.add(f"{part.at}.citations", "documents are not cited")

    def _check_sealed(self, part: ir.AnyPart, sealed: ir.Sealed | None) -> None:
        if sealed is not None:
            self._losses.add(part.at, "its signature belongs to another provider")


def _as_function(tool: ir.Tool) -> ir.Tool:
    """The client's tool search as the function that it is to copies of the API."""
    return msgspec.structs.replace(tool, extras={}) if is_search(tool) else tool


def _prompt_of(message: ir.Message) -> Any:
    """The prompt template that a first message of a Responses caller may stand for."""
    if message.at != "prompt" or len(message.parts) != 1:
        return None
    part = message.parts[0]
    return part.value.get("prompt") if isinstance(part, ir.Opaque) else None


def _instructions_of(message: ir.Message) -> str | None:
    """The text of a first message that can be `instructions`: plain, and the system's."""
    if message.role is not ir.Role.SYSTEM or len(message.parts) != 1:
        return None
    part = message.parts[0]
    if not isinstance(part, ir.Text) or part.cache is not None or part.extras or message.extras:
        return None
    return part.text


def _plain(content: list[_Item]) -> list[_Item] | str:
    """A lone piece of text as a string."""
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        return content[0]["text"]
    return content


def _index_of(at: str) -> int:
    """The place of an item in the input: 4 of `input.4.content.0`, -1 of all else."""
    head, _, rest = at.partition(".")
    index = rest.partition(".")[0]
    return int(index) if head == "input" and index.isdecimal() else -1
