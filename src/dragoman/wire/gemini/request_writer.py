"""Requests to providers that speak Gemini, made from what clients of other protocols asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import msgspec

from dragoman import ir
from dragoman.errors import Untranslatable
from dragoman.protocols import Protocol
from dragoman.wire import Encoded, Target
from dragoman.wire.documents import encode
from dragoman.wire.gemini.generations import generation_of
from dragoman.wire.gemini.parameters import write_parameters
from dragoman.wire.gemini.parts import (
    Part,
    sign,
    with_extras,
    write_call,
    write_media,
    write_response,
    write_text,
)
from dragoman.wire.gemini.schema import to_dialect
from dragoman.wire.gemini.spelling import graft
from dragoman.wire.losses import Losses, refuse, refuse_memory
from dragoman.wire.media import text_of
from dragoman.wire.toolbox import Toolbox, check_server_tools, record_tool_losses

_MODES = {
    ir.ChoiceMode.AUTO: "AUTO",
    ir.ChoiceMode.REQUIRED: "ANY",
    ir.ChoiceMode.NAMED: "ANY",
    ir.ChoiceMode.NONE: "NONE",
}
_FOREIGN_CALL = "skip_thought_signature_validator"
"""What Google's guide to thought signatures tells to send for a call that Gemini did not make."""

_SEARCHES = ("web_search", "web_fetch")
_COUNTERPARTS = {"web_search": "googleSearch", "web_fetch": "urlContext"}


def encode_request(request: ir.Request, target: Target) -> Encoded:
    """A body for generateContent or streamGenerateContent; the model goes into the path."""
    losses = Losses(request, Protocol.GEMINI)
    own = request.protocol is Protocol.GEMINI
    if not own:
        refuse_memory(request)
    toolbox = Toolbox(request)
    writer = _Writer(losses, target, toolbox)
    try:
        body = writer.write_contents()
        body |= writer.write_tools()
        body |= write_parameters(request, target, losses)
    except RecursionError as error:
        raise Untranslatable("The request is nested too deeply to be translated.") from error
    losses.extras(request.extras)
    if own:
        graft(body, request.extras)
        if request.memory is not None:
            body[request.memory.field] = request.memory.value
    return Encoded(encode(body), losses.result())


