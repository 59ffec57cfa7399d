"""The documentation page: Swagger UI at `/api-docs`, the document at `/api-docs.json`.

Everything is served from here, so that the page works without a network: the Swagger UI files
come out of the installed package `fastapi_swagger`, and a start script of our own replaces the
usual inline one, so that the content security policy can forbid inline scripts. Links are
relative, so that the page also works behind a proxy that puts a prefix in front of every path.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import cast

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dragoman import __version__
from dragoman.http.openapi import inference_document, merge

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dragoman API</title>
<link rel="icon" type="image/png" href="{assets}favicon-32x32.png">
<link rel="stylesheet" href="{assets}swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at api-docs.json.</noscript>
<script src="{assets}swagger-ui-bundle.js"></script>
<script src="{assets}init.js"></script>
</body>
</html>
"""

# The script stands at /api-docs/init.js: the document's address is found from there.
_INIT_SCRIPT = """\
"use strict";
SwaggerUIBundle({
  url: new URL("../api-docs.json", document.currentScript.src).href,
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  tryItOutEnabled: true,
});
"""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # Swagger UI sets style attributes
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_MEDIA_TYPES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
    "init.js": "text/javascript",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A body with what a browser must know to keep it."""

    body: bytes
    media_type: str
    etag: str


def _make_page(body: bytes, media_type: str) -> Page:
    return Page(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@functools.cache
def _load_asset(name: str) -> Page:
    """One of `_MEDIA_TYPES`, read once."""
    if name == "init.js":
        body = _INIT_SCRIPT.encode()
    else:
        body = (resources.files("fastapi_swagger") / "resources" / name).read_bytes()
    return _make_page(body, _MEDIA_TYPES[name])


def describe(app: FastAPI) -> dict[str, object]:
    """The whole document: the management API as `app` describes it, and the inference routes."""
    return merge(app.openapi(), inference_document(__version__))


async def show_page(request: Request) -> Response:
    """The page itself; its links lead into /api-docs/ with and without a slash at the end."""
    assets = "" if request.url.path.endswith("/") else "api-docs/"
    return _answer(request, _make_page(_PAGE.format(assets=assets).encode(), "text/html"))


async def show_asset(request: Request) -> Response:
    """A file of Swagger UI, or the start script."""
    return _answer(request, _load_asset(request.url.path.rpartition("/")[2]))


async def show_document(request: Request) -> Response:
    """The OpenAPI document of the application that this router is part of."""
    body = msgspec.json.encode(describe(cast("FastAPI", request.app)))
    return _answer(request, _make_page(body, "application/json"))


def _answer(request: Request, page: Page) -> Response:
    """`page`, or 304 where the browser has it already; it is asked again each time, since the
    next version of the gateway has other files under the same names."""
    headers = {
        "etag": page.etag,
        "cache-control": "no-cache",
        "content-security-policy": _POLICY,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    if _has(request.headers.get("if-none-match", ""), page.etag):
        return Response(status_code=304, headers=headers)
    return Response(page.body, headers=headers, media_type=page.media_type)


def _has(if_none_match: str, etag: str) -> bool:
    """Whether a list of entity tags, weak ones among them, holds `etag` (RFC 9110, 13.1.2)."""
    tags = (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
    return any(tag in (etag, "*") for tag in tags)


# Plain Starlette routes: they answer HEAD wherever they answer GET.
router = APIRouter(
    routes=[
        Route("/api-docs", show_page, include_in_schema=False),
        Route("/api-docs/", show_page, include_in_schema=False),
        Route("/api-docs.json", show_document, include_in_schema=False),
        Route("/api-docs.json/", show_document, include_in_schema=False),
        *(Route(f"/api-docs/{name}", show_asset, include_in_schema=False) for name in _MEDIA_TYPES),
    ]
)
