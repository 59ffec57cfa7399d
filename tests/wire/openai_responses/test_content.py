from __future__ import annotations

from typing import Any

import pytest

from dragoman import ir
from dragoman.errors import InvalidRequest
from dragoman.protocols import Protocol
from dragoman.wire.fields import Fields
from dragoman.wire.openai_responses.content import (
    decode_citation,
    decode_content,
    decode_logprobs,
    decode_part,
    encode_citation,
    encode_input,
)


def part(**members: Any) -> ir.AnyPart:
    return decode_part(Fields(members, "input.0.content.0"))


def test_text_has_one_form_inside_whatever_its_type_is_called() -> None:
    for kind in ("input_text", "output_text", "text"):
        found = part(type=kind, text="x")
        assert found == ir.Text("x", at="input.0.content.0")


def test_an_image_is_data_a_url_or_a_file() -> None:
    inline = part(type="input_image", image_url="data:image/png;base64,AAAA", detail="high")
    assert isinstance(inline, ir.Media)
    assert (inline.data, inline.media_type, inline.detail) == ("AAAA", "image/png", "high")
    linked = part(type="input_image", image_url="https://a.org/x.png", detail="auto")
    assert isinstance(linked, ir.Media)
    assert (linked.url, linked.detail) == ("https://a.org/x.png", None)
    kept = part(type="input_image", file_id="file_1")
    assert isinstance(kept, ir.Media)
    assert kept.file_id == "file_1"
    with pytest.raises(InvalidRequest):
        part(type="input_image")


def test_a_file_may_come_as_a_data_url_or_as_bare_base64() -> None:
    for data in ("data:application/pdf;base64,JVBERi0=", "JVBERi0="):
        found = part(type="input_file", file_data=data, filename="a.pdf")
        assert isinstance(found, ir.Media)
        assert (found.kind, found.data, found.name) == (
            ir.MediaKind.DOCUMENT,
            "JVBERi0=",
            "a.pdf",
        )


def test_sound_has_a_format() -> None:
    found = part(type="input_audio", input_audio={"data": "AAAA", "format": "mp3"})
    assert isinstance(found, ir.Media)
    assert found.media_type == "audio/mpeg"
    assert encode_input(found, None) == {
        "type": "input_audio",
        "input_audio": {"data": "AAAA", "format": "mp3"},
    }


def test_a_part_of_an_unknown_type_is_kept_and_must_not_be_dropped() -> None:
    found = part(type="hologram", x=1)
    assert isinstance(found, ir.Opaque)
    assert found.value == {"type": "hologram", "x": 1}
    assert found.essential


def test_content_must_be_text_or_parts() -> None:
    with pytest.raises(InvalidRequest, match="a string or an array"):
        decode_content(Fields({"content": 5}, "input.0"), "content")
    assert decode_content(Fields({"content": ""}), "content") == ()


def test_a_plain_text_document_becomes_text() -> None:
    document = ir.Media(ir.MediaKind.DOCUMENT, text="words", name="a.txt")
    assert encode_input(document, None) == {"type": "input_text", "text": "a.txt\n\nwords"}


def test_a_breakpoint_is_read_and_written() -> None:
    found = part(
        type="input_text", text="x", prompt_cache_breakpoint={"mode": "explicit", "ttl": "12h"}
    )
    assert isinstance(found, ir.Text)
    assert found.cache == ir.Cache("12h")
    written = encode_input(found, {"mode": "explicit", "ttl": "12h"})
    assert written is not None
    assert written["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "12h"}


def test_an_annotation_survives_and_a_foreign_citation_gets_a_form() -> None:
    annotation = {"type": "file_citation", "file_id": "f", "filename": "a.pdf", "index": 3}
    assert encode_citation(decode_citation(annotation)) == annotation
    page = ir.Citation(url="https://a.org", protocol=Protocol.MESSAGES, raw={"type": "x"})
    assert encode_citation(page)["type"] == "url_citation"
    document = ir.Citation(title="Book", protocol=Protocol.MESSAGES, raw={"type": "x"})
    assert encode_citation(document)["filename"] == "Book"


def test_log_probabilities_that_are_none_are_left_out() -> None:
    found = decode_logprobs([{"token": "a", "logprob": -1, "bytes": [97]}, {"token": 5}, "x"])
    assert found == (ir.Logprob("a", -1, [97]),)
    assert decode_logprobs("x") == ()