class _Writer:
    """Writes the contents and tools of one request."""

    def __init__(self, losses: Losses, target: Target, toolbox: Toolbox) -> None:
        self._request = losses.request
        self._own = losses.request.protocol is Protocol.GEMINI
        self._losses = losses
        self._target = target
        self._generation = generation_of(target.model)
        self._toolbox = toolbox
        self._names = {
            part.id: toolbox.name(part)
            for message in self._request.messages
            for part in message.parts
            if isinstance(part, ir.ToolCall)
        }

    def write_contents(self) -> dict[str, Any]:
        """`contents`, and `systemInstruction` where there is one. Neighbouring turns of one role
        become one, in which results come first, in the order of their calls."""
        system: list[Part] = []
        turns: list[tuple[str, list[Part], dict[str, Any]]] = []
        for message in self._request.messages:
            self._record(message)
            parts = self._write_parts(message.parts)
            role = "model" if message.role is ir.Role.ASSISTANT else "user"
            if message.role in (ir.Role.SYSTEM, ir.Role.DEVELOPER):
                if not turns:
                    system += parts
                    continue
                self._mark_system(message, parts)
            extras = message.extras if self._own else {}
            if turns and turns[-1][0] == role and not extras:
                turns[-1][1].extend(parts)
            elif parts:
                turns.append((role, parts, extras))
        if system and not turns:
            self._losses.add(self._request.messages[0].at, "sent as a user turn: it stands alone")
            return {"contents": [{"role": "user", "parts": system}]}
        contents: list[dict[str, Any]] = []
        calls: dict[str, int] = {}
        for role, parts, extras in turns:
            if role == "model":
                calls = _call_order(parts)
                self._sign_first_call(parts)
            else:
                parts = _results_first(parts, calls)
            contents.append({"role": role, "parts": parts, **extras})
        body: dict[str, Any] = {"contents": contents}
        if system:
            body["systemInstruction"] = {"parts": system}
        return body

    def write_tools(self) -> dict[str, Any]:
        """`tools` and `toolConfig`, where there are any."""
        request = self._request
        declared = self._visible(self._toolbox.declared)
        functions = [self._write_function(tool) for tool in declared]
        record_tool_losses(declared, self._losses)
        tools: list[dict[str, Any]] = []
        if functions:
            tools.append({"functionDeclarations": functions})
        tools += self._write_server_tools(bool(functions))
        body: dict[str, Any] = {"tools": tools} if tools else {}
        if request.parallel is False and functions:
            self._losses.field("parallel", "Gemini has no switch for parallel calls")
        choice = request.tool_choice
        if choice is not None and functions:
            calling: dict[str, Any] = {"mode": _MODES[choice.mode]}
            if choice.mode is ir.ChoiceMode.NAMED and choice.tools:
                calling["allowedFunctionNames"] = [self._toolbox.name(choice.tools[0])]
            body["toolConfig"] = {"functionCallingConfig": calling}
        return body

    def _write_server_tools(self, functions: bool) -> list[dict[str, Any]]:
        """Google's own tools, and those of others that Google has too. The latter only where the
        client brings no functions: models before Gemini 3 refuse both at once, and later ones
        want the traces of their tools back, which the caller's protocol cannot hold."""
        servers = [tool for tool in self._request.tools if isinstance(tool, ir.ServerTool)]
        mapped = [] if functions else [tool for tool in servers if _counterpart(tool)]
        left = tuple(tool for tool in self._request.tools if tool not in mapped)
        check_server_tools(msgspec.structs.replace(self._request, tools=left), self._losses)
        written = [tool.value for tool in servers if tool.protocol is Protocol.GEMINI]
        for tool in mapped:
            written.append({_counterpart(tool): {}})
            for name in tool.value.keys() - {"type", "name"}:
                self._losses.add(f"{tool.at}.{name}", "Gemini's tool has no such setting")
            if self._request.tool_choice is not None:
                self._losses.field("tool_choice", "the model decides by itself when to search")
        return written

    def _visible(self, tools: tuple[ir.Tool, ...]) -> tuple[ir.Tool, ...]:
        """Without the deferred tools that no search has found yet."""
        found = {
            self._toolbox.name(ir.ToolName(reference.name))
            for message in self._request.messages
            for part in message.parts
            if isinstance(part, ir.ToolResult)
            for reference in part.parts
            if isinstance(reference, ir.ToolReference)
        }
        return tuple(tool for tool in tools if not tool.deferred or tool.name in found)

    def _write_function(self, tool: ir.Tool) -> dict[str, Any]:
        written: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            written["description"] = tool.description
        if tool.parameters is not None:
            if self._target.genuine:
                written["parametersJsonSchema"] = tool.parameters
            else:
                written["parameters"] = to_dialect(
                    tool.parameters,
                    lambda at, why: self._losses.add(f"{tool.at}.parameters{at}", why),
                )
        self._losses.cache(tool)
        if tool.strict:
            self._losses.add(f"{tool.at}.strict", "Gemini promises no strict arguments")
        if self._own:
            written |= tool.extras
        return written

    def _record(self, message: ir.Message) -> None:
        if message.name is not None:
            self._losses.add(f"{message.at}.name", "contents have no names")
        self._losses.extras(message.extras, message.at)

    def _mark_system(self, message: ir.Message, parts: list[Part]) -> None:
        """A system message inside the conversation becomes marked text at the same place."""
        self._losses.add(message.at, "sent as a user turn: Gemini has no system turns")
        for part in parts:
            if "text" in part:
                part["text"] = f"<system>\n{part['text']}\n</system>"

    def _sign_first_call(self, parts: list[Part]) -> None:
        """Newer models refuse a turn whose first call is unsigned."""
        first = next((part for part in parts if "functionCall" in part), None)
        if first is not None and self._generation.strict_signatures:
            first.setdefault("thoughtSignature", _FOREIGN_CALL)

    def _write_parts(self, parts: Iterable[ir.AnyPart]) -> list[Part]:
        written: list[Part] = []
        for part in parts:
            self._losses.cache(part)
            self._losses.extras(part.extras, part.at)
            for piece in self._write_part(part):
                written.append(with_extras(piece, part) if self._own else piece)
        return written

    def _write_part(self, part: ir.AnyPart) -> list[Part]:
        match part:
            case ir.Text():
                signature = self._signature(part, part.sealed)
                text = write_text(part.text, signature)
                return [text] if part.text or signature else []
            case ir.Refusal():
                return [write_text(part.text)] if part.text else []
            case ir.Thinking():
                return self._write_thinking(part)
            case ir.ToolCall():
                call = self._toolbox.lower(part)
                return [write_call(call, call.name, self._signature(part, part.sealed))]
            case ir.ToolResult():
                return self._write_result(part)
            case ir.Media():
                return [self._write_media(part)]
            case ir.ToolReference():
                return [write_text(f"The tool {part.name} can be called now.")]
            case ir.Opaque():
                return self._write_opaque(part)

    def _signature(self, part: ir.AnyPart, sealed: ir.Sealed | None) -> str | None:
        if sealed is None:
            return None
        if self._target.reads(sealed):
            return sealed.value or None
        self._losses.add(part.at, "its signature belongs to another provider")
        return None

    def _write_thinking(self, part: ir.Thinking) -> list[Part]:
        sealed = part.sealed
        readable = self._own if sealed is None else self._target.reads(sealed)
        if not readable:
            self._losses.add(part.at, "reasoning is replayed only to the provider that made it")
            return []
        signature = sealed.value if sealed else None
        if part.redacted:
            return [sign({"text": ""}, signature)] if signature else []
        return [write_text(part.text, signature, thought=True)]

    def _write_result(self, part: ir.ToolResult) -> list[Part]:
        """A result; media stay inside where the model takes them there, else follow it."""
        texts: list[str] = []
        media: list[Part] = []
        for piece in part.parts:
            self._losses.cache(piece)
            self._losses.extras(piece.extras, piece.at)
            for written in self._write_part(piece):
                if "text" in written:
                    texts.append(written["text"])
                else:
                    media.append(with_extras(written, piece) if self._own else written)
        inside = self._generation.media_results or self._own
        if media and not inside:
            texts.append("[What is not text follows behind the results.]")
        response = write_response("\n".join(texts), is_error=part.is_error)
        name = self._names.get(part.id) or part.name or part.id
        result: dict[str, Any] = {"id": part.id, "name": name, "response": response}
        if media and inside:
            result["parts"] = media
            media = []
        if media:
            media = [write_text(f"[From the result of tool call {part.id}:]"), *media]
        return [{"functionResponse": result}, *media]

    def _write_media(self, part: ir.Media) -> Part:
        if part.detail not in (None, "auto"):
            self._losses.add(f"{part.at}.detail", "images have no detail setting")
        if part.context is not None:
            self._losses.add(f"{part.at}.context", "documents have no context")
        if part.cite:
            self._losses.add(f"{part.at}.citations", "documents are not cited")
        text = text_of(part) if part.data is None else None
        if text is not None:
            return write_text(f"{part.name}\n\n{text}" if part.name else text)
        if part.file_id is not None and not self._own:
            raise refuse(part.at, "the file is kept by another provider; send its content")
        if part.url is not None and not self._own and not part.url.startswith(("http", "gs://")):
            raise refuse(part.at, "media must be base64 data or an http(s) URL")
        written = write_media(part, self._signature(part, part.sealed))
        if not self._own and part.name is not None:
            del next(iter(written.values()))["displayName"]  # only some models take it
        return written

    def _write_opaque(self, part: ir.Opaque) -> list[Part]:
        if part.protocol is Protocol.GEMINI:
            return [dict(part.value)]
        if part.text is not None:
            self._losses.add(part.at, "sent as plain text")
            return [write_text(part.text)] if part.text else []
        if part.essential:
            raise refuse(part.at, f"Gemini has nothing like {part.value.get('type')!r}")
        self._losses.add(part.at, "gemini has no such part")
        return []


def _counterpart(tool: ir.ServerTool) -> str:
    """Google's tool that does what `tool` does elsewhere; empty where there is none."""
    if tool.protocol is Protocol.GEMINI:
        return ""
    return next((_COUNTERPARTS[kind] for kind in _SEARCHES if tool.type.startswith(kind)), "")


def _call_order(parts: list[Part]) -> dict[str, int]:
    ids = (part["functionCall"]["id"] for part in parts if "functionCall" in part)
    return dict(zip(ids, itertools.count(), strict=False))


def _results_first(parts: list[Part], calls: dict[str, int]) -> list[Part]:
    """The results before all else, in the order of the calls that they answer."""
    results = [part for part in parts if "functionResponse" in part]
    if not results:
        return parts
    results.sort(key=lambda part: calls.get(part["functionResponse"]["id"], len(calls)))
    return results + [part for part in parts if "functionResponse" not in part]
