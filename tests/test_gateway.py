"""gateway: snapshots that follow the configuration and the database."""

from __future__ import annotations

import asyncio
from pathlib import Path

from running_gateway import Running, provider, run_gateway

from dragoman.config import load
from dragoman.gateway import lacks_responses, open_gateway
from dragoman.protocols import Protocol
from dragoman.providers.provider import Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec

ELSEWHERE = "http://127.0.0.1:9"


def spec(provider_id: str, **fields: object) -> ProviderSpec:
    return ProviderSpec.model_validate(
        {
            "id": provider_id,
            "type": "openai-compatible",
            "base_url": ELSEWHERE,
            "models": ["m"],
            **fields,
        }
    )


def sources(running: Running) -> dict[str, Source]:
    return {name: each.source for name, each in running.gateway.router.providers.items()}


async def test_providers_come_from_file_and_database(tmp_path: Path) -> None:
    async with run_gateway(tmp_path, provider(ELSEWHERE, "filed")) as running:
        await running.gateway.store.providers.add(spec("stored"))
        await running.gateway.reload()
        assert sources(running) == {"filed": Source.FILE, "stored": Source.DATABASE}


async def test_a_stored_provider_is_shadowed_by_the_file(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running:
        await running.gateway.store.providers.add(spec("both"))
    async with run_gateway(tmp_path, provider(ELSEWHERE, "both")) as running:
        assert sources(running) == {"both": Source.FILE}
        assert "shadowed" in running.gateway.problems["both"]


async def test_without_a_file_the_environment_makes_providers(tmp_path: Path) -> None:
    environ = {"DEEPSEEK_API_KEY": "sk-0123456789", "HOME": str(tmp_path)}
    settings = load({"data_dir": tmp_path / "data"}, environ, tmp_path)
    async with open_gateway(settings, environ) as gateway:
        found = {name: each.source for name, each in gateway.router.providers.items()}
        assert found == {"local": Source.LOCAL, "deepseek": Source.ENVIRONMENT}


async def test_a_change_by_another_process_is_seen(tmp_path: Path) -> None:
    async with run_gateway(tmp_path) as running:
        settings = load(
            {"config": tmp_path / "dragoman.toml", "data_dir": tmp_path / "data"}, {}, tmp_path
        )
        async with open_gateway(settings, {}) as other:
            await other.store.providers.add(spec("later"))
            issued = await other.keys.create("later")
        async with asyncio.timeout(10):
            while "later" not in running.gateway.router.providers:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert running.gateway.keys.ring.authenticate(issued.secret).name == "later"


async def test_a_request_under_way_keeps_its_snapshot(tmp_path: Path) -> None:
    async with run_gateway(tmp_path, provider(ELSEWHERE)) as running:
        router = running.gateway.router
        await running.gateway.reload()
        assert running.gateway.router is not router
        assert router.resolve("up:m")


async def test_responses_that_were_found_are_spoken(tmp_path: Path) -> None:
    async with run_gateway(tmp_path, provider(ELSEWHERE)) as running:
        assert Protocol.RESPONSES not in running.gateway.router.providers["up"].protocols
        await running.gateway.remember_responses("up")
        found = running.gateway.router.providers["up"]
        assert Protocol.RESPONSES in found.protocols
        assert found.base_urls[Protocol.RESPONSES] == f"{ELSEWHERE}/v1"


def test_an_owner_who_lists_protocols_is_believed() -> None:
    silent, listed = spec("a"), spec("b", protocols=["chat"])
    assert lacks_responses(resolve(silent, Source.FILE), silent)
    assert not lacks_responses(resolve(listed, Source.FILE), listed)
    assert not lacks_responses(resolve(ProviderSpec(id="anthropic"), Source.FILE), None)
