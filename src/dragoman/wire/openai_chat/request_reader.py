"""Requests of Chat clients: OpenAI's SDKs and nearly everything else."""

from __future__ import annotations

from typing import Any

from dragoman import ir, reasoning
from dragoman.envelope import open_or_foreign
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire import call_ids
from dragoman.wire.documents import encode, parse_request
from dragoman.wire.fields import Fields, as_fields, object_of
from dragoman.wire.losses import refuse
from dragoman.wire.media import split_data_url
from dragoman.wire.openai_chat.thoughts import TEXT_FIELDS, read_signature, read_thoughts

_ROLES = {
    "system": ir.Role.SYSTEM,
    "developer": ir.Role.DEVELOPER,
    "user": ir.Role.USER,
    "assistant": ir.Role.ASSISTANT,
}
_CHOICE_MODES = {
    "auto": ir.ChoiceMode.AUTO,
    "none": ir.ChoiceMode.NONE,
    "required": ir.ChoiceMode.REQUIRED,
}
_NAMES = {
    "format": "response_format",
    "parallel": "parallel_tool_calls",
    "reasoning": "reasoning_effort",
    "cache_key": "prompt_cache_key",
    "stream_usage": "stream_options.include_usage",
}


def decode_request(body: bytes) -> ir.Request:
    """One request. Raises Untranslatable for the forms that Chat itself has given up."""
    fields = parse_request(body)
    for name in ("functions", "function_call"):
        if fields.take(name) is not None:
            raise refuse(name, "it is the old form of `tools`; send `tools` and `tool_choice`")
    _check_modalities(fields)
    cap_name, cap = _read_cap(fields)
    stream_usage, kept = _read_stream_options(fields)
    form = _read_format(fields)
    asked, names = _read_reasoning(fields)
    search = fields.take("web_search_options")
    tools: list[ir.Tool | ir.ServerTool] = [_read_tool(tool) for tool in fields.each("tools")]
    if search is not None:
        tools.append(_server_tool("web_search", {"web_search_options": search}))
    return ir.Request(
        protocol=Protocol.CHAT,
        model=fields.required_text("model"),
        messages=tuple(_read_message(turn) for turn in fields.each("messages", required=True)),
        tools=tuple(tools),
        tool_choice=_read_choice(fields),
        parallel=fields.boolean("parallel_tool_calls"),
        max_tokens=cap,
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=fields.strings("stop"),
        n=fields.integer("n"),
        logprobs=fields.boolean("logprobs"),
        top_logprobs=fields.integer("top_logprobs"),
        format=form,
        verbosity=fields.text("verbosity"),
        reasoning=asked,
        cache_key=fields.text("prompt_cache_key"),
        user=fields.text("user"),
        safety_identifier=fields.text("safety_identifier"),
        metadata=fields.object("metadata"),
        service_tier=fields.text("service_tier"),
        store=fields.boolean("store"),
        stream=fields.boolean("stream") or False,
        stream_usage=stream_usage,
        extras=kept | fields.rest(),
        names=_NAMES | names | {"max_tokens": cap_name},
    )


def _read_message(turn: Fields) -> ir.Message:
    role = turn.required_text("role")
    if role == "tool":
        return _read_tool_message(turn)
    if role == "function":
        raise refuse(turn.at, "function messages are the old form of tool messages; send those")
    if role not in _ROLES:
        place = turn.place("role")
        known = "system, developer, user, assistant or tool"
        raise InvalidRequest(f"`{place}` must be {known}.", param=place)
    name = turn.text("name")
    parts: list[ir.AnyPart] = []
    if role == "assistant":
        parts += _read_thoughts(turn)
    parts += _read_content(turn)
    if role == "assistant":
        refusal = turn.text("refusal")
        if refusal:
            parts.append(ir.Refusal(refusal, at=turn.place("refusal")))
        if turn.take("function_call") is not None:
            raise refuse(turn.place("function_call"), "it is the old form of `tool_calls`")
        parts += (_read_call(call) for call in turn.each("tool_calls"))
        turn.take("annotations")  # clients hand back whole answers; citations are no input
    return ir.Message(_ROLES[role], tuple(parts), name=name, extras=turn.rest(), at=turn.at)


def _read_tool_message(turn: Fields) -> ir.Message:
    result = ir.ToolResult(
        call_ids.unfit(turn.required_text("tool_call_id")),
        _read_content(turn),
        name=turn.text("name"),
        at=turn.at,
    )
    return ir.Message(ir.Role.USER, (result,), extras=turn.rest(), at=turn.at)


def _read_thoughts(turn: Fields) -> tuple[ir.Thinking, ...]:
    texts = {name: turn.text(name) for name in TEXT_FIELDS}
    name = next((name for name in TEXT_FIELDS if texts[name]), TEXT_FIELDS[0])
    return read_thoughts(texts[name], turn.take("reasoning_details"), turn.place(name))


