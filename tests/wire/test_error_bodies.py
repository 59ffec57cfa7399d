"""wire.error_bodies: each shape, each protocol's event, and what providers' errors say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import errors, protocols, sse
from dragoman.protocols import ErrorShape
from dragoman.wire.error_bodies import decode_error, encode_error, encode_error_event, in_shape

ERROR = errors.ModelNotFound("No such model.", param="model")


def test_the_openai_shape() -> None:
    assert json.loads(encode_error(ErrorShape.OPENAI, ERROR, "req_1")) == {
        "error": {
            "message": "No such model.",
            "type": "not_found_error",
            "param": "model",
            "code": "model_not_found",
        }
    }


def test_the_anthropic_shape() -> None:
    assert json.loads(encode_error(ErrorShape.ANTHROPIC, ERROR, "req_1")) == {
        "type": "error",
        "error": {"type": "not_found_error", "message": "No such model."},
        "request_id": "req_1",
    }


def test_the_gemini_shape() -> None:
    assert json.loads(encode_error(ErrorShape.GEMINI, ERROR, "req_1")) == {
        "error": {"code": 404, "message": "No such model.", "status": "NOT_FOUND"}
    }


def test_details_stand_where_the_shape_has_them() -> None:
    error = errors.InvalidRequest("No threads.", details={"error_code": "thread_unsupported"})
    body = json.loads(encode_error(ErrorShape.ANTHROPIC, error, "r"))
    assert body["error"]["details"] == {"error_code": "thread_unsupported"}


@pytest.mark.parametrize("shape", ErrorShape)
def test_every_error_of_the_tree_has_a_body_in_every_shape(shape: ErrorShape) -> None:
    def walk(kind: type[errors.DragomanError]) -> list[type[errors.DragomanError]]:
        return [kind, *(each for child in kind.__subclasses__() for each in walk(child))]

    for kind in walk(errors.DragomanError):
        arguments = {
            errors.MethodNotAllowed: {"allowed": ("GET",)},
            errors.UpstreamRefused: {"status": 418},
            errors.UpstreamUnavailable: {"retry_after": 3.0},
        }.get(kind, {})
        body = encode_error(shape, kind("Words.", **arguments), "r")
        assert in_shape(shape, body)
        assert decode_error(body).message == "Words."


@pytest.mark.parametrize("operation", protocols.OPERATIONS, ids=lambda each: each.name)
def test_the_error_event_of_each_protocol(operation: protocols.Operation) -> None:
    (event,) = sse.read(encode_error_event(operation, ERROR, "req_1"))
    data = json.loads(event.data)
    assert data["error"]["message"] == "No such model."
    if operation.protocol is protocols.Protocol.MESSAGES:
        assert (event.name, data["type"]) == (b"error", "error")
    if operation.protocol is protocols.Protocol.RESPONSES:
        assert (event.name, data["type"], data["message"]) == (b"error", "error", "No such model.")


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (b'{"error":{"message":"m","code":"c"}}', "m", "c"),
        (b'{"error":{"message":"m","type":"t"}}', "m", "t"),
        (b'[{"error":{"message":"m","status":"INTERNAL","code":500}}]', "m", "INTERNAL"),
        (b'{"error":"m"}', "m", None),
        (b'{"detail":"m"}', "m", None),
        (b'{"detail":[{"msg":"m"}]}', '[{"msg":"m"}]', None),
        (b'{"message":"m","code":"c"}', "m", "c"),
        (
            b"<html><style>x{}</style><h1>502</h1> Bad &amp; Gateway</html>",
            "502 Bad & Gateway",
            None,
        ),
        (b"plain  text\n", "plain text", None),
        (b"", "", None),
        (b'"m"', "m", None),
        (b'{"odd":1}', '{"odd":1}', None),
    ],
)
def test_what_a_provider_says(body: bytes, message: str, code: str | None) -> None:
    told = decode_error(body)
    assert (told.message, told.code) == (message, code)


def test_a_long_text_is_shortened() -> None:
    assert len(decode_error(b"x" * 10_000).message) == 500


@given(st.binary(max_size=100))
def test_garbage_never_crashes(body: bytes) -> None:
    decode_error(body)
    for shape in ErrorShape:
        in_shape(shape, body)
