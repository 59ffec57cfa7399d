"""Requests of Gemini clients: Google's SDKs, gemini-cli, and everything that copies them."""

from __future__ import annotations

from typing import Any

import msgspec

from dragoman import ir, reasoning
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.documents import parse_request
from dragoman.wire.fields import Fields, object_of
from dragoman.wire.gemini.parts import read_part
from dragoman.wire.gemini.schema import to_json_schema
from dragoman.wire.gemini.spelling import camel_names, each, inside

_ROLES = {"user": ir.Role.USER, "model": ir.Role.ASSISTANT, "function": ir.Role.USER}
_MODES = {
    "AUTO": ir.ChoiceMode.AUTO,
    "ANY": ir.ChoiceMode.REQUIRED,
    "NONE": ir.ChoiceMode.NONE,
    "VALIDATED": ir.ChoiceMode.AUTO,
}
_CONFIG = "generationConfig"
_NAMES = {
    "max_tokens": f"{_CONFIG}.maxOutputTokens",
    "temperature": f"{_CONFIG}.temperature",
    "top_p": f"{_CONFIG}.topP",
    "top_k": f"{_CONFIG}.topK",
    "n": f"{_CONFIG}.candidateCount",
    "stop": f"{_CONFIG}.stopSequences",
    "seed": f"{_CONFIG}.seed",
    "presence_penalty": f"{_CONFIG}.presencePenalty",
    "frequency_penalty": f"{_CONFIG}.frequencyPenalty",
    "logprobs": f"{_CONFIG}.responseLogprobs",
    "top_logprobs": f"{_CONFIG}.logprobs",
    "format": f"{_CONFIG}.responseSchema",
    "reasoning": f"{_CONFIG}.thinkingConfig",
    "tool_choice": "toolConfig.functionCallingConfig",
    "service_tier": "serviceTier",
}
_MODES_BY_BUDGET = {0: ir.ReasoningMode.OFF, -1: ir.ReasoningMode.ADAPTIVE}
_REMEMBERED = ("cachedContent", "continuationToken")
_JSON = ("application/json", "APPLICATION_JSON")


def decode_request(body: bytes) -> ir.Request:
    """One request. One of countTokens may hold a whole request under `generateContentRequest`."""
    try:
        fields = Fields(camel_names(parse_request(body).rest()))
        return _read_request(fields.fields("generateContentRequest") or fields)
    except RecursionError as error:
        raise InvalidRequest("The request is nested too deeply.") from error


def _read_request(fields: Fields) -> ir.Request:
    config = fields.fields(_CONFIG) or Fields({}, _CONFIG)
    choice, kept_choice = _read_choice(fields)
    form, names = _read_format(config)
    asked, kept_thinking = _read_thinking(config)
    if config.rest().get("responseModalities") == ["TEXT"]:
        config.take("responseModalities")
    request = ir.Request(
        protocol=Protocol.GEMINI,
        model=(fields.text("model") or "").removeprefix("models/"),
        messages=_read_messages(fields),
        tools=tuple(_read_tools(fields)),
        tool_choice=choice,
        max_tokens=config.integer("maxOutputTokens"),
        temperature=config.number("temperature"),
        top_p=config.number("topP"),
        top_k=config.integer("topK"),
        frequency_penalty=config.number("frequencyPenalty"),
        presence_penalty=config.number("presencePenalty"),
        seed=config.integer("seed"),
        stop=config.strings("stopSequences"),
        n=config.integer("candidateCount"),
        logprobs=config.boolean("responseLogprobs"),
        top_logprobs=config.integer("logprobs"),
        format=form,
        reasoning=asked,
        service_tier=fields.text("serviceTier"),
        store=fields.boolean("store"),
        memory=_read_memory(fields),
        names=_NAMES | names,
    )
    extras = inside(_CONFIG, kept_thinking | config.rest()) | kept_choice | fields.rest()
    return msgspec.structs.replace(request, extras=extras)


