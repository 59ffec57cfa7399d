"""A provider's spec from options, or from a dialogue on a terminal."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys

import pytest
import typer
from cli.processes import GOOD_KEY, FakeProvider, Home
from hypothesis import given
from hypothesis import strategies as st

from dragoman.cli import provider_form
from dragoman.errors import InvalidRequest


def test_a_spec_holds_what_was_given() -> None:
    spec = provider_form.write_spec("mine", type="openai", api_key="k", models=["a", "b"])
    assert (spec.id, spec.type, spec.api_key, spec.models) == ("mine", "openai", "k", ["a", "b"])
    assert provider_form.write_spec("mine", models=[]).models is None


@given(st.text(max_size=80))
def test_an_id_is_taken_or_refused_as_wrong_usage(provider_id: str) -> None:
    try:
        assert provider_form.write_spec(provider_id).id == provider_id
    except typer.BadParameter as error:
        assert "provider id" in error.message


@pytest.mark.parametrize(("text", "key"), [("k1\n", "k1"), ("  k1  ", "k1")])
def test_a_key_is_read_from_standard_input(
    monkeypatch: pytest.MonkeyPatch, text: str, key: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    assert provider_form.read_key() == key


def test_no_key_on_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(" \n"))
    with pytest.raises(InvalidRequest, match="no key on standard input"):
        provider_form.read_key()


def converse(home: Home, arguments: list[str], answers: list[tuple[str, str]]) -> tuple[int, str]:
    """Runs a command on a terminal and answers each question; its status and all it showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "dragoman", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=home.folder,
        env=home.environ(TERM="dumb", COLUMNS="80"),
        start_new_session=True,  # away from the terminal of whoever runs the tests
    )
    os.close(theirs)
    shown = ""
    while True:
        assert select.select([ours], [], [], 60)[0], f"nothing more came after {shown!r}"
        try:
            data = os.read(ours, 4096)
        except OSError:  # Linux reports the end of a terminal so
            break
        if not data:
            break
        shown += data.decode()
        if answers and answers[0][0] in shown:
            os.write(ours, answers.pop(0)[1].encode() + b"\n")
    os.close(ours)
    return process.wait(timeout=60), shown


def test_without_an_id_a_terminal_is_asked(home: Home, upstream: FakeProvider) -> None:
    status, shown = converse(
        home,
        ["provider", "add"],
        [
            ("Provider:", "lab"),
            ("Type", ""),
            ("Address", upstream.url),
            ("Enter for none", GOOD_KEY),
        ],
    )
    assert status == 0, shown
    assert f"Added the provider lab ({upstream.url}/v1)." in shown
    assert "It works: It lists 2 models." in shown
    assert GOOD_KEY not in shown


def test_the_dialogue_about_a_known_service_is_short(home: Home) -> None:
    status, shown = converse(
        home, ["provider", "add", "--no-test"], [("Provider:", "deepseek"), ("Enter for none", "")]
    )
    assert status == 0, shown
    assert "Address" not in shown
    assert "Added the provider deepseek" in shown
    assert "https://platform.deepseek.com/api_keys" in shown
