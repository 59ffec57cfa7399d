"""Where Dragoman keeps its files: one data directory, which only its owner can read.

    dragoman.db      the SQLite database (and its -wal and -shm companions)
    secret.key       the key that encrypts stored secrets, unless `DRAGOMAN_SECRET_KEY` gives one
    runtime.json     address and process id of the gateway that serves this directory
    worker-N.sock    where a worker tells the others its metrics
    models/          local models

The directory is created with mode 0700. One that exists keeps its mode, since it may hold other
things too (`--data-dir /srv`); the files listed above are made private in any case.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from dragoman.errors import ConfigError

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700


@dataclass(frozen=True, slots=True)
class DataDirectory:
    """The paths of one data directory; `open_data_directory` makes sure that it exists."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "dragoman.db"

    @property
    def secret_key(self) -> Path:
        return self.path / "secret.key"

    @property
    def runtime(self) -> Path:
        return self.path / "runtime.json"

    @property
    def models(self) -> Path:
        return self.path / "models"

    def private_files(self) -> tuple[Path, ...]:
        """The files that hold or guard secrets, whether they exist or not."""
        database = self.database
        companions = (database.with_name(database.name + suffix) for suffix in ("-wal", "-shm"))
        return (database, *companions, self.secret_key, self.runtime)


def open_data_directory(path: Path | str | None = None) -> DataDirectory:
    """The data directory at `path`, or the platform's for this user; created if it is missing.

    Files of an earlier start that others may read are made private. Raises `ConfigError` when
    the directory cannot be created or its files belong to somebody else.
    """
    place = Path(path) if path is not None else platformdirs.user_data_path("dragoman", False)
    directory = DataDirectory(place.expanduser().absolute())
    try:
        directory.path.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
        for file in directory.private_files():
            _make_private(file)
    except OSError as error:
        raise ConfigError(
            f"The data directory {directory.path} cannot be used: {error.strerror}"
            f" ({error.filename}). Correct its owner and mode, or choose another with --data-dir"
            " or DRAGOMAN_DATA_DIR."
        ) from error
    return directory


def _make_private(file: Path) -> None:
    try:
        mode = stat.S_IMODE(os.stat(file).st_mode)
    except FileNotFoundError:
        return
    if mode & ~PRIVATE_FILE:
        os.chmod(file, mode & PRIVATE_FILE)
