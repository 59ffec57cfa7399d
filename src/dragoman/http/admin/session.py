"""The end of a browser's session."""

from __future__ import annotations

from starlette.responses import Response

from dragoman.http import guard
from dragoman.http.admin.route import new_router

router = new_router("/logout")


@router.post("", status_code=204, response_class=Response, summary="Log this browser out")
async def log_out() -> Response:
    """Takes the session cookie away from the browser that asks."""
    response = Response(status_code=204)
    response.delete_cookie(guard.SESSION_COOKIE, httponly=True, samesite="strict")
    return response
