"""What is printed is safe to show, and readable for people and for programs."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.cli import output


@given(st.text())
def test_nothing_that_is_printed_can_steer_a_terminal(text: str) -> None:
    shown = output.printable(text)
    assert len(shown) == len(text)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert output.printable(shown) == shown


def test_ordinary_text_is_printed_as_it_is() -> None:
    assert output.printable("Zürich 智谱 ✓\nnext") == "Zürich 智谱 ✓\nnext"


def test_a_table_in_a_pipe_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_table(["A", "B"], [["1", "two\nlines"], ["\x1b[2J", "\t"]])
    assert capsys.readouterr().out == "1\ttwo lines\n\ufffd[2J\t\ufffd\n"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_table_on_a_terminal_has_a_heading_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    output.print_table(["MODEL", "NAME"], [["provider:model-name", "[bold]name :smile:"]])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", sys.stdout.getvalue()).splitlines()
    assert lines[0].split() == ["MODEL", "NAME"]
    assert len(lines) == 3
    assert all(len(line) <= 30 for line in lines)
    assert lines[1].startswith("provider:model-name ")
    text = "".join(lines[1:]).replace(" ", "")
    assert "[bold]" in text
    assert ":smile:" in text


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "ü…"), ("ascii", "\\u00fc\\u2026")])
def test_json_suits_the_encoding(
    monkeypatch: pytest.MonkeyPatch, encoding: str, shown: str
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    output.print_json({"name": "ü…"})
    sys.stdout.flush()
    assert shown in raw.getvalue().decode(encoding)
    assert json.loads(raw.getvalue()) == {"name": "ü…"}


def test_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    output.warn("careful")
    output.say("done")
    assert capsys.readouterr() == ("done\n", "warning: careful\n")


def test_numbers_and_times_are_spelled_out() -> None:
    assert [output.count(n, "model") for n in (0, 1, 2)] == ["0 models", "1 model", "2 models"]
    assert output.iso_time(None) is None
    assert output.iso_time(1_700_000_000_999) == "2023-11-14T22:13:20Z"
