"""What `doctor` finds, each thing broken on purpose."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from email.utils import formatdate
from functools import partial
from pathlib import Path

import pytest
from cli.processes import GOOD_KEY, FakeProvider
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.cli import checks, workplace
from dragoman.cli.checks import Finding, State


@pytest.fixture(autouse=True)
def nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DRAGOMAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("DRAGOMAN_PORT", "0")


async def examine(tmp_path: Path, text: str = "") -> dict[str, Finding]:
    """The findings by their subject; of several about one thing the last."""
    (tmp_path / "dragoman.toml").write_text(text)
    load = partial(workplace.load_settings, None, tmp_path / "data")
    return {finding.subject: finding for finding in await checks.check_all(load)}


def provider(name: str, url: str, key: str = "", extra: str = "") -> str:
    key_line = f'api_key = "{key}"' if key else ""
    return (
        f'[[providers]]\nid = "{name}"\ntype = "openai-compatible"\nbase_url = "{url}"\n'
        f"{key_line}\n{extra}\n"
    )


async def test_a_good_installation(tmp_path: Path, upstream: FakeProvider) -> None:
    findings = await examine(tmp_path, provider("mine", upstream.url, GOOD_KEY))
    assert {subject: found.state for subject, found in findings.items()} == {
        "configuration": State.OK,
        "data directory": State.OK,
        "secret key": State.OK,
        "database": State.OK,
        "default key": State.OK,
        "port": State.OK,
        "embedded model": State.SKIPPED,
        "provider mine": State.OK,
        "clock": State.OK,
    }
    assert "It lists 2 models." in findings["provider mine"].message
    assert GOOD_KEY not in str(findings)


async def test_a_wrong_configuration_is_the_only_finding(tmp_path: Path) -> None:
    findings = await examine(tmp_path, "[server]\nprot = 1\n")
    assert list(findings) == ["configuration"]
    assert findings["configuration"].state is State.BROKEN
    assert not (tmp_path / "data").exists()


async def test_providers_are_told_apart(tmp_path: Path, upstream: FakeProvider) -> None:
    wrong = "sk-wrong-0123456789abcdefghijklmnop"
    text = "".join(
        [
            provider("good", upstream.url, GOOD_KEY),
            provider("keyless", upstream.url),
            provider("wrong", upstream.url, wrong),
            provider("gone", "http://127.0.0.1:1", GOOD_KEY),
            provider("off", upstream.url, extra="enabled = false"),
        ]
    )
    findings = await examine(tmp_path, text)
    states = {name: findings[f"provider {name}"].state.value for name in ("good", "off", "gone")}
    assert states == {"good": "ok", "off": "skipped", "gone": "broken"}
    assert findings["provider keyless"].message.startswith("It has no key: ")
    assert "Incorrect API key provided" in findings["provider wrong"].message
    assert "dragoman.toml" in findings["provider wrong"].remedy
    assert wrong not in str(findings)


async def test_files_that_others_can_read_are_told_and_made_private(tmp_path: Path) -> None:
    await examine(tmp_path)
    (tmp_path / "data/secret.key").chmod(0o644)
    finding = (await examine(tmp_path))["data directory"]
    assert finding.state is State.WARNING
    assert "secret.key" in finding.message
    assert finding.remedy
    assert (await examine(tmp_path))["data directory"].state is State.OK


async def test_a_data_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    finding = (await examine(tmp_path))["data directory"]
    assert finding.state is State.BROKEN
    assert "--data-dir" in finding.message


async def test_a_secret_key_that_does_not_fit_the_database(tmp_path: Path) -> None:
    await examine(tmp_path)
    (tmp_path / "data/secret.key").unlink()
    finding = (await examine(tmp_path))["database"]
    assert finding.state is State.BROKEN
    assert "secret key" in finding.message


async def test_a_database_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/dragoman.db").write_text("this is no database, " * 100)
    assert (await examine(tmp_path))["database"].state is State.BROKEN


async def test_a_default_key_without_its_copy(tmp_path: Path) -> None:
    await examine(tmp_path)
    with sqlite3.connect(tmp_path / "data/dragoman.db") as database:
        database.execute("UPDATE gateway_keys SET sealed = NULL")
    database.close()
    finding = (await examine(tmp_path))["default key"]
    assert (finding.state, "dragoman key rotate default" in finding.remedy) == (State.BROKEN, True)


async def test_a_port_that_somebody_else_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("DRAGOMAN_PORT", str(taken.getsockname()[1]))
        finding = (await examine(tmp_path))["port"]
    assert finding.state is State.BROKEN
    assert "--port" in finding.message


@pytest.mark.parametrize(
    ("engine", "file", "state"),
    [(False, False, State.WARNING), (True, False, State.WARNING), (True, True, State.OK)],
)
async def test_the_embedded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: bool, file: bool, state: State
) -> None:
    model = checks.find_builtin(tmp_path) if not file else type("Found", (), {"path": "x.gguf"})
    monkeypatch.setattr(checks, "has_engine", lambda: engine)
    monkeypatch.setattr(checks, "find_builtin", lambda _: model if file else None)
    finding = (await examine(tmp_path, "[local]\n"))["embedded model"]
    assert finding.state is state
    assert bool(finding.remedy) is (state is State.WARNING)


async def test_no_provider_at_all_is_a_warning(tmp_path: Path) -> None:
    findings = await examine(tmp_path)
    assert findings["providers"].state is State.WARNING
    assert findings["clock"].state is State.SKIPPED


@pytest.mark.parametrize(
    ("ahead_s", "state"), [(0, State.OK), (-3600, State.BROKEN), (3600, State.BROKEN)]
)
async def test_the_clock_is_compared_with_a_providers(
    tmp_path: Path, ahead_s: int, state: State
) -> None:
    date = formatdate(time.time() - ahead_s, usegmt=True)
    async with ScriptedUpstream() as upstream:
        upstream.on("*", json_answer({"data": []}, headers={"date": date}))
        finding = (await examine(tmp_path, provider("mine", upstream.url, GOOD_KEY)))["clock"]
        asked = upstream.requests[-1]
    assert finding.state is state
    assert asked.header("authorization") is None
    if state is State.BROKEN:
        assert ("ahead of" if ahead_s > 0 else "behind") in finding.message


async def test_a_date_that_is_none_tells_no_time(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.on("*", json_answer({"data": []}, headers={"date": "yesterday"}))
        finding = (await examine(tmp_path, provider("mine", upstream.url, GOOD_KEY)))["clock"]
    assert finding.state is State.SKIPPED
