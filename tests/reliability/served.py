"""A gateway in a process of its own, for tests that end it or measure it."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from cli.processes import Home
from running_gateway import KEY, provider


@asynccontextmanager
async def serve(
    folder: Path, upstream_url: str, server: str = ""
) -> AsyncGenerator[tuple[subprocess.Popen[str], httpx2.AsyncClient]]:
    """A gateway process and a client of it; what still runs at the end is killed."""
    toml = f'[server]\nlog_level = "error"\n{server}\n' + provider(upstream_url)
    (folder / "dragoman.toml").write_text(toml)
    process = Home(folder).start("serve", "-p", "0", "--json-banner", DRAGOMAN_API_KEY=KEY)
    assert process.stdout is not None
    with process:
        banner = json.loads(await asyncio.to_thread(process.stdout.readline))
        headers = {"authorization": f"Bearer {KEY}"}
        async with httpx2.AsyncClient(
            base_url=banner["url"], headers=headers, timeout=60
        ) as client:
            try:
                yield process, client
            finally:
                process.kill()
