"""Requests to providers that speak Chat, made from what clients of other protocols asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dragoman import ir, reasoning
from dragoman.protocols import Protocol
from dragoman.wire import Encoded, Target, call_ids
from dragoman.wire.documents import encode
from dragoman.wire.losses import Losses, refuse, refuse_memory
from dragoman.wire.media import data_url, media_type_of, text_of
from dragoman.wire.openai_chat.thoughts import replay, write_signature
from dragoman.wire.openai_models import efforts_of, takes_breakpoints
from dragoman.wire.toolbox import Toolbox, check_server_tools, record_tool_losses

_LONGEST_ID = 40
_MOST_STOPS = 4
_MODES = {
    ir.ChoiceMode.AUTO: "auto",
    ir.ChoiceMode.NONE: "none",
    ir.ChoiceMode.REQUIRED: "required",
}
_TIERS = {"standard_only": "default"}
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_COPIED = ("seed", "n", "logprobs", "top_logprobs")
_NEUTRAL = {"temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}
_BREAKPOINT_TTLS = {"30m": "30m", "1h": "12h", "12h": "12h"}
_OPENAI_ONLY = ("verbosity", "cache_key", "safety_identifier", "metadata", "store")
_OPENAI_NAMES = {"cache_key": "prompt_cache_key"}


def encode_request(request: ir.Request, target: Target) -> Encoded:
    """A Chat body."""
    refuse_memory(request)
    losses = Losses(request, Protocol.CHAT)
    check_server_tools(request, losses)
    toolbox = Toolbox(request, custom=target.genuine)
    body: dict[str, Any] = {
        "model": target.model,
        "messages": _Writer(losses, target, toolbox).write_messages(),
    }
    body |= _write_tools(request, toolbox, losses)
    body |= _write_parameters(request, target, losses)
    if request.stream:
        body["stream"] = True
        if target.stream_usage:
            body["stream_options"] = {"include_usage": True}
    losses.extras(request.extras)
    if request.protocol is Protocol.CHAT:
        body |= request.extras
    return Encoded(encode(body), losses.result())


class _Writer:
    """Writes the messages of one request."""

    def __init__(self, losses: Losses, target: Target, toolbox: Toolbox) -> None:
        self._request = losses.request
        self._losses = losses
        self._target = target
        self._toolbox = toolbox
        self._breakpoints = takes_breakpoints(target) or self._request.protocol is Protocol.CHAT

    def write_messages(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        for message in self._request.messages:
            self._losses.extras(message.extras, message.at)
            match message.role:
                case ir.Role.ASSISTANT:
                    written = self._write_assistant(message)
                case ir.Role.USER:
                    written = self._write_user(message)
                case _:
                    written = self._write_system(message)
            if message.name is not None and written:
                written[-1]["name"] = message.name
            if self._request.protocol is Protocol.CHAT and written:
                written[-1] |= message.extras
            messages += written
        self._check_prefill()
        return messages

    def _check_prefill(self) -> None:
        """Anthropic goes on with the text of a last assistant message; hardly anyone else does."""
        if self._request.protocol is not Protocol.MESSAGES or not self._request.messages:
            return
        last = self._request.messages[-1]
        if last.role is ir.Role.ASSISTANT and last.parts and isinstance(last.parts[-1], ir.Text):
            self._losses.add(last.at, "the answer may not go on with this text")

    def _write_system(self, message: ir.Message) -> list[dict[str, Any]]:
        content = self._write_content(message.parts)
        developer = message.role is ir.Role.DEVELOPER and self._target.genuine
        role = "developer" if developer else "system"
        return [{"role": role, "content": content}] if content else []

    def _write_user(self, message: ir.Message) -> list[dict[str, Any]]:
        """Tool results as messages of their own, before the rest of the turn; what they hold
        beside text goes into a user message behind all of them."""
        messages: list[dict[str, Any]] = []
        moved: list[ir.AnyPart] = []
        rest: list[ir.AnyPart] = []
        for part in message.parts:
            if isinstance(part, ir.ToolResult):
                text, media = self._split_result(part)
                id = call_ids.fit(part.id, _LONGEST_ID)
                messages.append({"role": "tool", "tool_call_id": id, "content": text})
                moved += media
            else:
                rest.append(part)
        content = self._write_content([*moved, *rest])
        if content or not message.parts:
            messages.append({"role": "user", "content": content})
        return messages

    def _split_result(self, result: ir.ToolResult) -> tuple[str, list[ir.AnyPart]]:
        """A result's text, and its media, each introduced so that the model knows whose it is."""
        self._losses.cache(result)
        self._losses.extras(result.extras, result.at)
        texts: list[str] = []
        moved: list[ir.AnyPart] = []
        for part in result.parts:
            if isinstance(part, ir.Media) and text_of(part) is None:
                moved += [ir.Text(f"[From the result of tool call {result.id}:]"), part]
                continue
            self._losses.cache(part)
            text = self._text(part)
            if text is not None:
                texts.append(text)
        if moved:
            texts.append("[What is not text follows in the next user message.]")
        text = "\n".join(texts)
        if result.is_error and not text.lower().startswith("error"):
            text = f"Error: {text}"
        return text, moved

    def _write_assistant(self, message: ir.Message) -> list[dict[str, Any]]:
        texts: list[str] = []
        thoughts: list[ir.Thinking] = []
        calls: list[dict[str, Any]] = []
        refusal = ""
        for part in message.parts:
            match part:
                case ir.Thinking():
                    thoughts += self._replayable(part)
                case ir.ToolCall():
                    calls.append(self._write_call(part))
                case ir.Refusal():
                    refusal += part.text
                case _:
                    self._losses.cache(part)
                    texts += filter(None, [self._text(part)])
        if not (texts or thoughts or calls or refusal):
            return []
        content = "".join(texts)
        written: dict[str, Any] = {
            "role": "assistant",
            "content": content if content or not (calls or refusal) else None,
        }
        if refusal:
            written["refusal"] = refusal
        if thoughts:
            written |= replay(thoughts)
        if calls:
            written["tool_calls"] = calls
        return [written]

    def _replayable(self, part: ir.Thinking) -> list[ir.Thinking]:
        if part.sealed is not None and self._target.reads(part.sealed):
            return [part]
        self._losses.add(part.at, "reasoning is replayed only to the provider that made it")
        return []

    def _write_call(self, part: ir.ToolCall) -> dict[str, Any]:
        self._losses.cache(part)
        self._losses.extras(part.extras, part.at)
        call = self._toolbox.lower(part)
        id = call_ids.fit(call.id, _LONGEST_ID)
        if call.kind is ir.ToolKind.CUSTOM:
            kind, member, text = "custom", "input", call.arguments
        else:
            kind, member, text = "function", "arguments", call.arguments or "{}"
        written: dict[str, Any] = {"id": id, "type": kind, kind: {"name": call.name, member: text}}
        if call.sealed is not None:
            if self._target.reads(call.sealed):
                written["extra_content"] = write_signature(call.sealed.value)
            else:
                self._losses.add(part.at, "its signature belongs to another provider")
        if self._request.protocol is Protocol.CHAT:
            written |= call.extras
        return written

    def _write_content(self, parts: Sequence[ir.AnyPart]) -> str | list[dict[str, Any]]:
        """A string where one part of plain text is all there is, else parts."""
        written = [block for part in parts if (block := self._write_part(part)) is not None]
        if not written:
            return ""
        if len(written) == 1 and written[0].keys() == {"type", "text"}:
            return written[0]["text"]
        return written

    def _write_part(self, part: ir.AnyPart) -> dict[str, Any] | None:
        if isinstance(part, ir.Media) and text_of(part) is None:
            written: dict[str, Any] = self._write_media(part)
        else:
            text = self._text(part)
            if not text:
                return None
            written = {"type": "text", "text": text}
        if part.cache is not None and self._breakpoints:
            ttl = _BREAKPOINT_TTLS.get(part.cache.ttl or "")
            marker = {"mode": "explicit", "ttl": ttl} if ttl else {"mode": "explicit"}
            written["prompt_cache_breakpoint"] = marker
        else:
            self._losses.cache(part)
        self._losses.extras(part.extras, part.at)
        if self._request.protocol is Protocol.CHAT:
            written |= part.extras
        return written

    def _text(self, part: ir.AnyPart) -> str | None:
        """The part in words, None where it has none and is lost."""
        match part:
            case ir.Text() | ir.Refusal():
                return part.text
            case ir.Media():
                text = text_of(part)
                return f"{part.name}:\n{text}" if part.name and text else text
            case ir.ToolReference():
                return f"The tool {part.name} can be called now."
            case ir.Opaque():
                return self._opaque_text(part)
            case _:
                self._losses.add(part.at, "Chat has no place for this here")
                return None

    def _opaque_text(self, part: ir.Opaque) -> str | None:
        if part.text is not None:
            self._losses.add(part.at, "sent as plain text")
            return part.text
        if part.essential:
            raise refuse(part.at, f"Chat has nothing like {part.value.get('type')!r}")
        self._losses.add(part.at, "chat has no such block")
        return None

    def _write_media(self, part: ir.Media) -> dict[str, Any]:
        if part.file_id is not None and self._request.protocol is not Protocol.CHAT:
            raise refuse(part.at, "the file is kept by another provider; send its content")
        match part.kind:
            case ir.MediaKind.IMAGE:
                return self._write_image(part)
            case ir.MediaKind.DOCUMENT:
                return self._write_file(part)
            case ir.MediaKind.AUDIO:
                if part.data is None:
                    raise refuse(part.at, "Chat takes sound as base64 data only")
                form = media_type_of(part, "audio/wav").removeprefix("audio/")
                form = {"mpeg": "mp3", "x-wav": "wav"}.get(form, form)
                audio = {"data": part.data, "format": form}
                return {"type": "input_audio", "input_audio": audio}
            case ir.MediaKind.VIDEO:
                raise refuse(part.at, "Chat takes no video")

    def _write_image(self, part: ir.Media) -> dict[str, Any]:
        url = data_url(part, "image/png") if part.data is not None else part.url
        if url is None:
            raise refuse(part.at, "Chat takes images as base64 data or by URL")
        detail = {"detail": part.detail} if part.detail is not None else {}
        return {"type": "image_url", "image_url": {"url": url, **detail}}

    def _write_file(self, part: ir.Media) -> dict[str, Any]:
        if part.context is not None:
            self._losses.add(f"{part.at}.context", "Chat's files have no context")
        if part.cite:
            self._losses.add(f"{part.at}.citations", "Chat cites no documents")
        if part.file_id is not None:
            return {"type": "file", "file": {"file_id": part.file_id}}
        if part.data is None:
            raise refuse(part.at, "Chat takes documents as base64 data, not by URL")
        name = part.name or "document.pdf"
        file = {"filename": name, "file_data": data_url(part, "application/pdf")}
        return {"type": "file", "file": file}


