"""Requests to providers that speak Messages, made from what clients of other protocols asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire import Encoded, Target, call_ids
from dragoman.wire.anthropic_messages.blocks import write_citation
from dragoman.wire.anthropic_messages.generations import generation_of
from dragoman.wire.anthropic_messages.parameters import write_parameters
from dragoman.wire.documents import encode, parse_object
from dragoman.wire.fields import object_of
from dragoman.wire.losses import Losses, refuse, refuse_memory
from dragoman.wire.media import media_type_of, text_of
from dragoman.wire.toolbox import Toolbox, check_server_tools, record_tool_losses

_CHOICE_TYPES = {
    ir.ChoiceMode.AUTO: "auto",
    ir.ChoiceMode.REQUIRED: "any",
    ir.ChoiceMode.NONE: "none",
    ir.ChoiceMode.NAMED: "tool",
}
_TTLS = {"1h": "1h", "12h": "1h", "5m": "5m"}
_JSON_ONLY = "Answer with one JSON object and nothing else."

_Block = dict[str, Any]


def encode_request(request: ir.Request, target: Target) -> Encoded:
    """A Messages body."""
    refuse_memory(request)
    losses = Losses(request, Protocol.MESSAGES)
    check_server_tools(request, losses)
    toolbox = Toolbox(request)
    writer = _Writer(losses, target, toolbox)
    system, messages = writer.write_messages()
    body: dict[str, Any] = {"model": target.model}
    body |= write_parameters(request, target, losses)
    if request.format is not None and request.format.schema is None:
        system.append({"type": "text", "text": _JSON_ONLY})
    if system:
        plain = len(system) == 1 and system[0].keys() == {"type", "text"}
        body["system"] = system[0]["text"] if plain else system
    body["messages"] = messages
    body |= writer.write_tools()
    if request.cache is not None:
        body["cache_control"] = write_cache(request.cache)
    if request.stream:
        body["stream"] = True
    losses.extras(request.extras)
    if request.protocol is Protocol.MESSAGES:
        body = _merge(body, request.extras)
    return Encoded(encode(body), losses.result())


def write_cache(cache: ir.Cache) -> dict[str, Any]:
    """A cache breakpoint; OpenAI's lifetimes become the nearest that Anthropic has."""
    ttl = _TTLS.get(cache.ttl or "")
    return {"type": "ephemeral", "ttl": ttl} if ttl else {"type": "ephemeral"}


