"""`python -m dragoman`, which every test of the command line uses."""

from __future__ import annotations

from pathlib import Path

from cli.processes import Home


def test_it_is_the_command(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert home.run("--version").out.startswith("dragoman ")
    assert home.run("nonsense").status == 2
