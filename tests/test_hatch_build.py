"""hatch_build: when the web UI is built, and when that is left out."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with sources, whose npm only notes what it was asked."""
    web = tmp_path / "web"
    (web / "src/pages").mkdir(parents=True)
    for name in (*hook.FILES, "src/main.tsx", "src/pages/home.tsx"):
        (web / name).write_text(name)

    def run_npm(folder: Path, *arguments: str) -> None:
        with (tmp_path / "asked").open("a") as asked:
            asked.write(" ".join(arguments) + "\n")
        (tmp_path / hook.OUTPUT).mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(hook, "run_npm", run_npm)
    monkeypatch.setattr(hook, "say", lambda text: None)
    monkeypatch.delenv("DRAGOMAN_SKIP_WEB", raising=False)
    return tmp_path


def initialize(hook: ModuleType, checkout: Path, version: str = "editable") -> list[str]:
    """What npm was asked for by one build of the package."""
    asked = checkout / "asked"
    asked.unlink(missing_ok=True)
    options: dict[str, Any] = {"root": str(checkout), "config": {}, "build_config": None}
    hook.WebBuildHook(
        **options, metadata=None, directory="", target_name="wheel", app=None
    ).initialize(version, {})
    return asked.read_text().splitlines() if asked.exists() else []


def test_it_is_built_once_and_again_after_a_change(hook: ModuleType, checkout: Path) -> None:
    assert initialize(hook, checkout) == ["ci --omit=dev --ignore-scripts", "run build"]
    assert initialize(hook, checkout) == []
    (checkout / "web/src/pages/home.tsx").write_text("changed")
    assert initialize(hook, checkout)[-1] == "run build"
    (checkout / "web/src/pages/home.tsx").rename(checkout / "web/src/pages/moved.tsx")
    assert initialize(hook, checkout)[-1] == "run build"
    assert initialize(hook, checkout) == []


def test_what_is_installed_is_left_alone(hook: ModuleType, checkout: Path) -> None:
    installed = checkout / "web/node_modules/.package-lock.json"
    installed.parent.mkdir()
    installed.write_text("{}")
    assert initialize(hook, checkout) == ["run build"]


def test_it_can_be_skipped(
    hook: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_SKIP_WEB", "1")
    assert initialize(hook, checkout, "standard") == []


def test_a_failure_ends_a_wheel_but_not_an_editable_install(
    hook: ModuleType, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(folder: Path, *arguments: str) -> None:
        raise subprocess.CalledProcessError(1, arguments)

    monkeypatch.setattr(hook, "run_npm", fail)
    initialize(hook, checkout, "editable")
    assert not hook.is_built(checkout)
    with pytest.raises(subprocess.CalledProcessError):
        initialize(hook, checkout, "standard")
