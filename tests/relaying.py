"""What tests of the relay share: one gateway in front of one scripted upstream."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream

CHAT = "/v1/chat/completions"
PROTOCOLS = ["chat", "responses", "messages", "gemini", "embeddings", "completions"]
ASK = b'{"model":"up:m","messages":[]}'


@asynccontextmanager
async def relay_to(
    upstream: ScriptedUpstream, folder: Path, extra: str = ""
) -> AsyncGenerator[Running, None]:
    """Provider `up` speaks every protocol, `two` has two keys and speaks Chat, `dead` does not
    answer, and the row of `edited` changes the body; `smart` means `dead:m`, then `two:m`."""
    toml = "".join(
        (
            provider(
                upstream.url, protocols=PROTOCOLS, headers={"x-team": "a"}, models=["m", "a/b"]
            ),
            provider(upstream.url, "two", api_key=None, api_keys=["first-key-1", "second-key-2"]),
            provider("http://127.0.0.1:9", "dead", protocols=["chat"]),
            provider(
                upstream.url,
                "edited",
                drop=["user"],
                rename={"max_tokens": "max_completion_tokens"},
                set={"store": False},
            ),
            extra,
            '[aliases]\nsmart = ["dead:m", "two:m"]\n',
        )
    )
    async with run_gateway(folder, toml) as running:
        yield running


async def post(running: Running, path: str, body: bytes, **headers: str) -> httpx2.Response:
    """One request with the gateway's key."""
    async with running.client() as client:
        return await client.post(
            path, content=body, headers={"content-type": "application/json", **headers}
        )