class _Writer:
    """Writes the messages and tools of one request."""

    def __init__(self, losses: Losses, target: Target, toolbox: Toolbox) -> None:
        self._request = losses.request
        self._losses = losses
        self._target = target
        self._toolbox = toolbox
        self._system_turns = target.genuine and generation_of(target.model).system_turns

    def write_messages(self) -> tuple[list[_Block], list[dict[str, Any]]]:
        """The system prompt's blocks and the turns. Neighbouring turns of one role become one,
        in which tool results come first, in the order of their calls."""
        system: list[_Block] = []
        turns: list[tuple[str, list[_Block], dict[str, Any]]] = []
        for message in self._request.messages:
            self._record(message)
            blocks = self._write_parts(message.parts)
            if message.role in (ir.Role.SYSTEM, ir.Role.DEVELOPER):
                if not turns:
                    system += blocks
                    continue
                role, blocks = self._place_system(message, blocks, turns[-1][0])
            else:
                role = "assistant" if message.role is ir.Role.ASSISTANT else "user"
            extras = message.extras if self._request.protocol is Protocol.MESSAGES else {}
            if turns and turns[-1][0] == role and not extras:
                turns[-1][1].extend(blocks)
            elif blocks:
                turns.append((role, blocks, extras))
        if system and not turns:
            self._losses.add("messages.0", "sent as a user turn: there is no other turn")
            turns.append(("user", system, {}))
            system = []
        written: list[dict[str, Any]] = []
        calls: dict[str, int] = {}
        for role, blocks, extras in turns:
            if role == "user":
                blocks = _results_first(blocks, calls)
            calls = _call_order(blocks) if role == "assistant" else calls
            written.append({"role": role, "content": _plain(blocks), **extras})
        return system, written

    def write_tools(self) -> dict[str, Any]:
        """`tools` and `tool_choice`, where there are any."""
        request = self._request
        tools = [self._write_tool(tool) for tool in self._toolbox.declared]
        tools += [
            tool.value
            for tool in request.tools
            if isinstance(tool, ir.ServerTool) and tool.protocol is Protocol.MESSAGES
        ]
        record_tool_losses(self._toolbox.declared, self._losses)
        if not tools:
            return {}
        choice = request.tool_choice
        if choice is None and request.parallel is None:
            return {"tools": tools}
        mode = choice.mode if choice else ir.ChoiceMode.AUTO
        written: dict[str, Any] = {"type": _CHOICE_TYPES[mode]}
        if choice and mode is ir.ChoiceMode.NAMED and choice.tools:
            written["name"] = self._toolbox.name(choice.tools[0])
        if request.parallel is not None and mode is not ir.ChoiceMode.NONE:
            written["disable_parallel_tool_use"] = not request.parallel
        return {"tools": tools, "tool_choice": written}

    def _record(self, message: ir.Message) -> None:
        if message.name is not None:
            self._losses.add(f"{message.at}.name", "messages have no names")
        self._losses.extras(message.extras, message.at)

    def _place_system(
        self, message: ir.Message, blocks: list[_Block], before: str
    ) -> tuple[str, list[_Block]]:
        """A system message inside the conversation: a system turn where the model takes one, else
        marked text in a user turn, at the same place."""
        if self._system_turns and before == "user":
            return "system", blocks
        self._losses.add(message.at, "sent as a user turn: the model takes no system turn here")
        for block in blocks:
            if "text" in block:
                block["text"] = f"<system>\n{block['text']}\n</system>"
        return "user", blocks

    def _write_parts(self, parts: Iterable[ir.AnyPart]) -> list[_Block]:
        blocks: list[_Block] = []
        for part in parts:
            block = self._write_part(part)
            if block is None:
                continue
            if part.cache is not None and block["type"] not in ("thinking", "redacted_thinking"):
                block["cache_control"] = write_cache(part.cache)
            if part.extras:
                self._losses.extras(part.extras, part.at)
                if self._request.protocol is Protocol.MESSAGES:
                    block |= part.extras
            blocks.append(block)
        return blocks

    def _write_part(self, part: ir.AnyPart) -> _Block | None:
        match part:
            case ir.Text():
                return self._write_text(part)
            case ir.Thinking():
                return self._write_thinking(part)
            case ir.ToolCall():
                return self._write_call(part)
            case ir.ToolResult():
                return self._write_result(part)
            case ir.Media():
                return self._write_media(part)
            case ir.Refusal():
                return {"type": "text", "text": part.text} if part.text else None
            case ir.ToolReference():
                return {"type": "tool_reference", "tool_name": part.name}
            case ir.Opaque():
                return self._write_opaque(part)

    def _write_text(self, part: ir.Text) -> _Block | None:
        """Empty text is left out: Anthropic refuses it."""
        if part.sealed is not None:
            self._losses.add(part.at, "its signature belongs to another provider")
        if not part.text:
            return None
        block: _Block = {"type": "text", "text": part.text}
        citations = [
            write_citation(citation)
            for citation in part.citations
            if citation.protocol is Protocol.MESSAGES
        ]
        if len(citations) < len(part.citations):
            self._losses.add(f"{part.at}.annotations", "the citations are another provider's")
        if citations:
            block["citations"] = citations
        return block

    def _write_thinking(self, part: ir.Thinking) -> _Block | None:
        sealed = part.sealed
        if sealed is None or not self._target.reads(sealed):
            self._losses.add(part.at, "reasoning is replayed only to the provider that made it")
            return None
        if part.redacted:
            return {"type": "redacted_thinking", "data": sealed.value}
        return {"type": "thinking", "thinking": part.text, "signature": sealed.value}

    def _write_call(self, part: ir.ToolCall) -> _Block:
        call = self._toolbox.lower(part)
        if part.sealed is not None:
            self._losses.add(part.at, "its signature belongs to another provider")
        arguments = parse_object(call.arguments or "{}")
        if arguments is None:
            self._losses.add(part.at, "the arguments are no JSON object and were wrapped in one")
            arguments = {"arguments": call.arguments}
        return {
            "type": "tool_use",
            "id": call_ids.fit(call.id),
            "name": call.name,
            "input": arguments,
        }

    def _write_result(self, part: ir.ToolResult) -> _Block:
        block: _Block = {"type": "tool_result", "tool_use_id": call_ids.fit(part.id)}
        content = self._write_parts(part.parts)
        if content:
            block["content"] = _plain(content)
        if part.is_error:
            block["is_error"] = True
        return block

    def _write_media(self, part: ir.Media) -> _Block:
        if part.kind is ir.MediaKind.IMAGE:
            if part.detail not in (None, "auto"):
                self._losses.add(f"{part.at}.detail", "images have no detail setting")
            return {"type": "image", "source": self._write_source(part, "image/png")}
        if part.kind is not ir.MediaKind.DOCUMENT:
            raise refuse(part.at, f"Anthropic Messages takes no {part.kind}")
        text = text_of(part)
        if text is not None:
            source: dict[str, Any] = {"type": "text", "media_type": "text/plain", "data": text}
        else:
            if part.data is not None and media_type_of(part, "") not in ("", "application/pdf"):
                raise refuse(part.at, f"documents must be PDF or text, not {part.media_type}")
            source = self._write_source(part, "application/pdf")
        block: _Block = {"type": "document", "source": source}
        if part.name is not None:
            block["title"] = part.name
        if part.context is not None:
            block["context"] = part.context
        if part.cite:
            block["citations"] = {"enabled": True}
        return block

    def _write_source(self, part: ir.Media, media_type: str) -> dict[str, Any]:
        if part.data is not None:
            return {
                "type": "base64",
                "media_type": media_type_of(part, media_type),
                "data": part.data,
            }
        if part.file_id is not None:
            if self._request.protocol is not Protocol.MESSAGES:
                raise refuse(part.at, "the file is kept by another provider; send its content")
            return {"type": "file", "file_id": part.file_id}
        if part.url is None or not part.url.startswith(("http://", "https://")):
            raise refuse(part.at, "media must be base64 data or an http(s) URL")
        return {"type": "url", "url": part.url}

    def _write_opaque(self, part: ir.Opaque) -> _Block | None:
        if part.protocol is Protocol.MESSAGES:
            return dict(part.value)
        if part.text is not None:
            self._losses.add(part.at, "sent as plain text")
            return {"type": "text", "text": part.text} if part.text else None
        if part.essential:
            raise refuse(part.at, f"Anthropic Messages has nothing like {part.value.get('type')!r}")
        self._losses.add(part.at, "messages has no such block")
        return None

    def _write_tool(self, tool: ir.Tool) -> dict[str, Any]:
        schema = {"type": "object", **(tool.parameters or {"properties": {}})}
        written: dict[str, Any] = {"name": tool.name, "input_schema": schema}
        if tool.description is not None:
            written["description"] = tool.description
        if tool.strict:
            written["strict"] = True
        if tool.deferred:
            written["defer_loading"] = True
        if tool.cache is not None:
            written["cache_control"] = write_cache(tool.cache)
        if self._request.protocol is Protocol.MESSAGES:
            written |= tool.extras
        return written


def _plain(blocks: list[_Block]) -> list[_Block] | str:
    """A lone block of text as a string."""
    if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} and blocks[0]["type"] == "text":
        return blocks[0]["text"]
    return blocks


def _call_order(blocks: list[_Block]) -> dict[str, int]:
    ids = (block["id"] for block in blocks if block["type"] == "tool_use")
    return dict(zip(ids, itertools.count(), strict=False))


def _results_first(blocks: list[_Block], calls: dict[str, int]) -> list[_Block]:
    """The results before all else, in the order of the calls that they answer."""
    results = [block for block in blocks if block["type"] == "tool_result"]
    if not results:
        return blocks
    results.sort(key=lambda block: calls.get(block["tool_use_id"], len(calls)))
    return results + [block for block in blocks if block["type"] != "tool_result"]


def _merge(body: dict[str, Any], extras: dict[str, Any]) -> dict[str, Any]:
    """`body` with the caller's own extra members, one level deep where both have an object."""
    for name, value in extras.items():
        both = isinstance(value, dict) and isinstance(body.get(name), dict)
        body[name] = {**object_of(value), **body[name]} if both else value
    return body
