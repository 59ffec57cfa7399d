"""Where commands work: settings from their options, the store, and a gateway that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragoman import runtime
from dragoman.cli import workplace
from dragoman.errors import ConfigError


@pytest.fixture(autouse=True)
def nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "DATA_DIR", "API_KEY", "ADMIN_KEY", "SECRET_KEY", "DATABASE_URL"):
        monkeypatch.delenv(f"DRAGOMAN_{name}", raising=False)


def test_options_are_laid_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text("[server]\nport = 1234\nhost = '::1'\n")
    settings = workplace.load_settings(Path("other.toml"), Path("d"), host=None, port=99)
    assert settings.file == file
    assert (settings.server.port, settings.server.host) == (99, "::1")
    assert settings.server.data_dir == tmp_path / "d"


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="given by --config does not exist"):
        workplace.load_settings(Path("missing.toml"), None)


async def test_keys_are_those_that_the_gateway_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_ADMIN_KEY", "pinned-0123456789abcdef")
    settings = workplace.load_settings(None, tmp_path)
    async with workplace.work_on_keys(settings, changes=True) as service:
        assert service.made_default
        await service.create("laptop")
        keys = service.list()
    async with workplace.work_on_gateway(settings) as gateway:
        assert not gateway.keys.made_default
        assert gateway.keys.list() == keys
        assert {key.name for key in keys} == {"default", "laptop", "admin"}


async def test_a_failed_change_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    async def note_down(*place: object) -> None:
        told.append(place)

    monkeypatch.setattr(workplace, "tell_running", note_down)
    settings = workplace.load_settings(None, tmp_path)
    with pytest.raises(ConfigError):
        async with workplace.work_on_keys(settings, changes=True):
            raise ConfigError("no")
    async with workplace.work_on_keys(settings, changes=False):
        pass
    assert told == []
    async with workplace.work_on_keys(settings, changes=True):
        pass
    assert len(told) == 1


async def test_a_gateway_that_has_crashed_is_not_waited_for(tmp_path: Path) -> None:
    directory, box = workplace.open_place(workplace.load_settings(None, tmp_path))
    runtime.write_note(directory, "http://127.0.0.1:1")
    await workplace.tell_running(directory, box)
