from __future__ import annotations

from typing import Any

import pytest
from conversations import PROVIDER, base64_data, json_text, json_values, texts, words
from hypothesis import given
from hypothesis import strategies as st

from dragoman import envelope, ir
from dragoman.protocols import Protocol
from dragoman.wire.fields import Fields
from dragoman.wire.gemini.parts import (
    envelope_of,
    read_part,
    write_call,
    write_media,
    write_response,
    write_text,
)

GEMINI = ir.Origin(PROVIDER, Protocol.GEMINI)
NOBODY = ir.Origin("", Protocol.GEMINI)


def read(part: dict[str, Any], origin: ir.Origin | None = None) -> ir.AnyPart | None:
    return read_part(Fields(dict(part)), "id", origin)


@pytest.mark.parametrize(
    ("part", "read_as"),
    [
        ({"text": "a"}, ir.Text("a")),
        ({"text": "a", "thought": True}, ir.Thinking("a")),
        ({"text": "a", "thoughtSignature": "s"}, ir.Text("a", sealed=ir.Sealed("s", NOBODY))),
        (
            {"text": "", "thoughtSignature": "s"},
            ir.Thinking("", sealed=ir.Sealed("s", NOBODY), redacted=True),
        ),
        ({"thoughtSignature": "s"}, ir.Thinking("", sealed=ir.Sealed("s", NOBODY), redacted=True)),
        (
            {"text": "", "thought": True, "thoughtSignature": "s"},
            ir.Thinking("", sealed=ir.Sealed("s", NOBODY)),
        ),
        ({"text": "", "thought": True}, None),
        ({"text": ""}, None),
        ({}, None),
        ({"functionCall": {"name": "f"}}, ir.ToolCall("id", "f", "{}")),
        (
            {"functionCall": {"id": "x", "name": "f", "args": {"a": None}, "willContinue": True}},
            ir.ToolCall("x", "f", '{"a":null}', extras={"functionCall.willContinue": True}),
        ),
        (
            {"inlineData": {"mimeType": "audio/mp3", "data": "-_8="}},
            ir.Media(ir.MediaKind.AUDIO, data="+/8=", media_type="audio/mp3"),
        ),
        (
            {"fileData": {"fileUri": "https://a.example/b.png?c=d"}, "videoMetadata": {"fps": 1}},
            ir.Media(
                ir.MediaKind.IMAGE,
                url="https://a.example/b.png?c=d",
                extras={"videoMetadata": {"fps": 1}},
            ),
        ),
        (
            {"fileData": {"fileUri": "https://youtu.be/abc"}},
            ir.Media(ir.MediaKind.VIDEO, url="https://youtu.be/abc"),
        ),
        (
            {"fileData": {"fileUri": "gs://b/c", "mimeType": "application/pdf"}},
            ir.Media(ir.MediaKind.DOCUMENT, url="gs://b/c", media_type="application/pdf"),
        ),
        (
            {
                "fileData": {
                    "fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc",
                    "mimeType": "video/mp4",
                }
            },
            ir.Media(
                ir.MediaKind.VIDEO,
                file_id="https://generativelanguage.googleapis.com/v1beta/files/abc",
                media_type="video/mp4",
            ),
        ),
        (
            {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
            ir.Opaque(
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                Protocol.GEMINI,
                text="```\n1\n```",
            ),
        ),
        (
            {"toolCall": {"toolType": "GOOGLE_SEARCH"}},
            ir.Opaque({"toolCall": {"toolType": "GOOGLE_SEARCH"}}, Protocol.GEMINI),
        ),
    ],
)
def test_what_a_part_means(part: dict[str, Any], read_as: ir.AnyPart | None) -> None:
    assert read(part) == read_as


def test_state_in_an_answer_is_its_makers() -> None:
    assert read({"text": "a", "thought": True}, GEMINI) == ir.Thinking(
        "a", sealed=ir.Sealed("", GEMINI)
    )
    assert read({"text": "a", "thoughtSignature": "s"}, GEMINI) == ir.Text(
        "a", sealed=ir.Sealed("s", GEMINI)
    )


@given(words)
def test_an_envelope_in_the_slot_is_opened(value: str) -> None:
    sealed = ir.Sealed(value, ir.Origin(PROVIDER, Protocol.MESSAGES))
    part = write_text("t", envelope_of(sealed), thought=True)
    assert read(part) == ir.Thinking("t", sealed=sealed)
    urlsafe = part["thoughtSignature"].replace("+", "-").replace("/", "_")
    assert read({**part, "thoughtSignature": urlsafe}) == ir.Thinking("t", sealed=sealed)


def test_state_of_unknown_origin_stays_bare() -> None:
    assert envelope_of(ir.Sealed("s", NOBODY)) == "s"
    assert envelope_of(None) is None
    opened = envelope.unseal(envelope_of(ir.Sealed("s", GEMINI)) or "")
    assert opened
    assert opened.sealed == ir.Sealed("s", GEMINI)


result_texts = (
    texts
    | json_values.map(json_text)
    | st.sampled_from(
        [
            '{"output":"a"}',
            '{"error":"a"}',
            '{"result":1}',
            '{"a": 1}',
            "{}",
            '{"output":"a","b":1}',
        ]
    )
)


@given(result_texts, st.booleans())
def test_a_result_comes_back_letter_by_letter(text: str, is_error: bool) -> None:
    response = write_response(text, is_error=is_error)
    part = {"functionResponse": {"name": "f", "response": response}}
    expected = (ir.Text(text, at="functionResponse.response"),)
    assert read(part) == ir.ToolResult("id", expected, is_error=is_error, name="f")


@pytest.mark.parametrize(
    ("response", "text", "is_error"),
    [
        ({"output": "a"}, "a", False),
        ({"result": {"b": 1}}, '{"b":1}', False),
        ({"error": {"code": 3}}, '{"code":3}', True),
        ({"temperature": 20, "error": None}, '{"temperature":20,"error":null}', False),
    ],
)
def test_what_a_response_says(response: dict[str, Any], text: str, is_error: bool) -> None:
    part = read({"functionResponse": {"name": "f", "response": response}})
    assert isinstance(part, ir.ToolResult)
    assert part.is_error == is_error
    assert [piece.text for piece in part.parts if isinstance(piece, ir.Text)] == [text]


def test_an_object_goes_as_an_object() -> None:
    assert write_response('{"a":1}', is_error=False) == {"a": 1}
    assert write_response("", is_error=False) == {}


def test_arguments_that_are_no_object_are_wrapped() -> None:
    call = ir.ToolCall("x", "f", "[1]")
    assert write_call(call, "f", None)["functionCall"]["args"] == {"arguments": "[1]"}
    empty = ir.ToolCall("x", "f", "")
    assert write_call(empty, "f", None)["functionCall"]["args"] == {}


@given(base64_data)
def test_the_media_type_is_told_by_the_data(data: str) -> None:
    png = ir.Media(ir.MediaKind.IMAGE, data=f"iVBORw0{data}")
    assert write_media(png)["inlineData"]["mimeType"] == "image/png"
    pdf = ir.Media(ir.MediaKind.DOCUMENT, data=f"JVBERi{data}")
    assert write_media(pdf)["inlineData"]["mimeType"] == "application/pdf"


def test_a_url_without_a_telling_end_gets_no_media_type() -> None:
    image = ir.Media(ir.MediaKind.IMAGE, url="https://a.example/picture?id=1")
    assert write_media(image) == {"fileData": {"fileUri": "https://a.example/picture?id=1"}}
    broken = ir.Media(ir.MediaKind.IMAGE, url="https://[a/b.png")
    assert write_media(broken) == {"fileData": {"fileUri": "https://[a/b.png"}}
