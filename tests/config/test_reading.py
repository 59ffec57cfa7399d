"""A file becomes values with lines, or one sentence that says where it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config.reading import Expansion, read_file
from dragoman.errors import ConfigError


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "dragoman.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def failure(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_file(path)
    return caught.value.message


def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(tmp_path: Path) -> None:
    file = read_file(write(tmp_path, b"\xef\xbb\xbf[server]\r\nport = 80\r\n"))
    assert file.values == {"server": {"port": 80}}
    assert file.lines["server", "port"] == 2


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[server]\nport = \n", "line 2, column 8"),
        ("a = 1\na = 2", "line 2, column 6"),
        ('[server]\nhost = "abc', "line 2, column 12"),
        ("[server\n", "line 1, column 8"),
        ("a = [1,\n2\n", "line 2, column 2"),
    ],
)
def test_a_syntax_error_tells_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    message = failure(write(tmp_path, text))
    assert message.startswith(f"dragoman.toml, {place}: not valid TOML: ")
    assert message.endswith(".")
    assert "(at" not in message
    assert "\n" not in message


def test_what_is_not_utf8_tells_its_line(tmp_path: Path) -> None:
    message = failure(write(tmp_path, b"# ok\nname = '\xe4'\n"))
    assert message == "dragoman.toml, line 2: not UTF-8; save the file as UTF-8."


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert failure(tmp_path) == (
        f"The configuration file {tmp_path} cannot be read: Is a directory."
    )
    assert "No such file" in failure(tmp_path / "absent.toml")


def expand(value: object, **environ: str) -> object:
    expansion = Expansion(environ)
    expanded = expansion.expand(value)
    assert not expansion.failures
    return expanded


def test_references_are_read_in_every_string_at_any_depth() -> None:
    value = {"a": ["${X}", 1, {"b": "<${X}-${Y_2}>"}], "${X}": True}
    assert expand(value, X="x", Y_2="") == {"a": ["x", 1, {"b": "<x->"}], "${X}": True}


def test_what_the_environment_says_is_not_read_again() -> None:
    assert expand("${X}", X="${Y} $${Z}", Y="no") == "${Y} $${Z}"


def test_an_escaped_reference_stays_as_text() -> None:
    assert expand("$${X} $${ $$ $ {X} $X", X="x") == "${X} ${ $$ $ {X} $X"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a ${GONE} b", "reads ${GONE}, but GONE is not set; set it in the environment."),
        ("${X", "has a ${ that no NAME and } follow; write $${ where ${ itself is meant."),
        ("${X:-1}", "has a ${ that no NAME and } follow; write $${ where ${ itself is meant."),
        ("${}", "has a ${ that no NAME and } follow; write $${ where ${ itself is meant."),
    ],
)
def test_what_cannot_be_read_is_told_with_its_key(text: str, told: str) -> None:
    expansion = Expansion({"X": "x"})
    assert expansion.expand({"a": ["${X}", text]}) == {"a": ["x", text]}
    assert expansion.failures == {("a", 1): told}


@given(st.text(alphabet="${}X a"))
def test_escaping_gives_any_text_back(text: str) -> None:
    assert expand(text.replace("${", "$${"), X="x") == text
