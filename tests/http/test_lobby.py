"""http.lobby: health at once, the pages when somebody comes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from running_gateway import run_gateway


async def test_health_and_inference_need_no_pages(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running, running.client() as client:
        for path in ("/health", "/health/"):
            assert (await client.get(path)).json()["status"] == "ok"
        head = await client.head("/health")
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.get("/v1/models")).status_code == 200


async def test_many_first_visitors_find_the_same_pages(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running, running.client(running.admin_key) as client:
        answers = await asyncio.gather(*(client.get("/admin/status") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}


def test_a_gateway_that_only_relays_does_not_load_fastapi() -> None:
    program = "import sys, dragoman.app; print('fastapi' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout == b"False\n"
