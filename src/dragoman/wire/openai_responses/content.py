"""Content parts of OpenAI Responses, both ways: text, media, annotations, log probabilities.

Messages of every role, tool outputs and answers share these shapes; what differs is only that
text is `output_text` where the model said it and `input_text` everywhere else. Source: the types
of the official `openai` package (`response_input_content`, `response_output_text`).
"""

from __future__ import annotations

from typing import Any, cast

from dragoman import ir
from dragoman.protocols import Protocol
from dragoman.wire.fields import Fields, as_fields, objects_of
from dragoman.wire.media import data_url, split_data_url, text_of

BREAKPOINT = "prompt_cache_breakpoint"

_AUDIO_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMATS = {media_type: format for format, media_type in _AUDIO_TYPES.items()}
_TOP = "top_logprobs"


def decode_content(fields: Fields, name: str) -> tuple[ir.AnyPart, ...]:
    """The parts of the member `name`: a string, or an array of parts."""
    value = fields.take(name)
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (ir.Text(text=value, at=fields.place(name)),)
    if not isinstance(value, list):
        raise fields.wrong(name, "a string or an array")
    at = fields.place(name)
    parts = enumerate(cast("list[Any]", value))
    return tuple(decode_part(as_fields(part, f"{at}.{index}")) for index, part in parts)


def decode_part(fields: Fields) -> ir.AnyPart:
    """One part. What no one knows is kept whole, and refused elsewhere rather than dropped: it
    was said to the model."""
    kind = fields.text("type")
    cache = _decode_cache(fields)
    match kind:
        case "input_text" | "output_text" | "text" | "summary_text" | "reasoning_text":
            return _decode_text(fields, cache)
        case "refusal":
            return ir.Refusal(
                text=fields.required_text("refusal"), extras=fields.rest(), at=fields.at
            )
        case "input_image":
            return _decode_image(fields, cache)
        case "input_file":
            return _decode_file(fields, cache)
        case "input_audio":
            return _decode_audio(fields)
        case _:
            value = {"type": kind, **fields.rest()}
            return ir.Opaque(value, Protocol.RESPONSES, essential=True, cache=cache, at=fields.at)


def encode_input(part: ir.Text | ir.Media, cache: dict[str, Any] | None) -> dict[str, Any] | None:
    """`part` as the model is to read it; None for media that Responses has no form for. `cache`
    is the breakpoint to put on it."""
    value = _encode_input(part)
    if value is not None and cache is not None:
        value[BREAKPOINT] = cache
    return value


def encode_text(part: ir.Text) -> dict[str, Any]:
    """`part` as text of an answer, every member that the API promises included."""
    return {
        "type": "output_text",
        "text": part.text,
        "annotations": [encode_citation(each) for each in part.citations],
        "logprobs": [encode_logprob(each) for each in part.logprobs],
    }


def encode_refusal(part: ir.Refusal) -> dict[str, Any]:
    """`part` as a piece of an answer."""
    return {"type": "refusal", "refusal": part.text}


def decode_citation(value: dict[str, Any]) -> ir.Citation:
    """An annotation; only `url_citation` has a meaning that other protocols share."""
    if value.get("type") != "url_citation":
        return ir.Citation(
            title=_text(value.get("filename")), raw=value, protocol=Protocol.RESPONSES
        )
    return ir.Citation(
        url=_text(value.get("url")),
        title=_text(value.get("title")),
        start=_integer(value.get("start_index")),
        end=_integer(value.get("end_index")),
        raw=value,
        protocol=Protocol.RESPONSES,
    )


def encode_citation(citation: ir.Citation) -> dict[str, Any]:
    """`citation` as an annotation. One that names no URL (Anthropic's, of a document) is shown as
    a file's, since there is no other form for it."""
    if citation.protocol is Protocol.RESPONSES and citation.raw is not None:
        return citation.raw
    if citation.url is None:
        title = citation.title or "document"
        return {"type": "file_citation", "file_id": title, "filename": title, "index": 0}
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }


def decode_citations(value: Any) -> tuple[ir.Citation, ...]:
    """The annotations of a text."""
    return tuple(decode_citation(each) for each in objects_of(value))


def decode_logprobs(value: Any) -> tuple[ir.Logprob, ...]:
    """The log probabilities in an array; what is none of them is left out."""
    return tuple(
        ir.Logprob(token, logprob, _bytes(each.get("bytes")), decode_logprobs(each.get(_TOP)))
        for each in objects_of(value)
        if isinstance(token := each.get("token"), str)
        and isinstance(logprob := each.get("logprob"), int | float)
    )