def _read_content(turn: Fields) -> tuple[ir.AnyPart, ...]:
    """A string, null, or an array of parts (some clients send one part bare)."""
    place = turn.place("content")
    content = turn.take("content")
    if content is None:
        return ()
    if isinstance(content, str):
        return (ir.Text(content, at=place),) if content else ()
    parts: list[Any] = [content] if isinstance(content, dict) else content
    return tuple(_read_part(part) for part in Fields({"content": parts}, turn.at).each("content"))


def _read_part(part: Fields) -> ir.AnyPart:
    kind = part.required_text("type")
    cache = _read_cache(part)
    match kind:
        case "text" | "input_text" | "output_text":
            text = part.required_text("text")
            return ir.Text(text, at=part.at, cache=cache, extras=part.rest())
        case "refusal":
            return ir.Refusal(part.required_text("refusal"), at=part.at, extras=part.rest())
        case "image_url":
            return _read_url(part, ir.MediaKind.IMAGE, kind, cache)
        case "video_url":
            return _read_url(part, ir.MediaKind.VIDEO, kind, cache)
        case "input_audio":
            audio = as_fields(part.take(kind), part.place(kind))
            form = audio.text("format")
            return ir.Media(
                ir.MediaKind.AUDIO,
                data=audio.required_text("data"),
                media_type=f"audio/{form}" if form else "",
                at=part.at,
                cache=cache,
                extras=part.rest(),
            )
        case "file":
            return _read_file(part, cache)
        case _:
            value = {"type": kind, **part.rest()}
            return ir.Opaque(value, Protocol.CHAT, essential=True, at=part.at, cache=cache)


def _read_url(
    part: Fields, media_kind: ir.MediaKind, member: str, cache: ir.Cache | None
) -> ir.Media:
    """An image or film by URL; the URL may stand bare, and may be the data itself."""
    holder = part.take(member)
    source = Fields({"url": holder}, part.at) if isinstance(holder, str) else None
    source = source or as_fields(holder, part.place(member))
    url = source.required_text("url")
    detail = source.text("detail")
    inline = split_data_url(url)
    media_type, data = inline or ("", None)
    return ir.Media(
        media_kind,
        data=data,
        url=None if inline else url,
        media_type=media_type,
        detail=detail,
        at=part.at,
        cache=cache,
        extras=source.rest() | part.rest(),
    )


def _read_file(part: Fields, cache: ir.Cache | None) -> ir.Media:
    """A file: its data as a `data:` URL (or bare base64), or a file id."""
    file = as_fields(part.take("file"), part.place("file"))
    data = file.text("file_data")
    media_type = ""
    if data is not None:
        media_type, data = split_data_url(data) or ("", data)
    file_id = file.text("file_id")
    if data is None and file_id is None:
        raise file.wrong("file_data", "given, or `file_id`")
    return ir.Media(
        ir.MediaKind.DOCUMENT,
        data=data,
        file_id=None if data is not None else file_id,
        media_type=media_type,
        name=file.text("filename"),
        at=part.at,
        cache=cache,
        extras=file.rest() | part.rest(),
    )


def _read_cache(part: Fields) -> ir.Cache | None:
    """OpenAI's breakpoint, or Anthropic's as OpenRouter takes it."""
    for name in ("prompt_cache_breakpoint", "cache_control"):
        marker = part.object(name)
        if marker is not None:
            return ir.Cache(marker.get("ttl"))
    return None


