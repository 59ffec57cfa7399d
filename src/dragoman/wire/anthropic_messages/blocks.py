"""Content blocks, read the same way in requests and in answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec

from dragoman import envelope, ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire import call_ids
from dragoman.wire.documents import encode
from dragoman.wire.fields import Fields, as_fields, object_of, objects_of

BILLING = "x-anthropic-billing-header:"
"""How Claude Code's first system block begins: accounting for Anthropic, of no use elsewhere."""

_DIRECT = {"type": "direct"}


def read_content(fields: Fields, name: str = "content") -> tuple[ir.AnyPart, ...]:
    """A string, or an array of blocks. State that an envelope keeps for the following part is
    put into that part."""
    place = fields.place(name)
    value = fields.take(name)
    if value is None:
        return ()
    if isinstance(value, str):
        return (ir.Text(value, at=place),)
    if not isinstance(value, list):
        raise fields.wrong(name, "a string or an array of content blocks")
    return read_blocks(cast("list[Any]", value), place)


def read_blocks(values: Iterable[Any], at: str) -> tuple[ir.AnyPart, ...]:
    """The parts that an array of blocks at the path `at` holds."""
    parts: list[ir.AnyPart] = []
    pending: ir.Sealed | None = None
    for index, value in enumerate(values):
        part = _read_block(as_fields(value, f"{at}.{index}"))
        if isinstance(part, envelope.Opened):
            pending = part.sealed
            continue
        if pending is not None and isinstance(part, ir.Text | ir.ToolCall | ir.Media):
            part = msgspec.structs.replace(part, sealed=pending)
            pending = None
        parts.append(part)
    return tuple(parts)


def read_cache(fields: Fields) -> ir.Cache | None:
    """The `cache_control` member."""
    control = fields.object("cache_control")
    return None if control is None else ir.Cache(control.get("ttl"))


def read_citation(value: dict[str, Any]) -> ir.Citation:
    """A citation of any of Anthropic's kinds; of its offsets none point into the answer."""
    source = value.get("source")
    return ir.Citation(
        url=value.get("url") or (source if isinstance(source, str) else None),
        title=value.get("title") or value.get("document_title"),
        quote=value.get("cited_text"),
        raw=value,
        protocol=Protocol.MESSAGES,
    )


def write_citation(citation: ir.Citation) -> dict[str, Any]:
    """A citation in Anthropic's words; one from elsewhere becomes that of a web page."""
    if citation.raw is not None and citation.protocol is Protocol.MESSAGES:
        return citation.raw
    return {
        "type": "web_search_result_location",
        "url": citation.url or "",
        "title": citation.title,
        "cited_text": citation.quote or "",
        "encrypted_index": "",
    }


def _read_block(fields: Fields) -> ir.AnyPart | envelope.Opened:
    """One block. Kinds that have no counterpart elsewhere stay whole."""
    kind = fields.required_text("type")
    reader = _READERS.get(kind)
    if reader is None:
        return ir.Opaque({"type": kind, **fields.rest()}, Protocol.MESSAGES, at=fields.at)
    return reader(fields)


def _read_text(fields: Fields) -> ir.AnyPart:
    text = fields.required_text("text")
    cache = read_cache(fields)
    if text.startswith(BILLING):
        return ir.Opaque(
            {"type": "text", "text": text}, Protocol.MESSAGES, at=fields.at, cache=cache
        )
    return ir.Text(
        text,
        citations=tuple(map(read_citation, objects_of(fields.take("citations")))),
        at=fields.at,
        cache=cache,
        extras=fields.rest(),
    )


def _read_thinking(fields: Fields) -> ir.AnyPart:
    signature = fields.text("signature")
    return ir.Thinking(
        fields.text("thinking") or "",
        sealed=envelope.open_or_foreign(signature, Protocol.MESSAGES) if signature else None,
        at=fields.at,
        extras=fields.rest(),
    )


def _read_redacted(fields: Fields) -> ir.AnyPart | envelope.Opened:
    data = fields.required_text("data")
    opened = envelope.unseal(data)
    if opened is not None and opened.follows:
        return opened
    sealed = envelope.open_or_foreign(data, Protocol.MESSAGES)
    return ir.Thinking("", sealed=sealed, redacted=True, at=fields.at, extras=fields.rest())


