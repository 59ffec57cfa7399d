"""local.transport: a provider's requests reach the model's process."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from running_gateway import run_gateway

pytestmark = pytest.mark.local

ASK = {
    "model": "local:smollm2-135m",
    "max_tokens": 4,
    "messages": [{"role": "user", "content": "hi"}],
}


async def test_a_request_starts_the_model_and_a_crash_is_told(tmp_path: Path) -> None:
    async with run_gateway(tmp_path, "[local]\n") as running, running.client() as client:
        first = await client.post("/v1/chat/completions", json=ASK)
        assert first.status_code == 200
        assert first.json()["usage"]["completion_tokens"] > 0
        (status,) = running.gateway.local.status()
        assert (status.state, status.users) == ("ready", 0)

        long = ASK | {"max_tokens": 4000, "stream": True, "ignore_eos": True}
        async with client.stream("POST", "/v1/chat/completions", json=long) as response:
            pieces = response.aiter_raw()
            await anext(pieces)
            assert status.pid is not None
            os.kill(status.pid, signal.SIGKILL)
            rest = b"".join([piece async for piece in pieces])
        assert b'"error"' in rest
        assert b"[DONE]" not in rest

        again = await client.post("/v1/messages", json=ASK)
        assert again.status_code == 200


async def test_a_client_that_leaves_frees_the_model(tmp_path: Path) -> None:
    async with run_gateway(tmp_path, "[local]\n") as running, running.client() as client:
        long = ASK | {"max_tokens": 4000, "stream": True, "ignore_eos": True}
        async with client.stream("POST", "/v1/chat/completions", json=long) as response:
            await anext(response.aiter_raw())
            assert running.gateway.local.status()[0].users == 1
        async with asyncio.timeout(10):
            while running.gateway.local.status()[0].users:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
