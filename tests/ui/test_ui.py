"""The web UI in a real browser, in front of a real gateway: what its owner does in the first hour.

`browsing.browse` fails each of these tests when the page logs an error: a breach of the content
security policy is one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect
from running_gateway import ADMIN_KEY, Running
from scripted_upstream import ScriptedUpstream
from ui.browsing import PHONE, browse, login_link

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
PLACES = ("/", "/providers", "/providers/+", "/providers/filed", "/models", "/keys", "/settings")
UPSTREAM_KEY = "sk-upstream-0123456789abcdefghij"
EVIL = '<img src=x onerror="document.title=`broken`"><script>document.title=`broken`</script>'


async def read_clipboard(page: Page) -> str:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return await page.evaluate("navigator.clipboard.readText()")


async def test_the_link_logs_in_once(running: Running) -> None:
    link = login_link(running)
    async with browse(running, logged_in=False) as page:
        await page.goto(link)
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        assert "token" not in page.url
    async with browse(running, logged_in=False) as page:
        await page.goto(link)
        await expect(page.get_by_text("That link was used before")).to_be_visible()


async def test_a_key_logs_in_and_the_session_ends(running: Running) -> None:
    async with browse(running, logged_in=False) as page:
        await page.get_by_label("Admin key").fill("sk-dragoman-wrong")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.get_by_label("Admin key").fill(ADMIN_KEY)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Admin key")).to_be_visible()
        await page.reload()
        await expect(page.get_by_label("Admin key")).to_be_visible()


async def test_a_provider_is_tried_added_and_asked(
    running: Running, upstream: ScriptedUpstream
) -> None:
    async with browse(running) as page:
        await page.get_by_role("link", name="Providers", exact=True).click()
        await page.get_by_role("link", name="Add a provider").click()
        await page.get_by_placeholder("Search services").fill("deeps")
        await page.get_by_role("link", name=re.compile("^DeepSeek")).click()
        address = page.get_by_label("Base URL")
        await expect(address).to_have_value("https://api.deepseek.com/v1")

        await address.fill(f"{upstream.url}/locked")
        await page.get_by_label("API key 1").fill("sk-wrong")
        await page.get_by_role("button", name="Test").click()
        await expect(page.get_by_role("status")).to_contain_text("That key is wrong.")

        await address.fill(upstream.url)
        await page.get_by_label("API key 1").fill(UPSTREAM_KEY)
        await page.get_by_role("button", name="Test").click()
        await expect(page.get_by_role("status")).to_contain_text("2 models")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_role("heading", name="DeepSeek")).to_be_visible()

        await page.get_by_role("button", name="Fetch models").click()
        await expect(page.get_by_text("It lists 2 models.")).to_be_visible()
        await page.get_by_role("link", name="See them").click()
        await expect(page.get_by_text("deepseek:two")).to_be_visible()
        assert UPSTREAM_KEY not in await page.content()
    async with running.client(ADMIN_KEY) as client:
        added = (await client.get("/admin/providers/deepseek")).json()
    assert (added["preset"], added["model_count"]) == ("deepseek", 2)


async def test_a_provider_is_changed_switched_and_removed(
    running: Running, upstream: ScriptedUpstream
) -> None:
    async with running.client(ADMIN_KEY) as client:
        await client.post(
            "/admin/providers",
            json={
                "id": "lab",
                "type": "openai-compatible",
                "base_url": upstream.url,
                "api_keys": ["sk-first-0123456789abcdefghijkl", "sk-second-0123456789abcdefgh"],
                "headers": {"x-team": "secret-team-name"},
            },
        )
    async with browse(running) as page:
        await page.goto(f"{running.url}/#/providers")
        await page.get_by_role("link", name="lab").click()
        await page.get_by_label("Name").fill("Laboratory")
        await page.get_by_role("button", name="Remove key 1").click()
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("heading", name="Laboratory")).to_be_visible()
        spec = running.gateway.specs["lab"]
        assert spec.api_keys == ["sk-second-0123456789abcdefgh"]
        assert spec.headers == {"x-team": "secret-team-name"}

        await page.get_by_role("link", name="All providers").click()
        await page.get_by_label("Laboratory is switched on").click(force=True)  # below its track
        await expect(page.get_by_text("switched off")).to_be_visible()
        assert not running.gateway.router.providers["lab"].enabled

        await page.get_by_role("link", name="Laboratory").click()
        await page.get_by_role("button", name="Remove", exact=True).click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        await expect(page.get_by_role("link", name="Add a provider")).to_be_visible()
        await expect(page.get_by_text("Laboratory")).to_have_count(0)


async def test_what_the_file_says_is_shown_and_not_changed(running: Running) -> None:
    async with browse(running) as page:
        await page.goto(f"{running.url}/#/providers/filed")
        await expect(page.get_by_text("It stands in the configuration file")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_have_count(0)
        await expect(page.get_by_role("button", name="Remove")).to_have_count(0)


async def test_a_key_is_made_used_and_revoked(running: Running, upstream: ScriptedUpstream) -> None:
    async def ask(key: str) -> httpx2.Response:
        async with running.client(key) as client:
            body = {"model": "filed:small", "messages": [{"role": "user", "content": "Hi"}]}
            return await client.post("/v1/chat/completions", json=body)

    async with browse(running) as page:
        await page.goto(f"{running.url}/#/keys")
        await page.get_by_role("button", name="Create a key").click()
        await page.get_by_label("Name").fill("laptop")
        await page.get_by_label("Requests a minute").fill("1")
        await page.get_by_label("a day", exact=True).fill("5")
        await page.get_by_role("button", name="Create", exact=True).click()
        dialog = page.get_by_role("dialog", name="The key laptop")
        key = (await dialog.locator("pre").inner_text()).strip()
        assert (await ask(key)).status_code == 200
        limited = await ask(key)
        assert (limited.status_code, limited.json()["error"]["code"]) == (
            429,
            "rate_limit_exceeded",
        )

        await dialog.get_by_role("button", name="I have copied it").click()
        await expect(dialog).to_have_count(0)
        assert key not in await page.content()
        row = page.get_by_role("row", name=re.compile("laptop"))
        await expect(row).to_contain_text("1 requests/min, $5 a day")

        await page.get_by_role("button", name="Change its limits: laptop").click()
        await page.get_by_label("Requests a minute").fill("")
        await page.get_by_role("button", name="Save").click()
        await expect(row).not_to_contain_text("requests/min")
        assert (await ask(key)).status_code == 200

        await page.get_by_role("button", name="Revoke: laptop").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(row).to_have_count(0)
        assert (await ask(key)).status_code == 401


async def test_the_default_key_is_shown_copied_and_replaced(running: Running) -> None:
    secret = await running.gateway.keys.show_default()
    async with browse(running) as page:
        await expect(page.get_by_role("button", name="Show the key")).to_be_visible()
        assert secret not in await page.content()
        await page.get_by_role("button", name="Show the key").click()
        await expect(page.locator("dd").filter(has_text=secret)).to_be_visible()

        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.get_by_role("button", name="Hide the key").click()
        await page.get_by_role("tabpanel").get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        command = await read_clipboard(page)
        assert command.startswith(f"curl {running.url}/v1/chat/completions")
        assert f"Bearer {secret}" in command

        await page.get_by_role("button", name="Replace the key").click()
        await page.get_by_role("dialog").get_by_role("button", name="Replace").click()
        await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await running.gateway.keys.show_default() != secret


async def test_home_counts_what_was_used_today(running: Running) -> None:
    key = await running.gateway.keys.show_default()
    async with running.client(key) as client:
        body = {"model": "filed:small", "messages": [{"role": "user", "content": "Hi"}]}
        assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
    async with browse(running) as page:
        figures = page.locator("dl").first
        await expect(figures).to_contain_text(re.compile(r"Requests\s*1\s*today"))
        await expect(figures).to_contain_text(re.compile(r"Input tokens\s*12"))


async def test_models_are_found_among_thousands(
    running: Running, upstream: ScriptedUpstream
) -> None:
    async with running.client(ADMIN_KEY) as client:
        await client.post(
            "/admin/providers",
            json={
                "id": "big",
                "type": "openai-compatible",
                "base_url": upstream.url,
                "models": [f"model-{number}" for number in range(10_000)],
            },
        )
    async with browse(running) as page:
        await page.goto(f"{running.url}/#/models")
        await expect(page.get_by_text("10,002 of 10,002")).to_be_visible()
        assert await page.get_by_role("row").count() < 100
        await page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
        await expect(page.get_by_text(re.compile(r"^big:model-[45]\d\d\d$")).first).to_be_visible()
        await page.get_by_label("Search models").fill("model-9876")
        await expect(page.get_by_text("1 of 10,002")).to_be_visible()
        await expect(page.get_by_text("big:model-9876")).to_be_visible()
        await page.reload()
        await expect(page.get_by_text("1 of 10,002")).to_be_visible()


async def test_both_languages_and_both_schemes(running: Running) -> None:
    async with browse(running, language="zh-CN", scheme="dark") as page:
        await expect(page.get_by_role("heading", name="首页")).to_be_visible()
        assert await page.locator("html").get_attribute("lang") == "zh-CN"
        dark = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.get_by_text("EN", exact=True).click()
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        await page.get_by_title("Light").click()
        await page.reload()
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert light != dark


async def test_what_others_say_is_text(running: Running, upstream: ScriptedUpstream) -> None:
    async with running.client(ADMIN_KEY) as client:
        added = await client.post(
            "/admin/providers",
            json={
                "id": "evil",
                "name": EVIL,
                "type": "openai-compatible",
                "base_url": upstream.url,
                "models": [{"id": "m", "name": EVIL, "abilities": [EVIL]}],
            },
        )
        assert added.status_code == 201
        made = await client.post("/admin/keys", json={"name": EVIL})
        assert made.status_code == 201
    async with browse(running) as page:
        for place in ("/providers", "/providers/evil", "/models", "/keys"):
            await page.goto(f"{running.url}/#{place}")
            await expect(page.get_by_text(EVIL).first).to_be_visible()
            assert await page.locator("img[src=x]").count() == 0
            assert await page.title() != "broken"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_everybody_can_use_it(running: Running, scheme: str) -> None:
    """No serious finding of axe on any page, nor beside an open form."""
    async with browse(running, scheme=scheme, bypass_csp=True) as page:
        for place in PLACES:
            await page.goto(f"{running.url}/#{place}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await expect(page.locator("[aria-busy]")).to_have_count(0)
            assert await find_barriers(page) == [], place
        await page.goto(f"{running.url}/#/keys")
        await page.get_by_role("button", name="Create a key").click()
        await expect(page.get_by_label("Name")).to_be_visible()
        assert await find_barriers(page) == []
    async with browse(running, logged_in=False, scheme=scheme, bypass_csp=True) as page:
        await expect(page.get_by_label("Admin key")).to_be_visible()
        assert await find_barriers(page) == []


async def find_barriers(page: Page) -> list[str]:
    """The serious and critical findings of axe, with the elements that they are about."""
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = await page.evaluate("axe.run()")
    return [
        f"{each['id']}: " + json.dumps([(n["html"], n["any"][:1]) for n in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


async def test_it_works_by_keyboard_alone(running: Running) -> None:
    async with browse(running) as page:
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.get_by_text("Skip to the page")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#content")).to_be_focused()
        keys = page.get_by_role("link", name="Keys")
        await keys.focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Create a key").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Name")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="Create a key")).to_be_focused()


async def test_nothing_is_wider_than_a_phone(running: Running) -> None:
    async with browse(running, size=PHONE) as page:
        for place in PLACES:
            await page.goto(f"{running.url}/#{place}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            await page.wait_for_load_state("networkidle")
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"], place
        await page.get_by_role("button", name="Open the navigation").click()
        await page.get_by_role("dialog").get_by_role("link", name="Models").click()
        await expect(page.get_by_role("heading", name="Models")).to_be_visible()
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def test_the_first_load_is_small(running: Running) -> None:
    sizes: dict[str, int] = {}
    async with browse(running, logged_in=False) as page:
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        await session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        session.on(
            "Network.loadingFinished",
            lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
        )
        await page.goto(login_link(running))
        await expect(page.get_by_role("heading", name="Home")).to_be_visible()
        await page.wait_for_load_state("networkidle")
    assert 50_000 < sum(sizes.values()) < 400_000