def _read_tool_use(fields: Fields) -> ir.AnyPart:
    caller = fields.take("caller")
    call = ir.ToolCall(
        call_ids.unfit(fields.required_text("id")),
        fields.required_text("name"),
        encode(fields.object("input") or {}).decode(),
        at=fields.at,
        cache=read_cache(fields),
        extras=fields.rest(),
    )
    if caller is None or caller == _DIRECT:
        return call
    return msgspec.structs.replace(call, extras={"caller": caller, **call.extras})


def _read_tool_result(fields: Fields) -> ir.AnyPart:
    return ir.ToolResult(
        call_ids.unfit(fields.required_text("tool_use_id")),
        read_content(fields),
        is_error=fields.boolean("is_error") or False,
        at=fields.at,
        cache=read_cache(fields),
        extras=fields.rest(),
    )


def _read_image(fields: Fields) -> ir.AnyPart:
    source = _read_source(fields)
    return ir.Media(
        ir.MediaKind.IMAGE,
        **source,
        at=fields.at,
        cache=read_cache(fields),
        extras=fields.rest(),
    )


def _read_document(fields: Fields) -> ir.AnyPart:
    value = fields.take("source")
    if object_of(value).get("type") == "content":
        block = {"type": "document", "source": value, **fields.rest()}
        return ir.Opaque(block, Protocol.MESSAGES, text=_plain_text(value), at=fields.at)
    source = _read_source_object(as_fields(value, fields.place("source")))
    citations = fields.object("citations") or {}
    return ir.Media(
        ir.MediaKind.DOCUMENT,
        **source,
        name=fields.text("title"),
        context=fields.text("context"),
        cite=bool(citations.get("enabled")),
        at=fields.at,
        cache=read_cache(fields),
        extras=fields.rest(),
    )


def _read_source(fields: Fields) -> dict[str, Any]:
    return _read_source_object(as_fields(fields.take("source"), fields.place("source")))


def _read_source_object(source: Fields) -> dict[str, Any]:
    """The members of `ir.Media` that a block's source gives."""
    kind = source.required_text("type")
    media_type = source.text("media_type") or ""
    match kind:
        case "base64":
            return {"data": source.required_text("data"), "media_type": media_type}
        case "url":
            return {"url": source.required_text("url"), "media_type": media_type}
        case "file":
            return {"file_id": source.required_text("file_id"), "media_type": media_type}
        case "text":
            return {"text": source.required_text("data"), "media_type": media_type}
        case _:
            place = source.place("type")
            raise InvalidRequest(f"`{place}`: there is no source of type {kind!r}.", param=place)


def _read_tool_reference(fields: Fields) -> ir.AnyPart:
    return ir.ToolReference(
        fields.required_text("tool_name"),
        at=fields.at,
        cache=read_cache(fields),
        extras=fields.rest(),
    )


def _read_search_result(fields: Fields) -> ir.AnyPart:
    block = {"type": "search_result", **fields.rest()}
    heading = "\n".join(str(block[name]) for name in ("title", "source") if block.get(name))
    text = f"{heading}\n{_plain_text(block)}".strip()
    return ir.Opaque(block, Protocol.MESSAGES, text=text, at=fields.at)


def _plain_text(holder: dict[str, Any]) -> str:
    """The text of the `content` inside a block: a string or text blocks."""
    content = holder.get("content")
    if isinstance(content, str):
        return content
    texts = [block.get("text") for block in objects_of(content)]
    return "\n".join(text for text in texts if isinstance(text, str))


_READERS: dict[str, Callable[[Fields], ir.AnyPart | envelope.Opened]] = {
    "text": _read_text,
    "thinking": _read_thinking,
    "redacted_thinking": _read_redacted,
    "tool_use": _read_tool_use,
    "tool_result": _read_tool_result,
    "image": _read_image,
    "document": _read_document,
    "tool_reference": _read_tool_reference,
    "search_result": _read_search_result,
}
