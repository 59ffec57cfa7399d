"""config.succession: what of new settings a running gateway goes by."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragoman.config.loading import load
from dragoman.config.settings import ServerSettings, Settings
from dragoman.config.succession import LIVE, reload, succeed
from dragoman.errors import ConfigError


def make(folder: Path, text: str) -> Settings:
    (folder / "dragoman.toml").write_text(text)
    return load({"port": 7000}, {"DRAGOMAN_DATA_DIR": str(folder)}, folder)


def test_settings_can_be_loaded_again(tmp_path: Path) -> None:
    old = make(tmp_path, "[server]\nkeepalive_s = 3\n")
    (tmp_path / "dragoman.toml").write_text("[server]\nkeepalive_s = 4\n")
    new = reload(old)
    assert (new.server.keepalive_s, new.server.port) == (4, 7000)
    assert new.server.data_dir == tmp_path


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    old = make(tmp_path, "")
    (tmp_path / "dragoman.toml").unlink()
    with pytest.raises(ConfigError, match="is gone"):
        reload(old)


def test_what_is_live_changes_and_the_rest_waits(tmp_path: Path) -> None:
    old = make(tmp_path, "")
    new = make(tmp_path, "[server]\nkeepalive_s = 4\ngrace_s = 1\n[memory]\nenabled = false\n")
    held, waiting = succeed(old, new)
    assert held.server.keepalive_s == 4
    assert held.server.grace_s == old.server.grace_s
    assert held.memory == old.memory
    assert waiting == ("server.grace_s", "memory")


def test_nothing_waits_where_nothing_changes(tmp_path: Path) -> None:
    settings = make(tmp_path, "")
    assert succeed(settings, reload(settings)) == (settings, ())


def test_live_settings_exist() -> None:
    assert set(ServerSettings.model_fields) >= LIVE
