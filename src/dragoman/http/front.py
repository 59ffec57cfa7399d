"""The front door: inference paths to their raw endpoints, everything else to the pages."""

from __future__ import annotations

from typing import Any

from dragoman.http.routes import find_route


class Front:
    """An ASGI application that looks at the path once.

    What it found is left in `scope["dragoman.route"]` for the inference endpoints, so that what
    is checked and what is served can never be two different readings of one path.
    """

    def __init__(self, inference: Any, pages: Any) -> None:
        self._inference = inference
        self._pages = pages

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        route = find_route(scope["raw_path"]) if scope["type"] == "http" else None
        if route is None:
            await self._pages(scope, receive, send)
        else:
            scope["dragoman.route"] = route
            await self._inference(scope, receive, send)
