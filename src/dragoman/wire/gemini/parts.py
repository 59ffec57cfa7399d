"""Parts of contents, read the same way in requests and in answers, and written back.

A part has one member that says what it is and a few beside it that any part may have; those that
are nobody else's business (`videoMetadata`, `mediaResolution`, `partMetadata`) are its extras.
An empty text that carries a signature is how Gemini ends a stream whose reasoning it wants back:
state and nothing else, which is what others call redacted thinking.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from dragoman import envelope, ir
from dragoman.protocols import Protocol
from dragoman.wire.documents import encode, parse_object
from dragoman.wire.fields import Fields, as_fields, object_of
from dragoman.wire.gemini.spelling import each, graft, inside
from dragoman.wire.media import media_type_of

Part = dict[str, Any]

_KINDS = {
    "image": ir.MediaKind.IMAGE,
    "audio": ir.MediaKind.AUDIO,
    "video": ir.MediaKind.VIDEO,
}
_FALLBACKS = {
    ir.MediaKind.IMAGE: "image/png",
    ir.MediaKind.AUDIO: "audio/wav",
    ir.MediaKind.VIDEO: "video/mp4",
    ir.MediaKind.DOCUMENT: "application/pdf",
}
_SUFFIXES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "html": "text/html",
    "csv": "text/csv",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
}
_KEPT_BY_GOOGLE = re.compile(r"https://generativelanguage\.googleapis\.com/|files/")
_YOUTUBE = re.compile(r"https?://(?:www\.|m\.)?(?:youtube\.com|youtu\.be)/")
_STANDARD = str.maketrans("-_", "+/")
_DATA_MEMBERS = ("text", "inlineData", "fileData", "functionCall", "functionResponse")
_PLAIN_RESULTS = ("output", "result")


def read_part(part: Fields, id: str, origin: ir.Origin | None = None) -> ir.AnyPart | None:
    """One part; None where it is empty. `id` is for a call or a result that has none, `origin`
    who made the state in an answer; in a request that state says so itself, or nobody knows."""
    members = part.rest()
    kind = next((name for name in _DATA_MEMBERS if name in members), None)
    if kind is None and not members.keys() <= {"thought", "thoughtSignature"}:
        return ir.Opaque(members, Protocol.GEMINI, text=_wording(members), at=part.at)
    signature = part.text("thoughtSignature")
    sealed: ir.Sealed | None = None
    if signature:
        sealed = (
            ir.Sealed(signature, origin)
            if origin
            else envelope.open_or_foreign(signature, Protocol.GEMINI)
        )
    match kind:
        case "functionCall":
            return _read_call(part, id, sealed)
        case "functionResponse":
            return _read_result(part, id)
        case "inlineData" | "fileData":
            return _read_media(part, sealed)
        case _:
            return _read_text(part, sealed, origin)


def _read_text(
    part: Fields, sealed: ir.Sealed | None, origin: ir.Origin | None
) -> ir.AnyPart | None:
    text = part.text("text") or ""
    if part.boolean("thought"):
        if not text and sealed is None:
            return None
        if sealed is None and origin is not None:
            sealed = ir.Sealed("", origin)
        return ir.Thinking(text, sealed=sealed, at=part.at, extras=part.rest())
    if text:
        return ir.Text(text, sealed=sealed, at=part.at, extras=part.rest())
    if sealed is None:
        return None
    return ir.Thinking("", sealed=sealed, redacted=True, at=part.at, extras=part.rest())


def _read_call(part: Fields, id: str, sealed: ir.Sealed | None) -> ir.AnyPart:
    call = as_fields(part.take("functionCall"), part.place("functionCall"))
    return ir.ToolCall(
        call.text("id") or id,
        call.required_text("name"),
        encode(call.object("args") or {}).decode(),
        sealed=sealed,
        at=part.at,
        extras=inside("functionCall", call.rest()) | part.rest(),
    )


def _read_result(part: Fields, id: str) -> ir.AnyPart:
    result = as_fields(part.take("functionResponse"), part.place("functionResponse"))
    parts: list[ir.AnyPart] = []
    text, is_error = _read_response(result.object("response") or {})
    if text:
        parts.append(ir.Text(text, at=result.place("response")))
    for piece in each(result, "parts"):
        found = read_part(piece, "")
        if found is not None:
            parts.append(found)
    return ir.ToolResult(
        result.text("id") or id,
        tuple(parts),
        is_error=is_error,
        name=result.required_text("name"),
        at=part.at,
        extras=inside("functionResponse", result.rest()) | part.rest(),
    )


def _read_response(response: dict[str, Any]) -> tuple[str, bool]:
    """A result's text, and whether it is an error: the reference gives `output` and `error` a
    meaning, Google's SDKs write `result`, and any other object is the output itself."""
    if len(response) == 1:
        ((name, value),) = response.items()
        if name == "error" or name in _PLAIN_RESULTS:
            text = value if isinstance(value, str) else encode(value).decode()
            return text, name == "error"
    return (encode(response).decode() if response else ""), False


