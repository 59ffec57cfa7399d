"""Everything that is not inference: API documents, management, the browser's pages."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match

from dragoman import __version__
from dragoman.errors import DragomanError, InvalidRequest, MethodNotAllowed, NotFound
from dragoman.gateway import Gateway
from dragoman.http import admin, docs, guard, metrics, ui
from dragoman.http.health import report_health
from dragoman.http.reply import error_response
from dragoman.http.routes import error_shape
from dragoman.management import Management

log = structlog.get_logger()


def build_pages(gateway: Gateway) -> FastAPI:
    """The FastAPI application; `guard.Guard` stands in front of it."""
    pages = FastAPI(
        title="Dragoman",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        openapi_tags=[admin.TAG],
    )
    pages.state.gateway = gateway
    pages.state.management = Management(gateway)
    pages.state.used_logins = set[str]()
    pages.add_api_route("/health", report_health, methods=["GET"], include_in_schema=False)
    pages.add_api_route("/", home, methods=["GET"], include_in_schema=False)
    pages.include_router(docs.router)
    pages.include_router(metrics.router)
    pages.include_router(ui.router)
    pages.include_router(admin.router)
    for kind, handler in (
        (DragomanError, _tell),
        (HTTPException, _tell_http),
        (RequestValidationError, _tell_invalid),
        (Exception, _tell_failure),
    ):
        pages.add_exception_handler(kind, handler)
    return pages


async def home(request: Request, token: str | None = None) -> Response:
    """The browser's page. A login token in the query is exchanged for a session, once."""
    gateway: Gateway = request.app.state.gateway
    used: set[str] = request.app.state.used_logins
    if token is None:
        return ui.show_page()
    if token in used or not gateway.box.verify(token, guard.LOGIN_PURPOSE):
        return RedirectResponse("./#/?link=used", 303)  # tells the page, whose own address stays
    used.add(token)
    response = RedirectResponse("./", 303)
    guard.log_in(gateway, response)
    return response


def _answer(request: Request, error: DragomanError) -> Response:
    shape = error_shape(request.scope["raw_path"])
    return error_response(shape, error, request.scope["dragoman.request_id"])


async def _tell(request: Request, error: Any) -> Response:
    return _answer(request, error)


async def _tell_http(request: Request, error: Any) -> Response:
    path = request.url.path
    if error.status_code == 405:
        return _answer(
            request,
            MethodNotAllowed(
                f"{request.method} does not work on {path}.", allowed=_allowed(request)
            ),
        )
    if error.status_code == 404:
        return _answer(
            request, NotFound(f"There is no {path} here. /api-docs shows every path that there is.")
        )
    return _answer(request, InvalidRequest(str(error.detail)))


def _allowed(request: Request) -> tuple[str, ...]:
    """Every method of the path; Starlette names only those of the first route that has it."""

    def works(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)

    methods = [method for method in ("GET", "POST", "PUT", "PATCH", "DELETE") if works(method)]
    return (*methods, "HEAD") if "GET" in methods else tuple(methods)


async def _tell_invalid(request: Request, error: Any) -> Response:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"][1:]) or "body"
    return _answer(request, InvalidRequest(f"`{place}`: {first['msg']}.", param=place))


async def _tell_failure(request: Request, error: Any) -> Response:
    log.error("request failed", path=request.url.path, exc_info=error)
    return _answer(request, DragomanError("Dragoman failed; its log says why."))
