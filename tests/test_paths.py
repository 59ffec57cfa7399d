from __future__ import annotations

import os
import stat

import pytest

from dragoman.errors import ConfigError
from dragoman.paths import open_data_directory


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_directory_is_private_whatever_the_umask(tmp_path):
    former = os.umask(0)
    try:
        directory = open_data_directory(tmp_path / "a" / "b")
    finally:
        os.umask(former)
    assert mode(directory.path) == 0o700


def test_names_of_the_files(tmp_path):
    directory = open_data_directory(tmp_path)
    names = (directory.database, directory.secret_key, directory.runtime, directory.models)
    assert names == tuple(
        tmp_path / name for name in ("dragoman.db", "secret.key", "runtime.json", "models")
    )


def test_files_that_others_may_read_are_made_private(tmp_path):
    for name in ("dragoman.db", "dragoman.db-wal", "secret.key", "runtime.json", "notes.txt"):
        (tmp_path / name).write_text("x")
        (tmp_path / name).chmod(0o644)
    open_data_directory(tmp_path)
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes.pop("notes.txt") == 0o644, "a file that is not ours"
    assert set(modes.values()) == {0o600}


def test_a_stricter_mode_stays(tmp_path):
    key = tmp_path / "secret.key"
    key.write_text("x")
    key.chmod(0o400)
    open_data_directory(tmp_path)
    assert mode(key) == 0o400


def test_an_existing_directory_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    open_data_directory(tmp_path)
    assert mode(tmp_path) == 0o755


def test_without_a_path_the_platform_says_where(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert open_data_directory().path == tmp_path / "dragoman"


def test_a_tilde_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_data_directory("~/gateway").path == tmp_path / "gateway"


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(ConfigError, match=r"taken.*--data-dir"):
        open_data_directory(tmp_path / "taken")
