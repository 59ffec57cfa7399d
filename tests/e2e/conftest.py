"""One stage for all tests of a worker: starting a gateway costs more than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from e2e.stage import LOCAL, Stage, set_stage

from dragoman.local.models import has_engine, packaged_builtin


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A running gateway with a provider of each protocol."""
    with set_stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


@pytest.fixture(scope="session")
def local_model() -> str:
    """The name of the embedded model; without it the test is skipped."""
    if not has_engine() or packaged_builtin() is None:
        pytest.skip("the embedded model is not installed")
    return LOCAL