def _read_call(call: Fields) -> ir.ToolCall:
    kind = call.text("type") or "function"
    id = call_ids.unfit(call.required_text("id"))
    signature = read_signature(call.take("extra_content"))
    sealed = open_or_foreign(signature, Protocol.CHAT) if signature else None
    call.take("index")  # clients hand back what the stream had
    if kind == "custom":
        custom = as_fields(call.take("custom"), call.place("custom"))
        return ir.ToolCall(
            id,
            custom.required_text("name"),
            custom.text("input") or "",
            kind=ir.ToolKind.CUSTOM,
            sealed=sealed,
            at=call.at,
        )
    function = as_fields(call.take("function"), call.place("function"))
    name = function.required_text("name")
    arguments = function.take("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = encode(arguments).decode()  # some clients parse it and forget to write it back
    return ir.ToolCall(id, name, arguments or "{}", sealed=sealed, at=call.at, extras=call.rest())


def _read_tool(tool: Fields) -> ir.Tool | ir.ServerTool:
    kind = tool.text("type") or "function"
    if kind == "function":
        function = as_fields(tool.take("function"), tool.place("function"))
        return ir.Tool(
            name=function.required_text("name"),
            description=function.text("description"),
            parameters=function.object("parameters"),
            strict=function.boolean("strict"),
            cache=_read_cache(tool),
            extras=function.rest() | tool.rest(),
            at=tool.at,
        )
    if kind == "custom":
        custom = as_fields(tool.take("custom"), tool.place("custom"))
        return ir.Tool(
            name=custom.required_text("name"),
            kind=ir.ToolKind.CUSTOM,
            description=custom.text("description"),
            format=custom.object("format"),
            extras=custom.rest() | tool.rest(),
            at=tool.at,
        )
    return ir.ServerTool(
        type=kind, value={"type": kind, **tool.rest()}, protocol=Protocol.CHAT, at=tool.at
    )


def _server_tool(type: str, value: dict[str, Any]) -> ir.ServerTool:
    """A tool that OpenAI runs and that Chat asks for by a member of the body."""
    (name,) = value
    return ir.ServerTool(type=type, value=value, protocol=Protocol.CHAT, at=name)


def _read_choice(fields: Fields) -> ir.ToolChoice | None:
    value = fields.take("tool_choice")
    if value is None:
        return None
    if isinstance(value, str):
        if value not in _CHOICE_MODES:
            raise InvalidRequest(
                "`tool_choice` must be none, auto or required.", param="tool_choice"
            )
        return ir.ToolChoice(_CHOICE_MODES[value])
    choice = as_fields(value, "tool_choice")
    if choice.text("type") == "allowed_tools":
        allowed = as_fields(choice.take("allowed_tools"), "tool_choice.allowed_tools")
        mode = _CHOICE_MODES.get(allowed.text("mode") or "auto", ir.ChoiceMode.AUTO)
        return ir.ToolChoice(mode, tuple(_read_name(tool) for tool in allowed.each("tools")))
    choice.take("type")
    return ir.ToolChoice(ir.ChoiceMode.NAMED, (_read_name(choice),))


def _read_name(choice: Fields) -> ir.ToolName:
    custom = choice.fields("custom")
    if custom is not None:
        return ir.ToolName(custom.required_text("name"), kind=ir.ToolKind.CUSTOM)
    function = as_fields(choice.take("function"), choice.place("function"))
    return ir.ToolName(function.required_text("name"))


def _read_cap(fields: Fields) -> tuple[str, int | None]:
    """The output cap under either of its names; the newer one wins."""
    old = fields.integer("max_tokens")
    new = fields.integer("max_completion_tokens")
    return ("max_tokens", old) if new is None else ("max_completion_tokens", new)


def _read_format(fields: Fields) -> ir.Format | None:
    form = fields.fields("response_format")
    if form is None:
        return None
    kind = form.required_text("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return ir.Format()
    if kind != "json_schema":
        raise form.wrong("type", "text, json_object or json_schema")
    schema = as_fields(form.take("json_schema"), form.place("json_schema"))
    return ir.Format(
        schema=schema.object("schema") or {},
        name=schema.text("name"),
        description=schema.text("description"),
        strict=schema.boolean("strict"),
    )


def _read_reasoning(fields: Fields) -> tuple[ir.Reasoning | None, dict[str, str]]:
    """How much to think, and the name under which the caller said so: OpenAI's effort, else
    `thinking` as DeepSeek, Kimi and GLM take it, else `reasoning` as OpenRouter does."""
    effort = fields.text("reasoning_effort")
    thinking = fields.fields("thinking")
    unified = fields.fields("reasoning")
    if effort is not None:
        return _read_effort(effort), {}
    if thinking is not None:
        off = thinking.text("type") == "disabled"
        mode = ir.ReasoningMode.OFF if off else ir.ReasoningMode.ON
        budget = thinking.integer("budget_tokens")
        return ir.Reasoning(mode=mode, budget=budget), {"reasoning": "thinking"}
    if unified is not None:
        if unified.boolean("enabled") is False:
            return ir.Reasoning(mode=ir.ReasoningMode.OFF), {"reasoning": "reasoning"}
        effort = unified.text("effort")
        if effort is not None:
            return _read_effort(effort), {"reasoning": "reasoning"}
        budget = unified.integer("max_tokens")
        asked = ir.Reasoning(mode=ir.ReasoningMode.ON, budget=budget)
        return asked, {"reasoning": "reasoning"}
    return None, {}


def _read_effort(effort: str) -> ir.Reasoning:
    if effort == reasoning.OFF:
        return ir.Reasoning(mode=ir.ReasoningMode.OFF)
    return ir.Reasoning(effort=effort)


def _read_stream_options(fields: Fields) -> tuple[bool, dict[str, Any]]:
    """Whether usage is wanted in the stream, and options that nobody here knows. Obfuscation is
    padding that this gateway never adds; asking for none is granted."""
    options = fields.fields("stream_options")
    if options is None:
        return False, {}
    wanted = options.boolean("include_usage") or False
    rest = options.rest()
    if rest.get("include_obfuscation") is False:
        del rest["include_obfuscation"]
    return wanted, {"stream_options": rest} if rest else {}


def _check_modalities(fields: Fields) -> None:
    """Text is all that other protocols answer with; spoken answers cannot be had from them."""
    if "audio" in (fields.array("modalities") or ()):
        raise refuse("modalities", "this model's provider answers in text only")
    if object_of(fields.take("audio")):
        raise refuse("audio", "this model's provider answers in text only")
