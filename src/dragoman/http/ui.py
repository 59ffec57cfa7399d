"""The web UI: what the build made of `web/`, served at `/`, with its files under `/assets/`.

The files' names hold hashes of their contents, so browsers keep them for good; the page itself is
asked for each time. Its content security policy admits no inline script, and only such inline
styles as carry the nonce of this one answer. A checkout whose UI was not built gets a page that
says how to build it.
"""

from __future__ import annotations

import functools
import gzip
import secrets
from dataclasses import dataclass
from importlib import resources

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dragoman.errors import NotFound

BUILD_COMMAND = "uv sync --reinstall-package dragoman"

_STATIC = resources.files("dragoman.http") / "static"
_NONCE = "%NONCE%"  # stands in the built page wherever a nonce belongs: see web/vite.config.ts

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'nonce-{_NONCE}'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_COMPRESSED = frozenset({".css", ".js", ".svg"})

_NOT_BUILT = f"""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Dragoman</title>
<style nonce="{_NONCE}">
:root {{ color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }}
main {{ max-width: 36rem; margin: 15vh auto; padding: 0 1.5rem; }}
code {{ font-size: 0.95em; }}
</style>
</head>
<body>
<main>
<h1>Dragoman is running</h1>
<p>Its pages were not built in this checkout. This builds them; then load this page again:</p>
<pre><code>{BUILD_COMMAND}</code></pre>
<p>Everything else works without them: see <a href="api-docs">the API</a>.</p>
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the UI; `compressed` by gzip where that helps."""

    body: bytes
    compressed: bytes | None
    media_type: str


def show_page() -> Response:
    """The page, with a nonce of its own."""
    try:
        page = (_STATIC / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        page = _NOT_BUILT
    nonce = secrets.token_urlsafe(16)
    return Response(
        page.replace(_NONCE, nonce),
        headers={
            "cache-control": "no-store",
            "content-security-policy": _POLICY.replace(_NONCE, nonce),
        },
        media_type="text/html",
    )


async def show_asset(request: Request) -> Response:
    """One of the files that the page asks for. Raises NotFound."""
    asset = _load_asset(request.path_params["name"])
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    body = asset.body
    if asset.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        body = asset.compressed
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers, media_type=asset.media_type)


@functools.cache
def _load_asset(name: str) -> Asset:
    """Read and compressed once: a name always means the same contents."""
    folder = _STATIC / "assets"
    known = {each.name for each in folder.iterdir()} if folder.is_dir() else set[str]()
    suffix = name[name.rfind(".") :]
    if name not in known or suffix not in _MEDIA_TYPES:
        raise NotFound(f"There is no /assets/{name} here: load the page again.")
    body = (folder / name).read_bytes()
    compressed = gzip.compress(body, 9, mtime=0) if suffix in _COMPRESSED else None
    return Asset(body, compressed, _MEDIA_TYPES[suffix])


router = APIRouter(routes=[Route("/assets/{name}", show_asset, include_in_schema=False)])
