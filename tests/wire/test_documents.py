from __future__ import annotations

import msgspec
import pytest

from dragoman.errors import InvalidJson, InvalidRequest, UpstreamError
from dragoman.wire.documents import encode, is_object, parse_answer, parse_object, parse_request


def test_a_caller_s_mistakes_are_the_caller_s() -> None:
    with pytest.raises(InvalidJson):
        parse_request(b"{")
    with pytest.raises(InvalidRequest, match="more than once"):
        parse_request(b'{"model":"a","model":"b"}')
    assert parse_request(b'{"model":"a"}').text("model") == "a"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"\xff"'])
def test_a_provider_s_mistakes_are_the_provider_s(body: bytes) -> None:
    with pytest.raises(UpstreamError, match="not what its protocol promises"):
        parse_answer(body, msgspec.json.Decoder(dict[str, int]))


@pytest.mark.parametrize(
    ("text", "found"),
    [('{"a":1}', {"a": 1}), ("[]", None), ("{", None), ("", None), ("\ud800", None)],
)
def test_a_model_s_own_json_may_be_broken(text: str, found: object) -> None:
    assert parse_object(text) == found
    assert is_object(text) == (found is not None)


def test_json_is_compact() -> None:
    assert encode({"a": [1, "ä"]}) == '{"a":[1,"ä"]}'.encode()
