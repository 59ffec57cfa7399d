"""Talking to a model in the browser, and finding it again in the request log and the usage."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from running_gateway import provider, run_gateway
from scripted_upstream import Gate, ScriptedUpstream, json_answer, sse_answer
from ui.browsing import PHONE, browse, login_link

ATTACK = '<img src=x onerror="document.title=1"><script>document.title=1</script>'
LOGGED = "[server]\nlog_bodies = true\n"


def delta(text: str) -> dict[str, object]:
    return {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}],
    }


def end() -> list[dict[str, object]]:
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
    return [{**delta(""), "choices": [stop]}, {**delta(""), "choices": [], "usage": usage}]


async def say(page: Page, text: str) -> None:
    await page.get_by_label("Message").fill(text)
    await page.get_by_label("Message").press("Enter")


async def choose(page: Page, label: str, option: str) -> None:
    await page.get_by_role("combobox", name=label, exact=True).click()
    await page.get_by_role("option", name=option, exact=True).click()


async def test_an_answer_streams_and_stands_in_the_log_and_the_usage(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        gate = Gate()
        stream = sse_answer(delta("Hello "), gate, delta("there"), *end(), done=True)
        upstream.on("/v1/chat/completions", stream)
        toml = LOGGED + provider(upstream.url)
        async with run_gateway(tmp_path, toml) as running, browse(running) as page:
            await page.get_by_role("link", name="Playground").click()
            await say(page, "Hi")
            answer = page.get_by_role("article", name="Model")
            await expect(answer).to_contain_text("Hello")
            await expect(answer).not_to_contain_text("there")
            gate.open()
            await expect(answer).to_contain_text("Hello there")
            await expect(page.get_by_text("7 tokens in, 3 out")).to_be_visible()
            sent = upstream.requests[0].json()
            assert sent["messages"] == [{"role": "user", "content": "Hi"}]

            await page.get_by_role("link", name="In the log").click()
            detail = page.get_by_role("dialog")
            await expect(detail.get_by_text("Nothing was lost.")).to_be_visible()
            await expect(detail.get_by_text("unknown", exact=True)).to_be_visible()
            await detail.get_by_role("button", name="Close").click()
            await expect(page.get_by_role("row").filter(has_text="up:m")).to_be_visible()

            await page.get_by_role("link", name="Usage").click()
            await expect(page.get_by_role("img", name="Tokens")).to_be_visible()
            row = page.get_by_role("table", name="Sums").get_by_role("row").filter(has_text="up:m")
            await expect(row).to_contain_text("unknown")


async def test_what_a_model_writes_is_never_markup(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/chat/completions", sse_answer(delta(ATTACK), *end(), done=True))
        toml = LOGGED + provider(upstream.url)
        async with run_gateway(tmp_path, toml) as running, browse(running) as page:
            await page.get_by_role("link", name="Playground").click()
            await say(page, ATTACK)
            await expect(page.get_by_role("article", name="Model")).to_contain_text(ATTACK)
            await page.get_by_role("link", name="In the log").click()
            await page.get_by_role("tab", name="Client's request").click()
            await expect(page.get_by_role("region", name="Client's request")).to_contain_text(
                "onerror"
            )
            assert await page.locator("img[src='x']").count() == 0
            assert await page.title() == "Requests · Dragoman"


@pytest.mark.parametrize(
    "protocol", ["OpenAI Responses", "Anthropic Messages", "Gemini", "OpenAI Chat Completions"]
)
async def test_every_protocol_reaches_a_chat_provider(tmp_path: Path, protocol: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.on("/v1/chat/completions", sse_answer(delta("Hello"), *end(), done=True))
        toml = LOGGED + provider(upstream.url, protocols=["chat"])
        async with run_gateway(tmp_path, toml) as running, browse(running) as page:
            await page.get_by_role("link", name="Playground").click()
            await choose(page, "Protocol", protocol)
            await say(page, "Hi")
            await expect(page.get_by_role("article", name="Model")).to_contain_text("Hello")
            await expect(page.get_by_text("7 tokens in, 3 out")).to_be_visible()


async def test_a_failure_is_told_and_a_logged_request_is_replayed(tmp_path: Path) -> None:
    async with ScriptedUpstream() as upstream:
        refusal = json_answer({"error": {"message": "No such model here."}}, 404)
        upstream.on("/v1/chat/completions", refusal, sse_answer(delta("Fine"), *end(), done=True))
        toml = LOGGED + provider(upstream.url, models=["m", "n"])
        async with run_gateway(tmp_path, toml) as running, browse(running) as page:
            await page.get_by_role("link", name="Playground").click()
            await say(page, "Remember 42")
            await expect(page.get_by_role("alert")).to_contain_text("No such model here.")
            await page.get_by_role("link", name="In the log").click()
            await page.get_by_role("link", name="Replay").click()
            body = page.get_by_label("JSON", exact=True)
            await expect(body).to_have_value(re.compile("Remember 42"))
            await choose(page, "Model", "up:n")
            await page.get_by_role("button", name="Send", exact=True).click()
            await expect(page.get_by_role("article", name="Model")).to_contain_text("Fine")
            assert upstream.requests[-1].json()["model"] == "n"
            assert "Remember 42" in json.dumps(upstream.requests[-1].json())


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_fit_a_phone(tmp_path: Path, scheme: str) -> None:
    async with (
        ScriptedUpstream() as upstream,
        run_gateway(tmp_path, provider(upstream.url)) as running,
        browse(running, size=PHONE, scheme=scheme, language="zh-CN") as page,
    ):
        for place in ("playground", "requests", "usage"):
            await page.goto(f"{login_link(running).partition('?')[0]}#/{place}")
            await expect(page.get_by_role("heading", level=1)).to_be_visible()
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= PHONE["width"]
