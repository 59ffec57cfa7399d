"""http.ui: the built page and its files, and the page of a checkout that built none."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from running_gateway import run_gateway
from starlette.testclient import TestClient

from dragoman.http import ui

SCRIPT = b"export const answer = 42;\n" * 100


@pytest.fixture
def static(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A built UI of one script, one font and a file that is none of the browser's business."""
    assets = tmp_path / "assets"
    assets.mkdir()
    (tmp_path / "index.html").write_text('<script nonce="%NONCE%"></script><b nonce="%NONCE%">')
    (assets / "index-1a2b.js").write_bytes(SCRIPT)
    (assets / "text-3c4d.woff2").write_bytes(b"wOF2")
    (assets / "notes.txt").write_text("private")
    (tmp_path / "outside.js").write_text("private")
    monkeypatch.setattr(ui, "_STATIC", tmp_path)
    ui._load_asset.cache_clear()
    yield tmp_path
    ui._load_asset.cache_clear()


@pytest.fixture
def browser() -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(ui.router)
    app.add_api_route("/", lambda: ui.show_page())
    app.add_exception_handler(
        ui.NotFound, lambda request, error: ui.Response(str(error), status_code=404)
    )
    with TestClient(app) as client:
        yield client


@pytest.mark.usefixtures("static")
def test_each_page_has_a_nonce_of_its_own(browser: TestClient) -> None:
    nonces = set[str]()
    for _ in range(2):
        answer = browser.get("/")
        found = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert len(found) == 1
        assert f"'nonce-{found.copy().pop()}'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        nonces |= found
    assert len(nonces) == 2


def test_no_inline_script_is_admitted(browser: TestClient) -> None:
    rules = dict(
        rule.split(" ", 1)
        for rule in browser.get("/").headers["content-security-policy"].split("; ")
    )
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == "'self'"
    assert "unsafe" not in rules["style-src"]
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.usefixtures("static")
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_files_are_kept_for_good(browser: TestClient, encoding: str) -> None:
    with browser.stream(
        "GET", "/assets/index-1a2b.js", headers={"accept-encoding": encoding}
    ) as answer:
        sent = b"".join(answer.iter_raw())
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers.get("content-encoding", "identity") == encoding
    assert (gzip.decompress(sent) if encoding == "gzip" else sent) == SCRIPT


@pytest.mark.usefixtures("static")
def test_fonts_are_not_compressed_again(browser: TestClient) -> None:
    answer = browser.get("/assets/text-3c4d.woff2")
    assert (answer.content, answer.headers["content-type"]) == (b"wOF2", "font/woff2")
    assert "content-encoding" not in answer.headers


@pytest.mark.usefixtures("static")
@pytest.mark.parametrize(
    "name", ["absent.js", "notes.txt", "..%2Foutside.js", "%2e%2e/outside.js", ".js"]
)
def test_nothing_else_is_shown(browser: TestClient, name: str) -> None:
    answer = browser.get(f"/assets/{name}")
    assert answer.status_code == 404
    assert "private" not in answer.text


def test_a_checkout_without_pages_says_how_to_build_them(
    browser: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ui, "_STATIC", tmp_path / "absent")
    answer = browser.get("/")
    assert answer.status_code == 200
    assert ui.BUILD_COMMAND in answer.text
    assert "%NONCE%" not in answer.text
    assert browser.get("/assets/index-1a2b.js").status_code == 404


async def test_the_gateway_serves_the_ui(
    static: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("gateway")
    async with run_gateway(folder) as running, running.client(None) as browser:
        page = await browser.get("/")
        asset = await browser.get("/assets/index-1a2b.js")
        absent = await browser.get("/assets/absent.js")
    assert (page.status_code, page.headers["x-content-type-options"]) == (200, "nosniff")
    assert asset.content == SCRIPT
    assert absent.json()["error"]["code"] == "not_found"