def encode_logprob(logprob: ir.Logprob) -> dict[str, Any]:
    return {
        "token": logprob.token,
        "logprob": logprob.logprob,
        "bytes": logprob.bytes or [],
        "top_logprobs": [encode_logprob(each) for each in logprob.top_logprobs],
    }


def _decode_cache(fields: Fields) -> ir.Cache | None:
    found = fields.fields(BREAKPOINT)
    return None if found is None else ir.Cache(found.text("ttl"))


def _decode_detail(fields: Fields) -> str | None:
    """How closely the model is to look; `auto` is the default and says nothing."""
    detail = fields.text("detail")
    return None if detail == "auto" else detail


def _decode_text(fields: Fields, cache: ir.Cache | None) -> ir.Text:
    text = fields.required_text("text")
    return ir.Text(
        text=text,
        citations=decode_citations(fields.array("annotations")),
        logprobs=decode_logprobs(fields.array("logprobs")),
        cache=cache,
        extras=fields.rest(),
        at=fields.at,
    )


def _decode_image(fields: Fields, cache: ir.Cache | None) -> ir.Media:
    url = fields.text("image_url")
    file_id = fields.text("file_id")
    if url is None and file_id is None:
        raise fields.wrong("image_url", "a URL or a data URL, unless there is a file_id")
    inline = split_data_url(url) if url else None
    return ir.Media(
        kind=ir.MediaKind.IMAGE,
        data=inline[1] if inline else None,
        url=None if inline else url,
        file_id=file_id,
        media_type=inline[0] if inline else "",
        detail=_decode_detail(fields),
        cache=cache,
        extras=fields.rest(),
        at=fields.at,
    )


def _decode_file(fields: Fields, cache: ir.Cache | None) -> ir.Media:
    """A file; `file_data` is a data URL by the reference, but bare base64 is met too."""
    data = fields.text("file_data")
    url = fields.text("file_url")
    file_id = fields.text("file_id")
    if data is None and url is None and file_id is None:
        raise fields.wrong("file_data", "a data URL, unless there is a file_url or a file_id")
    inline = split_data_url(data) if data else None
    return ir.Media(
        kind=ir.MediaKind.DOCUMENT,
        data=inline[1] if inline else data,
        url=url,
        file_id=file_id,
        media_type=inline[0] if inline else "",
        name=fields.text("filename"),
        detail=_decode_detail(fields),
        cache=cache,
        extras=fields.rest(),
        at=fields.at,
    )


def _decode_audio(fields: Fields) -> ir.Media:
    audio = fields.fields("input_audio")
    if audio is None:
        raise fields.wrong("input_audio", "an object")
    format = audio.required_text("format")
    return ir.Media(
        kind=ir.MediaKind.AUDIO,
        data=audio.required_text("data"),
        media_type=_AUDIO_TYPES.get(format, f"audio/{format}"),
        extras=fields.rest(),
        at=fields.at,
    )


def _encode_input(part: ir.Text | ir.Media) -> dict[str, Any] | None:
    if isinstance(part, ir.Text):
        return {"type": "input_text", "text": part.text}
    match part.kind:
        case ir.MediaKind.IMAGE:
            return _encode_image(part)
        case ir.MediaKind.DOCUMENT:
            return _encode_file(part)
        case ir.MediaKind.AUDIO if part.data is not None:
            media_type = part.media_type
            format = _AUDIO_FORMATS.get(media_type, media_type.removeprefix("audio/"))
            return {"type": "input_audio", "input_audio": {"data": part.data, "format": format}}
        case _:
            return None


def _encode_image(part: ir.Media) -> dict[str, Any]:
    value: dict[str, Any] = {"type": "input_image", "detail": part.detail or "auto"}
    if part.file_id is not None:
        value["file_id"] = part.file_id
    elif part.data is not None:
        value["image_url"] = data_url(part, "image/png")
    else:
        value["image_url"] = part.url
    return value


def _encode_file(part: ir.Media) -> dict[str, Any] | None:
    """A document; plain text needs no file around it."""
    text = text_of(part)
    if text is not None:
        return {"type": "input_text", "text": f"{part.name}\n\n{text}" if part.name else text}
    value: dict[str, Any] = {"type": "input_file"}
    if part.file_id is not None:
        value["file_id"] = part.file_id
    elif part.data is not None:
        value["file_data"] = data_url(part, "application/pdf")
        value["filename"] = "document.pdf"
    else:
        value["file_url"] = part.url
    if part.name is not None:
        value["filename"] = part.name
    if part.detail is not None:
        value["detail"] = part.detail
    return value


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _bytes(value: Any) -> list[int] | None:
    if not isinstance(value, list) or not value:
        return None
    found = cast("list[Any]", value)
    return found if all(isinstance(each, int) for each in found) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
