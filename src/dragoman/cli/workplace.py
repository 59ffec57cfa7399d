"""Where a command works: the settings, and the gateway or its keys, opened without a server.

A command changes the database itself, whether a gateway runs or not, and then tells the one of
the same data directory, so that the change holds when the command ends.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from dragoman.paths import DataDirectory, open_data_directory
from dragoman.secrets import SecretBox

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.gateway import Gateway
    from dragoman.keys import KeyService
    from dragoman.store.store import Store


def load_settings(config: Path | None, data_dir: Path | None, **server: object) -> Settings:
    """The effective settings; `server` holds further options by the names of `[server]`.

    Raises ConfigError.
    """
    from dragoman.config import load

    given = {"config": config, "data_dir": data_dir, **server}
    return load(given, os.environ, Path.cwd())


def open_place(settings: Settings) -> tuple[DataDirectory, SecretBox]:
    """The data directory and its secret key, made where they are missing. Raises ConfigError."""
    directory = open_data_directory(settings.server.data_dir)
    return directory, SecretBox.open(directory, os.environ.get("DRAGOMAN_SECRET_KEY"))


@asynccontextmanager
async def work_on_gateway(settings: Settings) -> AsyncGenerator[Gateway, None]:
    """A gateway that nobody can reach, with its log quiet. Raises ConfigError or StoreError."""
    from dragoman.gateway import open_gateway
    from dragoman.observe import set_up_logging

    set_up_logging("debug" if settings.server.log_level == "debug" else "error")
    async with open_gateway(settings, os.environ) as gateway:
        yield gateway


@asynccontextmanager
async def work_on_store(settings: Settings) -> AsyncGenerator[Store, None]:
    """What is stored, and nothing more. Raises ConfigError or StoreError."""
    store = await _open_store(settings, *open_place(settings))
    try:
        yield store
    finally:
        await store.aclose()


@asynccontextmanager
async def work_on_keys(settings: Settings, *, changes: bool) -> AsyncGenerator[KeyService, None]:
    """The keys alone, which takes half the time of opening a gateway; with `changes` a running
    one is told of them at the end. Raises ConfigError or StoreError."""
    from dragoman.keys import KeyService, Pin

    def pin(name: str) -> Pin | None:
        secret = getattr(settings.server, name)
        origin = settings.origin("server", name)
        return None if secret is None else Pin(secret.get_secret_value(), origin)

    directory, box = open_place(settings)
    store = await _open_store(settings, directory, box)
    try:
        yield await KeyService.open(
            store.keys, box, default_pin=pin("api_key"), admin_pin=pin("admin_key")
        )
    finally:
        await store.aclose()
    if changes:
        await tell_running(directory, box)


async def tell_running(directory: DataDirectory, box: SecretBox) -> None:
    """Makes the gateway that serves this data directory, if one does, take over what changed."""
    if not directory.runtime.exists():
        return
    from dragoman import runtime
    from dragoman.upstream import open_transport

    transport = open_transport()
    try:
        await runtime.ask_running(directory, box, transport, "POST", "/admin/reload")
    finally:
        await transport.aclose()


async def _open_store(settings: Settings, directory: DataDirectory, box: SecretBox) -> Store:
    from dragoman.store.store import Store

    url = settings.server.database_url
    return await Store.open(url.get_secret_value() if url else directory.database, box)
