"""Requests of Responses clients: Codex, OpenAI's SDKs, the AI SDK, and what copies them.

The input is a flat list of items. Here it becomes turns: what the model made (text, reasoning,
calls) gathers in one assistant message until something else comes, tool outputs gather in one
user message, and every other message stands alone. Tools that an item brings along
(`additional_tools`, `tool_search_output`) join the request's tools, and their `at` says from
where. Ids and statuses of replayed items are left out: they name what the item itself holds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import msgspec

from dragoman import envelope, ir, reasoning
from dragoman.protocols import Protocol
from dragoman.wire import call_ids
from dragoman.wire.documents import encode, parse_request
from dragoman.wire.fields import Fields, as_fields, objects_of
from dragoman.wire.openai_responses.content import decode_content
from dragoman.wire.openai_responses.tools import (
    TOOL_SEARCH,
    AnyTool,
    decode_choice,
    decode_tools,
)

NAMES = {
    "max_tokens": "max_output_tokens",
    "parallel": "parallel_tool_calls",
    "format": "text.format",
    "verbosity": "text.verbosity",
    "logprobs": "include",
    "cache_key": "prompt_cache_key",
}

LOGPROBS = "message.output_text.logprobs"
ENCRYPTED_REASONING = "reasoning.encrypted_content"

_ROLES = {role.value: role for role in ir.Role}
_UNSAID: dict[str, Any] = {
    "background": False,
    "stream_options": {"include_obfuscation": False},
    "truncation": "disabled",
}
"""Members that ask for what happens anyway."""


class _Kept(NamedTuple):
    """How an item that only OpenAI knows is kept: whose turn it belongs to, whether others can
    read it as text, and whether a conversation without it would be another one."""

    role: ir.Role
    worded: bool = False
    essential: bool = False


_KEPT = {
    "agent_message": _Kept(ir.Role.USER, worded=True),
    "function_call_output": _Kept(ir.Role.USER, worded=True),
    "web_search_call": _Kept(ir.Role.ASSISTANT),
    "file_search_call": _Kept(ir.Role.ASSISTANT),
    "code_interpreter_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "image_generation_call": _Kept(ir.Role.ASSISTANT),
    "mcp_list_tools": _Kept(ir.Role.ASSISTANT),
    "mcp_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "mcp_approval_request": _Kept(ir.Role.ASSISTANT),
    "mcp_approval_response": _Kept(ir.Role.USER, essential=True),
    "computer_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "computer_call_output": _Kept(ir.Role.USER, essential=True),
    "local_shell_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "local_shell_call_output": _Kept(ir.Role.USER, worded=True),
    "shell_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "shell_call_output": _Kept(ir.Role.USER, worded=True),
    "apply_patch_call": _Kept(ir.Role.ASSISTANT, worded=True),
    "apply_patch_call_output": _Kept(ir.Role.USER, worded=True),
    "compaction": _Kept(ir.Role.ASSISTANT, essential=True),
    "context_compaction": _Kept(ir.Role.ASSISTANT, essential=True),
    "compaction_trigger": _Kept(ir.Role.USER, essential=True),
    "item_reference": _Kept(ir.Role.ASSISTANT, essential=True),
    "tool_search_call": _Kept(ir.Role.ASSISTANT),
    "tool_search_output": _Kept(ir.Role.ASSISTANT),
    "configuration_update": _Kept(ir.Role.USER),
    "program": _Kept(ir.Role.ASSISTANT, worded=True),
    "program_output": _Kept(ir.Role.USER, worded=True),
}
_UNKNOWN = _Kept(ir.Role.USER, essential=True)


def decode_request(body: bytes) -> ir.Request:
    """One request, `input_tokens` requests included."""
    fields = parse_request(body)
    transcript = _Transcript()
    _read_prompt(fields, transcript)
    _read_input(fields, transcript)
    tools = (*decode_tools(fields), *transcript.tools)
    form, verbosity, kept_text = _read_text(fields)
    effort, kept_reasoning = _read_reasoning(fields)
    logprobs, kept_include = _read_include(fields)
    request = ir.Request(
        protocol=Protocol.RESPONSES,
        model=fields.required_text("model"),
        messages=tuple(transcript.messages),
        tools=tools,
        tool_choice=decode_choice(fields),
        parallel=fields.boolean("parallel_tool_calls"),
        max_tokens=fields.integer("max_output_tokens"),
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=logprobs,
        top_logprobs=fields.integer("top_logprobs"),
        format=form,
        verbosity=verbosity,
        reasoning=effort,
        cache_key=fields.text("prompt_cache_key"),
        user=fields.text("user"),
        safety_identifier=fields.text("safety_identifier"),
        metadata=fields.object("metadata"),
        service_tier=fields.text("service_tier"),
        store=fields.boolean("store"),
        memory=_read_memory(fields, transcript),
        stream=fields.boolean("stream") or False,
        names=NAMES,
    )
    extras = kept_text | kept_reasoning | kept_include | _without_defaults(fields.rest())
    return msgspec.structs.replace(request, extras=extras)


def _read_prompt(fields: Fields, transcript: _Transcript) -> None:
    """`instructions`, which come first, and a `prompt` template, which OpenAI keeps: without it
    the request would be another one."""
    prompt = fields.object("prompt")
    if prompt is not None:
        kept = ir.Opaque({"prompt": prompt}, Protocol.RESPONSES, essential=True, at="prompt")
        transcript.say(ir.Role.SYSTEM, (kept,), at="prompt")
    instructions = decode_content(fields, "instructions")
    if instructions:
        transcript.say(ir.Role.SYSTEM, instructions, at="instructions")


def _read_input(fields: Fields, transcript: _Transcript) -> None:
    value = fields.take("input")
    if value is None:
        return
    if isinstance(value, str):
        text = ir.Text(value, at="input")
        transcript.say(ir.Role.USER, (text,), at="input")
        return
    if not isinstance(value, list):
        raise fields.wrong("input", "a string or an array of items")
    for index, item in enumerate(cast("list[Any]", value)):
        transcript.read(as_fields(item, f"input.{index}"))
    transcript.finish()


def _read_text(fields: Fields) -> tuple[ir.Format | None, str | None, dict[str, Any]]:
    """Output format and verbosity, and what else `text` holds."""
    text = fields.fields("text")
    if text is None:
        return None, None, {}
    form = text.fields("format")
    verbosity = text.text("verbosity")
    rest = text.rest()
    return _read_format(form), verbosity, _placed("text", rest)


def _read_format(form: Fields | None) -> ir.Format | None:
    if form is None:
        return None
    match form.required_text("type"):
        case "text":
            return None
        case "json_object":
            return ir.Format()
        case "json_schema":
            return ir.Format(
                schema=form.object("schema") or {},
                name=form.text("name"),
                description=form.text("description"),
                strict=form.boolean("strict"),
            )
        case _:
            raise form.wrong("type", "text, json_object or json_schema")


def _read_reasoning(fields: Fields) -> tuple[ir.Reasoning | None, dict[str, Any]]:
    """Effort and summary, and what else `reasoning` holds (`generate_summary` is the summary's
    older name)."""
    given = fields.fields("reasoning")
    if given is None:
        return None, {}
    effort = given.text("effort")
    older = given.text("generate_summary")
    summary = given.text("summary") or older
    rest = given.rest()
    mode = None
    if effort == reasoning.OFF:
        mode, effort = ir.ReasoningMode.OFF, None
    elif effort is not None and effort not in reasoning.EFFORTS:
        rest["effort"], effort = effort, None
    kept = _placed("reasoning", rest)
    if mode is None and effort is None and summary is None:
        return None, kept
    return ir.Reasoning(mode=mode, effort=effort, summary=summary), kept


def _read_include(fields: Fields) -> tuple[bool | None, dict[str, Any]]:
    """Whether log probabilities are wanted, and what else is to be included.

    Encrypted reasoning is not kept: whoever can give it always does (see the answers).
    """
    wanted = fields.strings("include")
    logprobs = True if LOGPROBS in wanted else None
    rest = [name for name in wanted if name not in (LOGPROBS, ENCRYPTED_REASONING)]
    return logprobs, {"include": rest} if rest else {}


def _read_memory(fields: Fields, transcript: _Transcript) -> ir.Memory | None:
    """What a server is to remember: an earlier response, a conversation, or single items."""
    for name in ("previous_response_id", "conversation"):
        value = fields.take(name)
        if value is not None:
            return ir.Memory(name, value)
    if transcript.references:
        return ir.Memory("item_reference", transcript.references)
    return None


def _placed(name: str, rest: dict[str, Any]) -> dict[str, Any]:
    """Unknown members of the object `name`, under their paths."""
    return {f"{name}.{member}": value for member, value in rest.items()}


def _without_defaults(rest: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rest.items() if _UNSAID.get(name) != value}


class _Transcript:
    """Turns items into messages."""

    def __init__(self) -> None:
        self.messages: list[ir.Message] = []
        self.tools: list[AnyTool] = []
        self.references: list[str] = []
        self._turn: list[ir.AnyPart] = []
        self._turn_role = ir.Role.ASSISTANT
        self._turn_at = ""
        self._pending: ir.Sealed | None = None

    def say(
        self,
        role: ir.Role,
        parts: tuple[ir.AnyPart, ...],
        *,
        at: str,
        extras: dict[str, Any] | None = None,
    ) -> None:
        """A message of its own."""
        self.finish()
        self.messages.append(ir.Message(role, parts, extras=extras or {}, at=at))

    def read(self, item: Fields) -> None:
        """The next item of the input."""
        kind = item.text("type") or ("message" if "role" in item.rest() else "item_reference")
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, item, kind)
        else:
            self._keep(item, kind)

    def finish(self) -> None:
        """Closes the turn that is gathering."""
        if self._pending is not None:
            sealed, self._pending = self._pending, None
            self._turn.append(ir.Thinking("", sealed=sealed, redacted=True, at=self._turn_at))
        if self._turn:
            turn = ir.Message(self._turn_role, tuple(self._turn), at=self._turn_at)
            self.messages.append(turn)
            self._turn = []

    def _gather(self, role: ir.Role, part: ir.AnyPart, at: str) -> None:
        """Adds to the model's turn, or to the tool outputs that follow it."""
        if self._pending is not None and isinstance(part, ir.Text | ir.ToolCall | ir.Media):
            part = msgspec.structs.replace(part, sealed=self._pending)
            self._pending = None
        if not self._turn or self._turn_role is not role:
            self.finish()
            self._turn_role, self._turn_at = role, at
        self._turn.append(part)

    def read_message(self, item: Fields, kind: str) -> None:
        name = item.required_text("role")
        role = _ROLES.get(name)
        if role is None:
            raise item.wrong("role", "user, assistant, system or developer")
        parts = decode_content(item, "content")
        extras = _without_identity(item)
        if role is not ir.Role.ASSISTANT:
            self.say(role, parts, at=item.at, extras=extras)
            return
        for part in parts:
            if extras:
                part = msgspec.structs.replace(part, extras={**part.extras, **extras})
            self._gather(role, part, item.at)

    def read_reasoning(self, item: Fields, kind: str) -> None:
        """Reasoning: its summary or its text, and the state that OpenAI (or whoever an envelope
        names) wants back; state without any text is what others call redacted."""
        summary, text = decode_content(item, "summary"), decode_content(item, "content")
        encrypted = item.text("encrypted_content") or ""
        id = item.text("id")
        opened = envelope.unseal(encrypted)
        if opened is not None and opened.follows:
            self._pending = opened.sealed
            return
        sealed = opened.sealed if opened else None
        if sealed is None and (encrypted or id):
            sealed = ir.Sealed(encrypted, ir.Origin("", Protocol.RESPONSES), id)
        extras = _without_identity(item)
        if summary and text:
            extras["summary"] = [
                {"type": "summary_text", "text": part.text}
                for part in summary
                if isinstance(part, ir.Text)
            ]
        parts = text or summary
        thinking = ir.Thinking(
            "\n\n".join(part.text for part in parts if isinstance(part, ir.Text)),
            sealed=sealed,
            redacted=not parts,
            summary=not text,
            extras=extras,
            at=item.at,
        )
        self._gather(ir.Role.ASSISTANT, thinking, item.at)

    def read_call(self, item: Fields, kind: str) -> None:
        custom = kind == "custom_tool_call"
        call = ir.ToolCall(
            call_ids.unfit(item.required_text("call_id")),
            item.required_text("name"),
            item.required_text("input") if custom else item.text("arguments") or "{}",
            kind=ir.ToolKind.CUSTOM if custom else ir.ToolKind.FUNCTION,
            namespace=item.text("namespace"),
            extras=_without_identity(item),
            at=item.at,
        )
        self._gather(ir.Role.ASSISTANT, call, item.at)

    def read_output(self, item: Fields, kind: str) -> None:
        """What a call gave. A function's output may also come without a call, unasked."""
        if kind == "function_call_output" and "call_id" not in item.rest():
            self._keep(item, kind)
            return
        custom = kind == "custom_tool_call_output"
        result = ir.ToolResult(
            call_ids.unfit(item.required_text("call_id")),
            decode_content(item, "output"),
            name=item.text("name"),
            kind=ir.ToolKind.CUSTOM if custom else ir.ToolKind.FUNCTION,
            extras=_without_identity(item),
            at=item.at,
        )
        self._gather(ir.Role.USER, result, item.at)

    def read_search(self, item: Fields, kind: str) -> None:
        """A search for tools that the client runs; one that OpenAI runs stays whole."""
        if item.rest().get("execution") != "client":
            self._keep(item, kind)
            return
        arguments = item.take("arguments")
        call = ir.ToolCall(
            call_ids.unfit(item.required_text("call_id")),
            TOOL_SEARCH,
            arguments if isinstance(arguments, str) else encode(arguments or {}).decode(),
            at=item.at,
        )
        self._gather(ir.Role.ASSISTANT, call, item.at)

    def read_found(self, item: Fields, kind: str) -> None:
        """The tools that such a search has found: from here on the model may call them."""
        if item.rest().get("execution") != "client":
            self._keep(item, kind)
            return
        found = [
            msgspec.structs.replace(tool, deferred=True) if isinstance(tool, ir.Tool) else tool
            for tool in decode_tools(item)
        ]
        self.tools += found
        references = tuple(
            ir.ToolReference(tool.name, at=tool.at) for tool in found if isinstance(tool, ir.Tool)
        )
        id = call_ids.unfit(item.required_text("call_id"))
        result = ir.ToolResult(id, references, name=TOOL_SEARCH, at=item.at)
        self._gather(ir.Role.USER, result, item.at)

    def read_additional(self, item: Fields, kind: str) -> None:
        self.tools += decode_tools(item)

    def _keep(self, item: Fields, kind: str) -> None:
        """An item that only OpenAI knows."""
        value = {"type": kind, **item.rest()}
        if kind == "item_reference":
            self.references.append(item.required_text("id"))
        kept = _KEPT.get(kind, _UNKNOWN)
        part = ir.Opaque(
            value,
            Protocol.RESPONSES,
            text=_word(value) if kept.worded else None,
            essential=kept.essential,
            at=item.at,
        )
        self._gather(kept.role, part, item.at)


def _word(value: dict[str, Any]) -> str:
    """An item in plain text: the texts that it holds, else its JSON."""
    texts = [str(piece["text"]) for piece in objects_of(value.get("content")) if "text" in piece]
    return "\n".join(texts) or encode(value).decode()


def _without_identity(item: Fields) -> dict[str, Any]:
    rest = item.rest()
    return {name: value for name, value in rest.items() if name not in ("id", "status")}


_READERS: dict[str, Callable[[_Transcript, Fields, str], None]] = {
    "message": _Transcript.read_message,
    "reasoning": _Transcript.read_reasoning,
    "function_call": _Transcript.read_call,
    "custom_tool_call": _Transcript.read_call,
    "function_call_output": _Transcript.read_output,
    "custom_tool_call_output": _Transcript.read_output,
    "tool_search_call": _Transcript.read_search,
    "tool_search_output": _Transcript.read_found,
    "additional_tools": _Transcript.read_additional,
}
