"""edit: the named change and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import edit
from dragoman.errors import InvalidJson, InvalidRequest

NAMES = st.text(max_size=6) | st.sampled_from(["model", "stream", "a", "b"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
SPACES = st.sampled_from(["", " ", "\n\t", "\r\n  "])


def render(value: dict[str, object], space: str, ascii_only: bool) -> bytes:
    return json.dumps(
        value,
        ensure_ascii=ascii_only,
        indent=None if not space else 2,
        separators=("," + space, space + ":" + space),
    ).encode()


@given(OBJECTS, SPACES, st.booleans())
def test_no_change_changes_no_byte(value: dict[str, object], space: str, ascii_only: bool) -> None:
    body = render(value, space, ascii_only)
    assert edit.parse(body).edit({}) == body


@given(OBJECTS, SPACES, st.booleans(), OBJECTS, st.sets(NAMES), st.dictionaries(NAMES, NAMES))
def test_an_edit_means_what_it_says(
    value: dict[str, object],
    space: str,
    ascii_only: bool,
    put: dict[str, object],
    drop: set[str],
    rename: dict[str, str],
) -> None:
    body = render(value, space, ascii_only)
    raw = {name: json.dumps(new).encode() for name, new in put.items()}
    targets = [new for name, new in rename.items() if name in value and new not in value]
    if len(set(targets)) != len(targets):
        return  # two names onto one: no row does that
    renamed: dict[str, object] = {}
    for name, old in value.items():
        new_name = rename.get(name, name)
        if new_name != name and new_name in value:
            continue
        renamed[new_name] = old
    expected = {name: old for name, old in renamed.items() if name not in drop} | {
        name: new for name, new in put.items()
    }
    assert json.loads(edit.parse(body).edit(raw, drop, rename)) == expected


def test_bytes_elsewhere_survive() -> None:
    body = (
        b'{ "seed" : 12345678901234567890123, "temperature":0.10 ,\n'
        b'"model":"a:b", "x": "\\u00e9\\/" , "messages":[ 1.0e+2 ] }'
    )
    assert edit.parse(body).edit({"model": b'"b"'}) == body.replace(b'"a:b"', b'"b"')


@pytest.mark.parametrize(
    ("body", "drop", "expected"),
    [
        (b'{"a":1,"b":2}', {"a"}, b'{"b":2}'),
        (b'{"a":1,"b":2}', {"b"}, b'{"a":1}'),
        (b'{"a":1, "b":2 }', {"b"}, b'{"a":1 }'),
        (b'{"a":1,"b":2,"c":3}', {"b", "c"}, b'{"a":1}'),
        (b'{"a":1}', {"a"}, b"{}"),
        (b'{"a":1,"b":2}', {"a", "b"}, b"{}"),
    ],
)
def test_dropping_takes_the_comma_along(body: bytes, drop: set[str], expected: bytes) -> None:
    assert edit.parse(body).edit({}, drop) == expected


def test_a_new_member_comes_first() -> None:
    assert edit.parse(b'{"a":1}').edit({"b": b"2"}) == b'{"b":2,"a":1}'
    assert edit.parse(b" { } ").edit({"b": b"2"}) == b' {"b":2 } '


def test_reading_a_member() -> None:
    document = edit.parse(b'{"model":"m","stream":null,"n":"x"}')
    assert document.read("model", str, "a string") == "m"
    assert document.read("stream", bool, "true or false") is None
    assert document.read("absent", bool, "true or false") is None
    with pytest.raises(InvalidRequest, match="`n` must be a whole number") as caught:
        document.read("n", int, "a whole number")
    assert caught.value.param == "n"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "it is empty"),
        (b"  ", "it is empty"),
        (b"{", "truncated"),
        (b'{"a":NaN}', "invalid character"),
        (b'{"a":-Infinity}', "invalid"),
        (b'{"a":"\xff"}', "byte 6 is not UTF-8"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"a":1}{"b":2}', "trailing"),
        (b'{"a":01}', "invalid number"),
        (b'{"a":[1,]}', "trailing comma"),
        (b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "nested too deeply"),
    ],
)
def test_what_is_no_json_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidJson, match=reason):
        edit.parse(body)


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="must be a JSON object"):
        edit.parse(body)


@pytest.mark.parametrize("body", [b'{"model":"a","model":"b"}', b'{"model":"a","mod\\u0065l":"b"}'])
def test_a_repeated_name_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="`model` more than once"):
        edit.parse(body)


@given(st.binary(max_size=60))
def test_garbage_never_crashes(body: bytes) -> None:
    try:
        document = edit.parse(body)
    except (InvalidJson, InvalidRequest):
        return
    assert document.edit({}) == body
