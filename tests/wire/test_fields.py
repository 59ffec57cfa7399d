from __future__ import annotations

from typing import Any

import pytest

from dragoman.errors import InvalidRequest
from dragoman.wire.fields import Fields, as_fields, object_of, objects_of


def test_members_are_taken_once_and_the_rest_is_left() -> None:
    fields = Fields({"a": "x", "b": 1, "c": None, "d": [1]})
    assert fields.text("a") == "x"
    assert fields.take("a") is None
    assert fields.rest() == {"b": 1, "d": [1]}


@pytest.mark.parametrize(
    ("method", "value", "expected"),
    [
        ("text", "x", "x"),
        ("required_text", "", ""),
        ("integer", 2.0, 2),
        ("number", 2, 2),
        ("boolean", False, False),
        ("object", {"a": 1}, {"a": 1}),
        ("array", [1], [1]),
        ("strings", "x", ("x",)),
        ("strings", ["x", "y"], ("x", "y")),
    ],
)
def test_right_types(method: str, value: Any, expected: Any) -> None:
    assert getattr(Fields({"a": value}), method)("a") == expected


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("text", 1),
        ("required_text", None),
        ("integer", True),
        ("integer", 1.5),
        ("number", "1"),
        ("number", True),
        ("boolean", 0),
        ("object", []),
        ("fields", "x"),
        ("array", {}),
        ("strings", 1),
        ("strings", ["x", 1]),
    ],
)
def test_wrong_types_are_named_with_their_place(method: str, value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"`tools\.0\.a` must be") as caught:
        getattr(Fields({"a": value}, "tools.0"), method)("a")
    assert caught.value.param == "tools.0.a"


def test_arrays_of_objects_know_where_they_stand() -> None:
    fields = Fields({"a": [{"b": {"c": 1}}]})
    (first,) = fields.each("a")
    inner = first.fields("b")
    assert first.at == "a.0"
    assert inner is not None
    assert inner.place("c") == "a.0.b.c"
    with pytest.raises(InvalidRequest, match=r"`a\.0` must be an object"):
        list(Fields({"a": [1]}).each("a"))


def test_a_required_array_must_be_there() -> None:
    assert list(Fields({}).each("a")) == []
    with pytest.raises(InvalidRequest, match="`a` must be an array"):
        list(Fields({}).each("a", required=True))


def test_absent_and_null_are_the_same() -> None:
    for members in ({}, {"a": None}):
        assert Fields(dict(members)).text("a") is None
        assert Fields(dict(members)).strings("a") == ()
        assert Fields(dict(members)).fields("a") is None


def test_what_is_malformed_harmlessly_is_empty() -> None:
    assert object_of([1]) == {}
    assert objects_of({"a": 1}) == []
    assert objects_of([1, {"a": 1}]) == [{"a": 1}]
    with pytest.raises(InvalidRequest):
        as_fields("x", "a")
