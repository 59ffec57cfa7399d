"""Takes the pictures of docs/ui.md anew, against a gateway of invented providers:

PYTHONPATH=src:tests python tests/ui/screenshots.py docs/ui [NAME ...]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from running_gateway import ADMIN_KEY, Running, provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer
from ui.browsing import PHONE, WIDE, browse

PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "home": ("/", {}),
    "home-dark-zh": ("/", {"scheme": "dark", "language": "zh-CN"}),
    "home-phone": ("/", {"size": PHONE}),
    "providers": ("/providers", {}),
    "provider": ("/providers/lab", {}),
    "add-provider": ("/providers/+", {}),
    "models": ("/models", {"scheme": "dark"}),
    "keys": ("/keys", {}),
    "settings": ("/settings", {"language": "zh-CN"}),
    "login": ("/", {"logged_in": False}),
}
"""Where each is taken, and in what browser."""

ANTHROPIC = ["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"]
OPENAI = ["gpt-5.1", "gpt-5-mini", "gpt-4o", "gpt-4o-mini", "text-embedding-3-large"]
PROVIDERS: list[dict[str, Any]] = [
    {"id": "anthropic", "api_key": "sk-ant-0123456789abcdefghijkl", "models": ANTHROPIC},
    {"id": "openai", "api_key": "sk-proj-0123456789abcdefghijkl", "models": OPENAI},
    {
        "id": "deepseek",
        "models": ["deepseek-chat"],
        "api_key": "sk-deep-01234567",
        "enabled": False,
    },
    {
        "id": "lab",
        "name": "Lab",
        "type": "openai-compatible",
        "api_keys": ["sk-first-0123456789abcdefghijkl", "sk-second-0123456789abcdefghijk"],
    },
    {"id": "broken", "type": "openai-compatible", "api_key": "sk-broken-0123456789abcdef"},
]
KEYS: list[dict[str, Any]] = [
    {"name": "laptop", "models": ["anthropic:*", "fast"], "expires": "30d", "rpm": 60},
    {"name": "nightly tests", "budgets": ["5/day", "50/month"], "concurrency": 4},
    {"name": "browser", "scopes": ["admin"]},
]
REST = """
[aliases]
fast = ["team:small", "team:large"]

[[prices]]
model = "team:small"
input = 2
output = 8
"""


async def take(folder: Path, wanted: list[str]) -> None:
    """Writes the pictures that are wanted, or all of them."""
    async with ScriptedUpstream() as upstream:
        listing = {"data": [{"id": name, "context_length": 131072} for name in ("qwen3", "glm")]}
        usage = {"prompt_tokens": 1830, "completion_tokens": 412, "total_tokens": 2242}
        upstream.on("/v1/models", json_answer(listing))
        upstream.on("/v1/chat/completions", json_answer({"choices": [], "usage": usage}))
        upstream.on("*", json_answer({"error": {"message": "Incorrect API key provided."}}, 401))
        toml = provider(upstream.url, "team", name="Team server", models=["small", "large"]) + REST
        with tempfile.TemporaryDirectory(prefix="dragoman-") as place:
            async with run_gateway(Path(place), toml, {"DRAGOMAN_API_KEY": ""}) as running:
                await furnish(running, upstream.url)
                for name in wanted or PICTURES:
                    await picture(running, folder / f"{name}.png", *PICTURES[name])


async def furnish(running: Running, upstream: str) -> None:
    """Fills the gateway with providers, keys and a few requests."""
    async with running.client(ADMIN_KEY) as admin:
        for spec in PROVIDERS:
            address = {"lab": upstream, "broken": f"{upstream}/closed"}.get(spec["id"])
            added = await admin.post("/admin/providers", json=spec | {"base_url": address})
            added.raise_for_status()
        for key in KEYS:
            (await admin.post("/admin/keys", json=key)).raise_for_status()
    async with running.client(await running.gateway.keys.show_default()) as client:
        body = {"model": "team:small", "messages": [{"role": "user", "content": "Hi"}]}
        for _ in range(12):
            await client.post("/v1/chat/completions", json=body)


async def picture(running: Running, file: Path, place: str, options: dict[str, Any]) -> None:
    async with browse(running, **{"size": WIDE, **options}) as page:
        await page.goto(f"{running.url}/#{place}")
        await page.wait_for_load_state("networkidle")
        await page.wait_for_timeout(300)
        await page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(take(Path(sys.argv[1]), sys.argv[2:]))