def _read_messages(fields: Fields) -> tuple[ir.Message, ...]:
    messages: list[ir.Message] = []
    reader = _TurnReader()
    system = fields.fields("systemInstruction")
    if system is not None:
        parts = reader.read(system)
        if parts:
            messages.append(ir.Message(ir.Role.SYSTEM, parts, at=system.at))
    for turn in each(fields, "contents", required=True):
        role = _ROLES.get(turn.text("role") or "user")
        if role is None:
            raise turn.wrong("role", "user or model")
        parts = reader.read(turn)
        before = messages[-1] if messages else None
        if role is ir.Role.ASSISTANT and before is not None and before.role is role:
            joined = join_pieces((*before.parts, *parts), len(before.parts))
            messages[-1] = msgspec.structs.replace(before, parts=joined)
        else:
            messages.append(ir.Message(role, join_pieces(parts), extras=_kept(turn), at=turn.at))
    return tuple(messages)


def _kept(turn: Fields) -> dict[str, Any]:
    turn.take("role")
    return turn.rest()


def join_pieces(parts: tuple[ir.AnyPart, ...], seam: int = 0) -> tuple[ir.AnyPart, ...]:
    """`parts` with what a client has collected from a stream in one piece again: thinking that
    goes on, and text that goes on over the `seam` between two contents. A signature holds for
    exactly the text that it came behind, and ends its part."""
    joined: list[ir.AnyPart] = []
    for index, part in enumerate(parts):
        before = joined[-1] if joined else None
        if (
            isinstance(part, ir.Thinking)
            and isinstance(before, ir.Thinking)
            and before.sealed is None
            and not (part.redacted or before.extras)
        ):
            joined[-1] = msgspec.structs.replace(part, text=before.text + part.text, at=before.at)
        elif (
            index == seam > 0
            and isinstance(part, ir.Text)
            and isinstance(before, ir.Text)
            and part.sealed is before.sealed is None
            and not part.extras
            and not before.extras
        ):
            joined[-1] = msgspec.structs.replace(before, text=before.text + part.text)
        else:
            joined.append(part)
    return tuple(joined)


class _TurnReader:
    """Reads the parts of one turn after the other, and ties results without an id to the calls
    that they answer: the first one of the same name that has no result yet."""

    def __init__(self) -> None:
        self._open: list[tuple[str, str]] = []
        self._count = 0

    def read(self, turn: Fields) -> tuple[ir.AnyPart, ...]:
        parts: list[ir.AnyPart] = []
        for fields in each(turn, "parts"):
            part = read_part(fields, "")
            if isinstance(part, ir.ToolCall):
                part = self._note(part)
            elif isinstance(part, ir.ToolResult):
                part = self._match(part)
            if part is not None:
                parts.append(part)
        return tuple(parts)

    def _note(self, call: ir.ToolCall) -> ir.ToolCall:
        if not call.id:
            call = msgspec.structs.replace(call, id=self._next_id())
        self._open.append((call.name, call.id))
        return call

    def _match(self, result: ir.ToolResult) -> ir.ToolResult:
        wanted = 1 if result.id else 0
        key = result.id or result.name
        answered = next((entry for entry in self._open if entry[wanted] == key), None)
        if answered is not None:
            self._open.remove(answered)
        if result.id:
            return result
        id = answered[1] if answered else self._next_id()
        return msgspec.structs.replace(result, id=id)

    def _next_id(self) -> str:
        """An id by place in the conversation: the same in every request that repeats it."""
        self._count += 1
        return f"call_{self._count}"


def _read_tools(fields: Fields) -> list[ir.Tool | ir.ServerTool]:
    """Each entry holds functions, or tools that Google runs, or both."""
    tools: list[ir.Tool | ir.ServerTool] = []
    for entry in each(fields, "tools"):
        tools += [_read_function(function) for function in each(entry, "functionDeclarations")]
        tools += [
            ir.ServerTool(
                type=name,
                value={name: value},
                protocol=Protocol.GEMINI,
                name=name,
                at=entry.place(name),
            )
            for name, value in entry.rest().items()
        ]
    return tools


