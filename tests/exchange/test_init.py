"""exchange: which exchange a request gets."""

from __future__ import annotations

from relaying import post
from running_gateway import Running


async def test_what_nothing_can_stand_in_for_is_refused_in_clear_words(running: Running) -> None:
    response = await post(running, "/v1/embeddings", b'{"model":"dead:m","input":"x"}')
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unsupported_provider_type"
    assert "`dead`" in response.json()["error"]["message"]
