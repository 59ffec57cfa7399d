"""docs: the documentation page from a real server: complete, cacheable, and with no other host."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import aiohttp
import pytest
import uvicorn
from fastapi import APIRouter, FastAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from dragoman import __version__
from dragoman.http import docs

PATHS = (
    "/api-docs",
    "/api-docs/",
    "/api-docs.json",
    "/api-docs.json/",
    "/api-docs/init.js",
    "/api-docs/swagger-ui-bundle.js",
    "/api-docs/swagger-ui.css",
    "/api-docs/favicon-32x32.png",
)


def make_app() -> FastAPI:
    """The page beside a small management API."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    management = APIRouter(prefix="/admin", tags=["management"])

    @management.get("/widgets")
    def list_widgets() -> list[str]:
        return []

    app.include_router(management)
    app.include_router(docs.router)
    return app


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """The base URL of a running server; the same application also stands behind `/prefix`."""
    app = make_app()
    app.mount("/prefix", make_app())
    running = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:  # clients wait in its queue
        serving = asyncio.create_task(running.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        running.should_exit = True
        await serving


@pytest.fixture
async def client(server: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server) as session:
        yield session


async def read(client: aiohttp.ClientSession, path: str) -> str:
    async with client.get(path, allow_redirects=False) as answer:
        assert answer.status == 200, path
        return await answer.text()


def links(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/api-docs", "text/html"),
        ("/api-docs/", "text/html"),
        ("/api-docs.json", "application/json"),
        ("/api-docs/init.js", "text/javascript"),
        ("/api-docs/swagger-ui-bundle.js", "text/javascript"),
        ("/api-docs/swagger-ui.css", "text/css"),
        ("/api-docs/favicon-32x32.png", "image/png"),
    ],
)
async def test_head_is_get_without_a_body(
    client: aiohttp.ClientSession, path: str, media_type: str
) -> None:
    async with client.get(path, allow_redirects=False) as got:
        body = await got.read()
    async with client.head(path, allow_redirects=False) as head:
        assert await head.read() == b""
    assert got.status == head.status == 200
    assert got.content_type == media_type
    assert int(head.headers["content-length"]) == len(body) > 0
    for name in ("etag", "content-type", "cache-control", "content-security-policy"):
        assert head.headers[name] == got.headers[name]


@pytest.mark.parametrize("path", PATHS)
async def test_what_a_browser_has_is_not_sent_again(
    client: aiohttp.ClientSession, path: str
) -> None:
    async with client.get(path) as first:
        etag = first.headers["etag"]
    for given in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        async with client.get(path, headers={"if-none-match": given}) as again:
            assert again.status == 304
            assert again.headers["etag"] == etag
            assert await again.read() == b""
    async with client.get(path, headers={"if-none-match": '"other"'}) as changed:
        assert changed.status == 200


@pytest.mark.parametrize("page", ["/api-docs", "/api-docs/", "/prefix/api-docs"])
async def test_every_link_of_the_page_leads_to_this_server(
    client: aiohttp.ClientSession, page: str
) -> None:
    found = links(await read(client, page))
    assert len(found) == 4
    for link in found:
        assert "//" not in link
        assert find(page, link).startswith(page.rstrip("/") + "/")
        async with client.get(find(page, link)) as answer:
            assert answer.status == 200


def find(page: str, link: str) -> str:
    """Where a browser looks for `link` on `page`."""
    return urljoin(f"http://host{page}", link).removeprefix("http://host")


@pytest.mark.parametrize("script", ["/api-docs/init.js", "/prefix/api-docs/init.js"])
async def test_the_start_script_finds_the_document(
    client: aiohttp.ClientSession, script: str
) -> None:
    (relative,) = re.findall(r'new URL\("([^"]+)", document.currentScript.src\)', docs._INIT_SCRIPT)
    document = await read(client, find(script, relative))
    assert "/v1/chat/completions" in document


async def test_the_policy_allows_no_inline_script_and_no_other_host(
    client: aiohttp.ClientSession,
) -> None:
    async with client.get("/api-docs") as answer:
        policy = dict(
            part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; ")
        )
        page = await answer.text()
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert not re.search(r"\son\w+=", page)


async def test_the_document_describes_both_apis(client: aiohttp.ClientSession) -> None:
    async with client.get("/api-docs.json") as answer:
        document: dict[str, Any] = await answer.json()
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["info"]["version"] == __version__
    assert document["paths"]["/admin/widgets"]["get"]["tags"] == ["management"]
    assert "/v1/messages" in document["paths"]
    assert not any(path.startswith("/api-docs") for path in document["paths"])


async def test_other_methods_and_other_files_are_refused(client: aiohttp.ClientSession) -> None:
    async with client.post("/api-docs") as answer:
        assert answer.status == 405
        assert "GET" in answer.headers["allow"]
    for path in ("/api-docs/main.py", "/api-docs/..%2fmain.py", "/api-docs/__init__.py"):
        async with client.get(path) as answer:
            assert answer.status == 404


async def test_a_key_is_not_asked_for_and_not_kept(client: aiohttp.ClientSession) -> None:
    async with client.get("/api-docs", headers={"authorization": "Bearer wrong"}) as answer:
        assert answer.status == 200
    assert "persistAuthorization" not in await read(client, "/api-docs/init.js")