def _read_function(function: Fields) -> ir.Tool:
    parameters = function.object("parametersJsonSchema")
    dialect = function.object("parameters")
    if parameters is None and dialect is not None:
        parameters = to_json_schema(dialect)
    return ir.Tool(
        name=function.required_text("name"),
        description=function.text("description"),
        parameters=parameters,
        extras=function.rest(),
        at=function.at,
    )


def _read_choice(fields: Fields) -> tuple[ir.ToolChoice | None, dict[str, Any]]:
    """The tool choice, and what else `toolConfig` holds. `VALIDATED` is a stricter `AUTO`, which
    only Gemini has."""
    config = fields.fields("toolConfig")
    if config is None:
        return None, {}
    calling = config.fields("functionCallingConfig") or Fields({})
    word = (calling.text("mode") or "MODE_UNSPECIFIED").upper()
    names = tuple(ir.ToolName(name) for name in calling.strings("allowedFunctionNames"))
    mode = _MODES.get(word)
    kept = calling.rest()
    if word == "VALIDATED":
        kept["mode"] = word
    if mode is ir.ChoiceMode.REQUIRED and len(names) == 1:
        mode = ir.ChoiceMode.NAMED
    if mode is None and names:
        mode = ir.ChoiceMode.AUTO
    if mode is None and word != "MODE_UNSPECIFIED":
        raise calling.wrong("mode", "AUTO, ANY, NONE or VALIDATED")
    extras = inside("toolConfig", inside("functionCallingConfig", kept) | config.rest())
    return None if mode is None else ir.ToolChoice(mode, names), extras


def _read_format(config: Fields) -> tuple[ir.Format | None, dict[str, str]]:
    """The output format, and the name under which it was asked for."""
    form, name = _read_response_format(config)
    media_type = config.text("responseMimeType")
    json_schema = config.take("responseJsonSchema")
    dialect = config.object("responseSchema")
    if json_schema is not None:
        form, name = ir.Format(schema=object_of(json_schema)), "responseJsonSchema"
    elif dialect is not None and media_type in _JSON:
        form, name = ir.Format(schema=to_json_schema(dialect)), "responseSchema"
    elif media_type in _JSON and form is None:
        form, name = ir.Format(), "responseMimeType"
    elif media_type not in (None, "text/plain", *_JSON):
        raise config.wrong("responseMimeType", "application/json or text/plain")
    return form, {"format": f"{_CONFIG}.{name}"} if name else {}


def _read_response_format(config: Fields) -> tuple[ir.Format | None, str]:
    """The newer way to ask for a format: an array with an entry for each modality."""
    for entry in each(config, "responseFormat"):
        text = entry.fields("text")
        if text is not None and text.text("mimeType") in _JSON:
            return ir.Format(schema=text.object("schema")), "responseFormat"
    return None, ""


def _read_thinking(config: Fields) -> tuple[ir.Reasoning | None, dict[str, Any]]:
    """How much to think, and what else `thinkingConfig` holds. A budget of 0 means none at all,
    one of -1 as much as the model sees fit."""
    thinking = config.fields("thinkingConfig")
    if thinking is None:
        return None, {}
    show = thinking.boolean("includeThoughts")
    budget = thinking.integer("thinkingBudget")
    level = (thinking.text("thinkingLevel") or "").lower()
    effort = level if level in reasoning.EFFORTS else None
    mode = None
    if budget is not None:
        mode = _MODES_BY_BUDGET.get(budget, ir.ReasoningMode.ON)
        budget = budget if budget > 0 else None
    kept = inside("thinkingConfig", thinking.rest())
    if mode is None and effort is None and show is None:
        return None, kept
    return ir.Reasoning(mode=mode, effort=effort, budget=budget, show=show), kept


def _read_memory(fields: Fields) -> ir.Memory | None:
    """What Google keeps: the beginning of the prompt, or an answer to go on with."""
    for name in _REMEMBERED:
        value = fields.take(name)
        if value is not None:
            return ir.Memory(name, value)
    return None
