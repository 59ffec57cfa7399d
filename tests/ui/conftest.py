"""Two providers, a gateway in front of them, and the built pages."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer
from ui.browsing import CHROMIUM

from dragoman.http import ui

ALIASES = '[aliases]\nfast = ["filed:small", "filed:large"]\n'


@pytest.fixture(autouse=True)
def _ready() -> None:
    """Skips where there is no browser or no built UI; CI has to have both."""
    missing = [
        what
        for what, is_there in (
            ("Debian's chromium", Path(CHROMIUM).exists()),
            (f"the built pages (`{ui.BUILD_COMMAND}`)", (ui._STATIC / "index.html").is_file()),
        )
        if not is_there
    ]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"needs {' and '.join(missing)}")


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    """A server that lists two models, answers Chat, and refuses whoever asks below `/locked`."""
    async with ScriptedUpstream() as scripted:
        scripted.on("/v1/models", json_answer({"data": [{"id": "one"}, {"id": "two"}]}))
        scripted.on(
            "/v1/chat/completions",
            json_answer(
                {
                    "id": "chatcmpl-1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": "one",
                    "choices": [
                        {
                            "index": 0,
                            "message": {"role": "assistant", "content": "Hello!"},
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15},
                }
            ),
        )
        scripted.on(
            "/locked/v1/models", json_answer({"error": {"message": "That key is wrong."}}, 401)
        )
        scripted.on("*", json_answer({"error": {"message": "no such path"}}, 404))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    toml = provider(upstream.url, "filed", models=["small", "large"]) + ALIASES
    async with run_gateway(tmp_path, toml, {"DRAGOMAN_API_KEY": ""}) as gateway:
        yield gateway
