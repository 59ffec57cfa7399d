"""The way to the pages, which are built for their first visitor.

Whoever only relays never pays for FastAPI and the management API's models: 20 MB of memory and
a third of a second at the start. `/health` is answered here, since nothing may hold it up.
"""

from __future__ import annotations

import asyncio
from typing import Any

from dragoman.gateway import Gateway
from dragoman.http.health import report_health


class Lobby:
    """An ASGI application: health by itself, everything else by `pages`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pages: Any = None
        self._building = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if is_read and scope["path"].rstrip("/") == "/health":
            await report_health()(scope, receive, send)
            return
        if self._pages is None:
            async with self._building:
                if self._pages is None:
                    self._pages = await asyncio.to_thread(_build, self._gateway)
        await self._pages(scope, receive, send)


def _build(gateway: Gateway) -> Any:
    from dragoman.http.pages import build_pages

    return build_pages(gateway)