def _read_media(part: Fields, sealed: ir.Sealed | None) -> ir.AnyPart:
    inline = part.fields("inlineData")
    source = inline or as_fields(part.take("fileData"), part.place("fileData"))
    media_type = source.text("mimeType") or ""
    name = source.text("displayName")
    data = url = file_id = None
    if inline is not None:
        data = inline.required_text("data").translate(_STANDARD)
    else:
        url = source.required_text("fileUri")
        if _KEPT_BY_GOOGLE.match(url):
            url, file_id = None, url
    return ir.Media(
        _kind_of(media_type or _type_by_name(url or "")),
        data=data,
        url=url,
        file_id=file_id,
        media_type=media_type,
        name=name,
        sealed=sealed,
        at=part.at,
        extras=part.rest(),
    )


def _type_by_name(url: str) -> str:
    """The media type that the end of a URL's path tells, empty where it tells none."""
    if _YOUTUBE.match(url):
        return "video/mp4"
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return _SUFFIXES.get(path.rpartition(".")[2].lower(), "")


def _kind_of(media_type: str) -> ir.MediaKind:
    return _KINDS.get(media_type.partition("/")[0], ir.MediaKind.DOCUMENT)


def _wording(members: dict[str, Any]) -> str | None:
    """What another protocol can be told of a part that only Gemini has."""
    code = object_of(members.get("executableCode"))
    if code:
        language = str(code.get("language", "")).lower()
        return f"```{language}\n{code.get('code', '')}\n```"
    result = object_of(members.get("codeExecutionResult"))
    if result:
        return f"```\n{result.get('output', '')}\n```"
    return None


def write_text(text: str, signature: str | None = None, *, thought: bool = False) -> Part:
    """Text, or thinking."""
    return sign({"text": text, "thought": True} if thought else {"text": text}, signature)


def write_call(call: ir.ToolCall, name: str, signature: str | None) -> Part:
    """A call; arguments that are no JSON object stand under `arguments`."""
    arguments = parse_object(call.arguments or "{}")
    if arguments is None:
        arguments = {"arguments": call.arguments}
    return sign({"functionCall": {"id": call.id, "name": name, "args": arguments}}, signature)


def write_response(text: str, *, is_error: bool) -> dict[str, Any]:
    """The `response` of a result. Text that is an object just as it would be written goes as the
    object; all other text stands under a name, so that it comes back letter by letter."""
    if is_error:
        return {"error": text}
    found = parse_object(text) if text.startswith("{") else None
    if found is not None and encode(found) == text.encode("utf-8", "surrogatepass"):
        plain = len(found) == 1 and next(iter(found)) in ("error", *_PLAIN_RESULTS)
        if found and not plain:
            return found
    return {"output": text} if text else {}


def write_media(media: ir.Media, signature: str | None = None) -> Part:
    """Media from base64 data or from a URI."""
    named = {"displayName": media.name} if media.name is not None else {}
    if media.data is not None:
        media_type = media_type_of(media, _FALLBACKS[media.kind])
        return sign(
            {"inlineData": {"mimeType": media_type, "data": media.data, **named}}, signature
        )
    uri = media.file_id or media.url or ""
    media_type = media.media_type or _type_by_name(uri)
    typed = {"mimeType": media_type} if media_type else {}
    return sign({"fileData": {**typed, "fileUri": uri, **named}}, signature)


def sign(part: Part, signature: str | None) -> Part:
    """`part` with its signature, where it has one."""
    if signature:
        part["thoughtSignature"] = signature
    return part


def with_extras(written: Part, part: ir.AnyPart) -> Part:
    """`written` with the members that `part` had beside those that were read."""
    graft(written, part.extras)
    return written


def envelope_of(sealed: ir.Sealed | None) -> str | None:
    """The slot for state that a client is to hand back: an envelope, or the bare value where
    nobody knows its origin."""
    if sealed is None:
        return None
    return envelope.seal(sealed) if sealed.origin.provider else sealed.value or None
