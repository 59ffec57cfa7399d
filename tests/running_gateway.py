"""A whole gateway inside the test's own event loop: real sockets, real database, real server.

`async with run_gateway(tmp_path, toml) as running` gives its `url`, its `key` and the `gateway`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from dragoman.app import serve
from dragoman.config import load
from dragoman.gateway import Gateway

KEY = "sk-test-0123456789abcdef"
ADMIN_KEY = "sk-admin-0123456789abcdef"


@dataclass
class Running:
    """A gateway that listens on `url`; `key` opens inference, `admin_key` management."""

    gateway: Gateway
    url: str
    key: str = KEY
    admin_key: str = ADMIN_KEY

    def client(self, key: str | None = KEY, **options: Any) -> httpx2.AsyncClient:
        """An HTTP client of this gateway that shows `key`."""
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30, **options)


def provider(url: str, provider_id: str = "up", **fields: object) -> str:
    """A `[[providers]]` table for the scripted upstream at `url`."""
    values: dict[str, object] = {
        "id": provider_id,
        "type": "openai-compatible",
        "base_url": url,
        "api_key": "sk-upstream-secret-0123456789",
        "models": ["m"],
        **fields,
    }
    return "[[providers]]\n" + "".join(
        f"{name} = {_toml(value)}\n" for name, value in values.items() if value is not None
    )


@asynccontextmanager
async def run_gateway(
    folder: Path, toml: str = "", environ: Mapping[str, str] | None = None
) -> AsyncGenerator[Running, None]:
    """Runs until the block ends; what is in the data directory stays in `folder`."""
    file = folder / "dragoman.toml"
    file.write_text(toml)
    variables = {"DRAGOMAN_API_KEY": KEY, "DRAGOMAN_ADMIN_KEY": ADMIN_KEY, **(environ or {})}
    settings = load(
        {"config": file, "port": 0, "data_dir": folder / "data"},
        {name: value for name, value in variables.items() if value},
        folder,
    )
    ready: asyncio.Future[Running] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(settings, variables, lambda gateway, url: ready.set_result(Running(gateway, url)))
    )
    await asyncio.wait([serving, ready], return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()
    running = await ready
    try:
        yield running
    finally:
        running.gateway.stop()
        await serving


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "{ " + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case _:
            return str(value)
