from __future__ import annotations

import pytest
from conversations import json_objects
from hypothesis import given

from dragoman.errors import InvalidRequest
from dragoman.wire.fields import Fields
from dragoman.wire.gemini.spelling import camel, camel_names, each, graft, inside


@pytest.mark.parametrize(
    ("spelled", "camel_case"),
    [
        ("max_output_tokens", "maxOutputTokens"),
        ("maxOutputTokens", "maxOutputTokens"),
        ("top_p", "topP"),
        ("_private", "_private"),
        ("", ""),
    ],
)
def test_names_are_spelled_in_camel_case(spelled: str, camel_case: str) -> None:
    assert camel(spelled) == camel_case


@given(json_objects)
def test_what_is_the_callers_own_keeps_its_names(own: dict[str, object]) -> None:
    for name in ("args", "response", "parametersJsonSchema", "labels"):
        assert camel_names({"parts": [{name: own}]}) == {"parts": [{name: own}]}


@given(json_objects)
def test_spelling_twice_changes_nothing(value: dict[str, object]) -> None:
    assert camel_names(camel_names(value)) == camel_names(value)


def test_one_object_stands_for_an_array_of_one() -> None:
    assert [entry.at for entry in each(Fields({"parts": {"text": "a"}}), "parts")] == ["parts"]
    assert [entry.at for entry in each(Fields({"parts": [{}, {}]}), "parts")] == [
        "parts.0",
        "parts.1",
    ]
    assert list(each(Fields({}), "parts")) == []
    for value in ("text", 3):
        with pytest.raises(InvalidRequest, match="`parts` must be an array"):
            list(each(Fields({"parts": value}), "parts"))
    with pytest.raises(InvalidRequest):
        list(each(Fields({}), "parts", required=True))


def test_grafts_grow_where_their_names_say() -> None:
    body = {"a": {"x": 1}, "text": "t"}
    graft(body, inside("a", inside("b", {"c": 2})) | {"d": 3, "text.more": 4})
    assert body == {"a": {"x": 1, "b": {"c": 2}}, "d": 3, "text": "t"}
