"""`GET` and `DELETE /v1/responses/{id}`: the answers that the gateway itself remembers."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from dragoman.errors import NotFound
from dragoman.gateway import Gateway
from dragoman.http.routes import ResponseRoute
from dragoman.keys import GatewayKey


async def answer_remembered(
    gateway: Gateway, key: GatewayKey, route: ResponseRoute, method: str
) -> Response:
    """The response object, or that it is forgotten now. Raises NotFound for what was never
    remembered, or was for another key."""
    store = gateway.memory.store
    if method == "DELETE":
        if await store.remove(key.id, route.id):
            return JSONResponse({"id": route.id, "object": "response", "deleted": True})
    elif (turn := await store.get(key.id, route.id)) is not None:
        return JSONResponse(turn.response)
    raise NotFound(
        f"The gateway remembers no response `{route.id}` for this key. Those of providers that"
        " speak Responses themselves are not looked up here."
    )