def _write_tools(request: ir.Request, toolbox: Toolbox, losses: Losses) -> dict[str, Any]:
    """`tools`, `tool_choice` and `parallel_tool_calls`, where there are tools."""
    body: dict[str, Any] = {}
    tools = [_write_tool(tool, losses) for tool in toolbox.declared]
    for tool in request.tools:
        if isinstance(tool, ir.ServerTool) and tool.protocol is Protocol.CHAT:
            if tool.at == "web_search_options":
                body |= tool.value
            else:
                tools.append(tool.value)
    record_tool_losses(toolbox.declared, losses)
    if not tools:
        return body
    body["tools"] = tools
    choice = request.tool_choice
    if choice is not None:
        if choice.mode is ir.ChoiceMode.NAMED and choice.tools:
            body["tool_choice"] = _write_named(choice.tools[0], toolbox)
        elif choice.mode in _MODES:
            body["tool_choice"] = _MODES[choice.mode]
    if request.parallel is not None:
        body["parallel_tool_calls"] = request.parallel
    return body


def _write_named(tool: ir.ToolName, toolbox: Toolbox) -> dict[str, Any]:
    name = toolbox.name(tool)
    kind = "custom" if tool.kind is ir.ToolKind.CUSTOM and not toolbox.wraps(name) else "function"
    return {"type": kind, kind: {"name": name}}


