"""http.front: a path is read once, and what was read is what is served."""

from __future__ import annotations

from typing import Any

import pytest

from dragoman.http.front import Front
from dragoman.protocols import MESSAGES


async def serve(scope: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Which application got the scope, and the scope as it got it."""
    served: list[tuple[str, dict[str, Any]]] = []

    def app(name: str) -> Any:
        async def call(scope: Any, receive: Any, send: Any) -> None:
            served.append((name, scope))

        return call

    await Front(app("inference"), app("pages"))(scope, None, None)
    (only,) = served
    return only


@pytest.mark.parametrize("path", [b"/v1/messages", b"//v1/messages/", b"/p/v1/messages"])
async def test_inference_paths_go_to_inference(path: bytes) -> None:
    name, scope = await serve({"type": "http", "raw_path": path})
    assert name == "inference"
    assert scope["dragoman.route"].operation is MESSAGES


@pytest.mark.parametrize("path", [b"/", b"/health", b"/admin/models", b"/api-docs", b"//admin//"])
async def test_other_paths_go_to_the_pages(path: bytes) -> None:
    name, scope = await serve({"type": "http", "raw_path": path})
    assert name == "pages"
    assert "dragoman.route" not in scope


async def test_what_is_not_http_goes_to_the_pages() -> None:
    assert (await serve({"type": "lifespan"}))[0] == "pages"
