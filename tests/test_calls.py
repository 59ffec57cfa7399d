"""calls: what a request says of itself."""

from __future__ import annotations

import pytest

from dragoman import edit, protocols
from dragoman.calls import Call
from dragoman.errors import InvalidRequest
from dragoman.keys import GatewayKey, Scope
from dragoman.protocols import Operation

KEY = GatewayKey("id", "name", frozenset({Scope.INFERENCE}), "hint")


def call(operation: Operation, model: str | None = None, **headers: str) -> Call:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Call(operation, KEY, pairs, b"", "req", model=model)


@pytest.mark.parametrize(
    ("operation", "body", "wanted"),
    [
        (protocols.CHAT, b'{"stream":true}', True),
        (protocols.CHAT, b'{"stream":false}', False),
        (protocols.CHAT, b'{"stream":null}', False),
        (protocols.CHAT, b"{}", False),
        (protocols.EMBEDDINGS, b'{"stream":true}', False),
        (protocols.STREAM_GENERATE_CONTENT, b"{}", True),
        (protocols.GENERATE_CONTENT, b'{"stream":true}', False),
    ],
)
def test_whether_a_stream_is_wanted(operation: Operation, body: bytes, wanted: bool) -> None:
    assert call(operation).wants_stream(edit.parse(body)) is wanted


def test_the_model_of_the_path_goes_before_the_bodys() -> None:
    document = edit.parse(b'{"model":"body"}')
    assert call(protocols.CHAT).model_of(document) == "body"
    assert call(protocols.GENERATE_CONTENT, "path").model_of(document) == "path"


@pytest.mark.parametrize("body", [b"{}", b'{"model":""}', b'{"model":null}', b'{"model":{}}'])
def test_a_missing_model_is_named(body: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(protocols.CHAT).model_of(edit.parse(body))
    assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("operation", "body", "param"),
    [
        (protocols.CHAT, b"{}", "messages"),
        (protocols.CHAT, b'{"messages":null}', "messages"),
        (protocols.MESSAGES, b'{"messages":{}}', "messages"),
        (protocols.EMBEDDINGS, b"{}", "input"),
        (protocols.GENERATE_CONTENT, b'{"contents":"x"}', "contents"),
    ],
)
def test_a_missing_member_is_named(operation: Operation, body: bytes, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call(operation).check_required(edit.parse(body))
    assert caught.value.param == param


def test_an_embedding_input_may_be_text_or_a_list() -> None:
    for value in (b'"x"', b'["x"]', b"[1,2]"):
        call(protocols.EMBEDDINGS).check_required(edit.parse(b'{"input":' + value + b"}"))


def test_strictness_is_asked_for_by_a_header() -> None:
    assert call(protocols.CHAT, x_dragoman_strict="true").is_strict
    assert not call(protocols.CHAT, x_dragoman_strict="false").is_strict
    assert not call(protocols.CHAT).is_strict
