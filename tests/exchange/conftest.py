"""A gateway in front of a scripted upstream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from relaying import relay_to
from running_gateway import Running
from scripted_upstream import ScriptedUpstream


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with relay_to(upstream, tmp_path) as gateway:
        yield gateway
