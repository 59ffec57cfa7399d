"""watcher: a changed file is taken over, a broken one is refused, and nobody notices but by what
they get."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from running_gateway import Running, provider, run_gateway
from scripted_upstream import Gate, ScriptedUpstream, json_answer, sse_answer

CHAT = "/v1/chat/completions"


@pytest.fixture
async def upstream() -> AsyncGenerator[ScriptedUpstream, None]:
    async with ScriptedUpstream() as scripted:
        scripted.on("*", json_answer({"ok": 1}))
        yield scripted


@pytest.fixture
async def running(upstream: ScriptedUpstream, tmp_path: Path) -> AsyncGenerator[Running, None]:
    async with run_gateway(tmp_path, provider(upstream.url)) as gateway:
        yield gateway


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what other tasks do sets no event
            await asyncio.sleep(0.02)


async def ask(running: Running, model: str) -> int:
    async with running.client() as client:
        return (await client.post(CHAT, json={"model": model, "messages": []})).status_code


def write(folder: Path, text: str) -> None:
    (folder / "dragoman.toml").write_text(text)


async def test_a_changed_file_is_taken_over(
    running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    gateway = running.gateway
    assert await ask(running, "new:m") == 404
    write(
        tmp_path,
        "[server]\nmax_body_mb = 1\nmax_requests = 7\nbreaker_failures = 3\nmax_attempts = 2\n"
        + provider(upstream.url, "new")
        + '[aliases]\nfast = "new:m"\n',
    )
    await until(lambda: "new" in gateway.router.providers)
    assert await ask(running, "new:m") == await ask(running, "fast") == 200
    assert await ask(running, "up:m") == 404
    assert gateway.max_body == 1_048_576
    assert gateway.admission.limit == 7
    assert gateway.health.breaker_failures == 3
    assert gateway.router.retry.attempts == 2
    assert gateway.config.needs_restart == ()


async def test_a_file_that_is_replaced_is_seen(
    running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    other = tmp_path / "dragoman.toml.new"
    other.write_text(provider(upstream.url, "new"))
    other.replace(tmp_path / "dragoman.toml")
    await until(lambda: "new" in running.gateway.router.providers)
    write(tmp_path, provider(upstream.url, "newer"))
    await until(lambda: "newer" in running.gateway.router.providers)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[server]\nprot = 1\n", 'did you mean "port"'),
        ("[[[", "not valid TOML"),
        (None, "does not exist"),
    ],
)
async def test_a_file_that_is_no_good_is_refused(
    text: str | None, reason: str, running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    config = running.gateway.config
    if text is None:
        (tmp_path / "dragoman.toml").rename(tmp_path / "elsewhere")
    else:
        write(tmp_path, text)
    await until(lambda: config.refusal is not None)
    assert reason in (config.refusal or "")
    assert await ask(running, "up:m") == 200
    write(tmp_path, provider(upstream.url, "good"))
    await until(lambda: config.refusal is None)
    assert await ask(running, "good:m") == 200


async def test_what_needs_a_restart_is_said_and_stays(
    running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    gateway = running.gateway
    write(tmp_path, '[server]\ngrace_s = 1\ncors_origins = ["*"]\n' + provider(upstream.url))
    await until(lambda: gateway.config.needs_restart != ())
    assert gateway.config.needs_restart == ("server.grace_s", "server.cors_origins")
    assert gateway.settings.server.grace_s == 30
    write(tmp_path, provider(upstream.url))
    await until(lambda: gateway.config.needs_restart == ())


async def test_sighup_reads_again(running: Running) -> None:
    before = running.gateway.config.loaded_at
    os.kill(os.getpid(), signal.SIGHUP)
    await until(lambda: running.gateway.config.loaded_at > before)


async def test_another_address_makes_what_was_known_void(
    running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    gateway = running.gateway
    write(tmp_path, provider(upstream.url, models=None))
    upstream.on("/v1/models", json_answer({"data": [{"id": "one"}]}))
    await until(lambda: [model.id for _, model in gateway.router.models()] == ["one"])
    async with ScriptedUpstream() as moved:
        moved.on("/v1/models", json_answer({"data": [{"id": "two"}]}))
        write(tmp_path, provider(moved.url, models=None))
        await until(lambda: [model.id for _, model in gateway.router.models()] == ["two"])


async def test_no_request_is_lost_while_the_file_changes(
    running: Running, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    gate = Gate()
    chunk = {"choices": [{"delta": {"content": "x"}}]}
    upstream.on("*", sse_answer(chunk, gate, chunk, done=True), json_answer({"ok": 1}))
    stop = asyncio.Event()

    async def keep_asking() -> list[int]:
        statuses: list[int] = []
        async with running.client() as client:
            while not stop.is_set():
                response = await client.post(CHAT, json={"model": "up:m", "messages": []})
                statuses.append(response.status_code)
        return statuses

    async with running.client() as client:
        body = {"model": "up:m", "messages": [], "stream": True}
        stream = asyncio.create_task(client.post(CHAT, json=body))
        await gate.reached()
        asking = [asyncio.create_task(keep_asking()) for _ in range(4)]
        gateway, config = running.gateway, running.gateway.config
        for name in ("one", "two", "three"):
            write(tmp_path, provider(upstream.url) + provider(upstream.url, name))
            await until(lambda name=name: name in gateway.router.providers)
            write(tmp_path, "[nonsense")
            await until(lambda: config.refusal is not None)
        stop.set()
        statuses = [status for each in await asyncio.gather(*asking) for status in each]
        gate.open()
        assert (await stream).text.endswith("data: [DONE]\n\n")
    assert len(statuses) >= 4
    assert set(statuses) == {200}
