"""The tree of commands: what docs/commands.md says of it, and how quickly it is there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from cli.processes import Home

from dragoman import __version__
from dragoman.cli.commands import app

PAGE = (Path(__file__).parents[2] / "docs/commands.md").read_text(encoding="utf-8")


def walk(command: Any, words: tuple[str, ...] = ("dragoman",)) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name."""
    commands = getattr(command, "commands", None)
    if commands is None:
        yield " ".join(words), command
    for name, child in (commands or {}).items():
        yield from walk(child, (*words, name))


COMMANDS = dict(walk(typer.main.get_command(app)))


def section(name: str) -> str:
    found = re.search(rf"^##+ `{re.escape(name)}[^`]*`$(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert found, f"docs/commands.md has no section for `{name}`"
    return found[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    text = section(name)
    for parameter in COMMANDS[name].params:
        if parameter.param_type_name == "argument":
            assert parameter.metavar in text.splitlines()[0]
        elif parameter.name != "help":
            for option in parameter.opts:
                assert f"`{option}" in text, option


def test_only_commands_and_options_that_exist_are_documented() -> None:
    names = {re.sub(r" [A-Z[].*", "", name) for name in re.findall(r"^##+ `(.*)`$", PAGE, re.M)}
    assert names == set(COMMANDS) | {"dragoman --version"}
    for name, command in COMMANDS.items():
        options = [each for each in command.params if each.param_type_name == "option"]
        known = {name for option in options for name in option.opts}
        rows = re.findall(r"^\| (`-.*?) \|", section(name), re.M)
        assert set(re.findall(r"`(--?[a-z-]+)", " ".join(rows))) == known - {"--help"}, name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does(name: str) -> None:
    assert COMMANDS[name].help
    assert all(parameter.help for parameter in COMMANDS[name].params)


LISTINGS = ["models", "doctor", "provider list", "provider presets", "key list", "local list"]


@pytest.mark.parametrize("name", [*LISTINGS, "provider add", "key create", "key rotate"])
def test_listings_and_what_makes_something_have_json(name: str) -> None:
    options = {opt for parameter in COMMANDS[f"dragoman {name}"].params for opt in parameter.opts}
    assert "--json" in options


def test_every_command_takes_the_place_to_work_in() -> None:
    for name, command in COMMANDS.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert options >= {"--config", "-c", "--data-dir"} or name == "dragoman provider presets"


def test_version(home: Home) -> None:
    outcome = home.run("--version")
    assert (outcome.status, outcome.out, outcome.err) == (0, f"dragoman {__version__}\n", "")
    assert list(home.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [(["--version"], set[str]()), (["key", "show"], {"sqlalchemy", "pydantic"})],
)
def test_small_commands_import_little(home: Home, arguments: list[str], allowed: set[str]) -> None:
    home.run("key", "show")  # makes the database, which needs Alembic
    heavy = {"fastapi", "uvicorn", "alembic", "aiohttp", "sqlalchemy", "pydantic", "rich.table"}
    program = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print(*sorted({heavy!r} & set(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['dragoman', *{arguments!r}]\n"
        "from dragoman.cli import main; main()\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=home.environ(),
        cwd=home.folder,
        timeout=60,
    )
    assert shown.returncode == 0
    assert set(shown.stderr.split()) <= allowed