def _write_tool(tool: ir.Tool, losses: Losses) -> dict[str, Any]:
    own = losses.request.protocol is Protocol.CHAT
    if not own:
        losses.cache(tool)
        if tool.deferred:
            losses.add(f"{tool.at}.defer_loading", "the tool is shown to the model at once")
    extras = tool.extras if own else {}
    if tool.kind is ir.ToolKind.CUSTOM:
        custom: dict[str, Any] = {"name": tool.name}
        if tool.description is not None:
            custom["description"] = tool.description
        if tool.format is not None:
            custom["format"] = _nest_grammar(tool.format)
        return {"type": "custom", "custom": custom | extras}
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.parameters is not None:
        function["parameters"] = tool.parameters
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function | extras}


def _nest_grammar(form: dict[str, Any]) -> dict[str, Any]:
    """A grammar as Chat nests it; Responses writes it flat."""
    if form.get("type") != "grammar" or "grammar" in form:
        return form
    grammar = {name: value for name, value in form.items() if name != "type"}
    return {"type": "grammar", "grammar": grammar}


def _write_parameters(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """The members that are neither messages nor tools."""
    own = request.protocol is Protocol.CHAT
    if request.stream and (request.n or 1) > 1 and not own:
        raise refuse(request.name("n"), "only one answer can be streamed through a translation")
    body = _given(request, _COPIED)
    if own and request.top_k is not None:
        body["top_k"] = request.top_k
    elif not own:
        losses.unsupported(("top_k",))
    body |= _write_cap(request, target, losses)
    body |= _write_stop(request, target, losses)
    if request.format is not None:
        body["response_format"] = _write_format(request.format)
    effort = _write_effort(request, target, losses)
    body |= _write_sampling(request, target, effort, losses)
    if effort is not None:
        body["reasoning_effort"] = effort
    if request.user is not None:
        body["user"] = request.user
    body |= _write_openai_only(request, target, losses)
    return body


def _given(request: ir.Request, fields: Sequence[str]) -> dict[str, Any]:
    return {field: value for field in fields if (value := getattr(request, field)) is not None}


def _write_sampling(
    request: ir.Request, target: Target, effort: str | None, losses: Losses
) -> dict[str, Any]:
    """Temperature and its like, which OpenAI's own models refuse while they reason."""
    given = _given(request, _SAMPLING)
    own = request.protocol is Protocol.CHAT
    if own or not efforts_of(target) or effort == reasoning.OFF:
        return given
    for field, value in given.items():
        if value != _NEUTRAL[field]:
            losses.field(field, "the model samples as it sees fit while it reasons")
    return {}


def _write_stop(request: ir.Request, target: Target, losses: Losses) -> dict[str, list[str]]:
    if not request.stop:
        return {}
    if target.genuine and len(request.stop) > _MOST_STOPS:
        losses.field("stop", f"OpenAI takes {_MOST_STOPS} stop sequences")
        return {"stop": list(request.stop[:_MOST_STOPS])}
    return {"stop": list(request.stop)}


def _write_openai_only(request: ir.Request, target: Target, losses: Losses) -> dict[str, Any]:
    """Members that OpenAI has and copies of its API mostly do not."""
    if not target.genuine and request.protocol is not Protocol.CHAT:
        losses.unsupported((*_OPENAI_ONLY, "service_tier", "cache"))
        return {}
    body = {
        _OPENAI_NAMES.get(field, field): value
        for field, value in _given(request, _OPENAI_ONLY).items()
    }
    if request.service_tier is not None:
        body["service_tier"] = _TIERS.get(request.service_tier, request.service_tier)
    # A marker for the whole request asks for what OpenAI does by itself; only a longer life is not.
    if request.cache is not None and request.cache.ttl == "1h":
        if takes_breakpoints(target):
            body["prompt_cache_options"] = {"ttl": "12h"}
        else:
            losses.field("cache", "the model's cache has one lifetime")
    return body


def _write_cap(request: ir.Request, target: Target, losses: Losses) -> dict[str, int]:
    cap = request.max_tokens
    if cap is None:
        return {}
    if target.max_output is not None and cap > target.max_output:
        losses.field("max_tokens", f"clamped to the model's limit of {target.max_output}")
        cap = target.max_output
    return {"max_completion_tokens" if target.genuine else "max_tokens": cap}


def _write_format(form: ir.Format) -> dict[str, Any]:
    if form.schema is None:
        return {"type": "json_object"}
    schema: dict[str, Any] = {"name": form.name or "answer", "schema": form.schema}
    if form.description is not None:
        schema["description"] = form.description
    if form.strict is not None:
        schema["strict"] = form.strict
    return {"type": "json_schema", "json_schema": schema}


def _write_effort(request: ir.Request, target: Target, losses: Losses) -> str | None:
    """`reasoning_effort`, for a model that is known to reason: others refuse the member."""
    asked = request.reasoning
    if asked is None:
        return None
    efforts = efforts_of(target)
    off = asked.mode is ir.ReasoningMode.OFF
    effort = reasoning.OFF if off else asked.effort
    if effort is None and asked.budget is not None and asked.budget > 0:
        effort = reasoning.effort_for(asked.budget)
    if request.protocol is Protocol.CHAT:
        return effort
    if not efforts and not target.reasons:
        if not off:
            losses.field("reasoning", "the model is not known to reason")
        return None
    if effort is None or not efforts:
        return effort
    if off and reasoning.OFF not in efforts:
        losses.field("reasoning", f"the model cannot go below the effort {efforts[0]!r}")
        return efforts[0]
    return effort if off else _nearest(effort, efforts, losses)


def _nearest(effort: str, efforts: tuple[str, ...], losses: Losses) -> str | None:
    offered = tuple(word for word in efforts if word != reasoning.OFF)
    nearest = reasoning.nearest(effort, offered)
    if nearest != effort:
        losses.field("reasoning", f"the effort {effort!r} became {nearest!r}")
    return nearest
