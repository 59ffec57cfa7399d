"""A browser's session: it begins with a key, or with the link that `dragoman serve` prints (see
`http.pages.home`), and ends when the browser says so."""

from __future__ import annotations

from starlette.responses import Response

from dragoman.http import guard
from dragoman.http.admin.route import GatewayPart, new_router

router = new_router()


@router.post("/login", status_code=204, response_class=Response, summary="Log this browser in")
async def log_in(gateway: GatewayPart) -> Response:
    """Gives whoever shows a key with the scope `admin` a session cookie in exchange."""
    response = Response(status_code=204)
    guard.log_in(gateway, response)
    return response


@router.post("/logout", status_code=204, response_class=Response, summary="Log this browser out")
async def log_out() -> Response:
    """Takes the session cookie away from the browser that asks."""
    response = Response(status_code=204)
    response.delete_cookie(guard.SESSION_COOKIE, httponly=True, samesite="strict")
    return response
