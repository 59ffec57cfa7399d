"""A browser in front of a running gateway: Debian's Chromium, driven by Playwright.

    async with browse(running) as page:
        await page.get_by_role("link", name="Models").click()

Whatever the page reports as an error, a broken content security policy above all, fails the test
when the block ends.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import ConsoleMessage, Page, async_playwright
from running_gateway import Running

from dragoman.http.guard import LOGIN_PURPOSE

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}

# What Chromium says of every answer that is a refusal; pages show those to their reader.
_EXPECTED = "Failed to load resource: the server responded with a status of "


@asynccontextmanager
async def browse(
    running: Running,
    *,
    logged_in: bool = True,
    language: str = "en-US",
    scheme: str = "light",
    size: dict[str, int] | None = None,
    **options: Any,
) -> AsyncGenerator[Page, None]:
    """A page of a new browser, at home and logged in by a link unless told otherwise."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_EXPECTED):
            complaints.append(message.text)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = await browser.new_context(
            locale=language,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport=size or WIDE,  # type: ignore[arg-type]
            reduced_motion="reduce",
            **options,
        )
        page = await context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(login_link(running) if logged_in else running.url)
        yield page
        await browser.close()
    assert complaints == []


def login_link(running: Running) -> str:
    """The link that `dragoman serve` prints."""
    return f"{running.url}/?token={running.gateway.box.mint(LOGIN_PURPOSE, 60)}"
