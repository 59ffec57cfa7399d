"""http.admin.models: every model with what is known of it, and the aliases."""

from __future__ import annotations

import httpx2


async def test_models_and_aliases(admin: httpx2.AsyncClient) -> None:
    spec = {
        "id": "new",
        "type": "anthropic",
        "models": [
            {"id": "big", "name": "Big", "context_length": 1000, "abilities": ["vision", "tools"]}
        ],
    }
    await admin.post("/admin/providers", json=spec)
    answer = (await admin.get("/admin/models")).json()
    assert [model["id"] for model in answer["models"]] == ["filed:m", "new:big"]
    assert answer["models"][1] == {
        "id": "new:big",
        "provider": "new",
        "model": "big",
        "name": "Big",
        "owned_by": "",
        "created": 0,
        "context_length": 1000,
        "max_output": None,
        "abilities": ["tools", "vision"],
        "protocols": ["messages"],
    }
    assert answer["aliases"] == [{"name": "fast", "targets": ["filed:m"], "strategy": "order"}]


async def test_models_of_a_disabled_provider_are_left_out(
    admin: httpx2.AsyncClient, added: str
) -> None:
    await admin.post(f"/admin/providers/{added}/disable")
    models = (await admin.get("/admin/models")).json()["models"]
    assert [model["id"] for model in models] == ["filed:m"]
