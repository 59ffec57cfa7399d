"""What the tests of the local models share: a stand-in engine, model files, and the real model."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from local.children import MakeModel, MakeModels

import dragoman
from dragoman.local.models import LocalModelFile, find_builtin, has_engine
from dragoman.local.process import LocalModels

ENGINE = Path(__file__).parent / "engine"

SOURCE = Path(dragoman.__file__).parents[1]


@pytest.fixture(autouse=True)
def source(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets child processes import the package also where it is not installed."""
    _prepend_to_path(monkeypatch, SOURCE)


@pytest.fixture
def engine(source: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the stand-in engine before the installed one, here and in child processes."""
    monkeypatch.syspath_prepend(str(ENGINE))
    _prepend_to_path(monkeypatch, ENGINE)


def _prepend_to_path(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Writes a model file for the stand-in engine, with the faults given."""

    def make(model_id: str = "m", **faults: object) -> LocalModelFile:
        path = tmp_path / f"{model_id}.gguf"
        path.write_bytes(b"GGUF" + json.dumps(faults).encode())
        return LocalModelFile(model_id, path)

    return make


@pytest.fixture
async def make_models(engine: None) -> AsyncIterator[MakeModels]:
    """Makes managers over the stand-in engine, and closes them when the test is over."""
    made: list[LocalModels] = []

    def make(*models: LocalModelFile, **options: float) -> LocalModels:
        made.append(LocalModels(models, **options))
        return made[-1]

    yield make
    for models in made:
        await models.aclose()


@pytest.fixture
def builtin(tmp_path: Path) -> LocalModelFile:
    """The real built-in model; without it and its engine the test is skipped."""
    model = find_builtin(tmp_path)
    if model is None or not has_engine():
        pytest.skip("the embedded model is not installed")
    return model
