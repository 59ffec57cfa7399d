"""`dragoman doctor` as a process: its lines, its JSON, its status."""

from __future__ import annotations

import sys

import pytest
from cli.processes import Home, Served
from cli.test_output import Terminal

from dragoman.cli import doctor
from dragoman.cli.checks import Finding, State


def test_a_running_gateway_is_known(shared_home: Home, served: Served) -> None:
    outcome = shared_home.run("doctor", "--json")
    assert outcome.status == 0, outcome.out
    findings = {finding["subject"]: finding for finding in outcome.json}
    assert set(findings["port"]) == {"subject", "state", "message", "remedy"}
    assert findings["port"]["state"] == "ok"
    assert served.url in findings["port"]["message"]
    assert served.key not in outcome.out


def test_something_broken_fails_the_command(inside: Home) -> None:
    (inside.folder / "dragoman.toml").write_text(
        '[[providers]]\nid = "gone"\ntype = "openai-compatible"\nbase_url = "http://127.0.0.1:1"\n'
        'api_key = "sk-secret-0123456789abcdefghijkl"\n'
    )
    outcome = inside.run("doctor", DRAGOMAN_PORT="0")
    assert outcome.status == 1
    assert outcome.err == ""
    broken = [row for row in outcome.rows if row[0] == "broken"]
    assert [row[1] for row in broken] == ["provider gone"]
    assert broken[0][3]
    assert "sk-secret" not in outcome.out


def test_on_a_terminal_the_remedy_stands_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    doctor._print([Finding("clock", State.BROKEN, "It is [slow] \x1b[2J.", "Set it.")])
    lines = [line.split(maxsplit=2) for line in sys.stdout.getvalue().splitlines()]
    assert lines == [["broken", "clock", "It is [slow] \ufffd[2J."], ["Set", "it."]]
