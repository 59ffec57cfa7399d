"""`dragoman provider`: the services that the gateway stands in front of."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json, ProviderId, split_list

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.gateway import Gateway
    from dragoman.management import TestResult
    from dragoman.providers.presets import Preset
    from dragoman.providers.provider import Provider
    from dragoman.providers.spec import ProviderSpec

app = typer.Typer(help="The services that the gateway stands in front of.", no_args_is_help=True)


@app.command("list")
def list_providers(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List all providers, where each was defined, and what is wrong with it."""
    asyncio.run(_list(workplace.load_settings(config, data_dir), json))


@app.command()
def add(
    provider_id: Annotated[
        str | None,
        typer.Argument(metavar="ID", help="What to call it; a preset's id chooses that preset."),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(metavar="P", help="A known service; `provider presets` lists them."),
    ] = None,
    type_: Annotated[
        str | None,
        typer.Option("--type", metavar="T", help="A kind of server, such as openai-compatible."),
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="U", help="Its address, with or without /v1.")
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="K", help="Its API key; - reads standard input.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Its models; else it is asked for them."),
    ] = None,
    no_test: Annotated[
        bool, typer.Option("--no-test", help="Do not try the provider out.")
    ] = False,
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Add a provider, and say whether it works."""
    from dragoman.cli import provider_form

    if provider_id is not None:
        spec = provider_form.write_spec(
            provider_id,
            preset=preset,
            type=type_,
            base_url=base_url,
            api_key=provider_form.read_key() if key == "-" else key,
            models=split_list(models),
        )
    elif sys.stdin.isatty() and sys.stderr.isatty():
        spec = provider_form.ask()
    else:
        raise typer.BadParameter(
            "name the provider, such as `dragoman provider add deepseek --key KEY`",
            param_hint="'ID'",
        )
    asyncio.run(_add(workplace.load_settings(config, data_dir), spec, not no_test, json))


@app.command()
def remove(provider_id: ProviderId, config: Config = None, data_dir: DataDir = None) -> None:
    """Remove a provider that was added."""
    asyncio.run(_remove(workplace.load_settings(config, data_dir), provider_id))


@app.command()
def enable(provider_id: ProviderId, config: Config = None, data_dir: DataDir = None) -> None:
    """Let requests go to a provider again."""
    asyncio.run(_switch(workplace.load_settings(config, data_dir), provider_id, True))


@app.command()
def disable(provider_id: ProviderId, config: Config = None, data_dir: DataDir = None) -> None:
    """Let no request go to a provider, and keep it."""
    asyncio.run(_switch(workplace.load_settings(config, data_dir), provider_id, False))


@app.command("test")
def try_out(
    provider_id: ProviderId, config: Config = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Try a provider out, and print what it really answers."""
    asyncio.run(_test(workplace.load_settings(config, data_dir), provider_id, json))


@app.command()
def presets(
    search: Annotated[
        str | None, typer.Argument(metavar="SEARCH", help="A part of the id or the name.")
    ] = None,
    json: Json = False,
) -> None:
    """List the services that Dragoman knows."""
    from dragoman.providers.presets import PRESETS

    wanted = (search or "").casefold()
    found = [row for row in PRESETS.values() if wanted in row.id or wanted in row.name.casefold()]
    if json:
        output.print_json([_describe_preset(row) for row in found])
        return
    if not found:
        output.warn(f"No preset has {search!r} in its id or its name.")
    rows = [[row.id, row.name, ", ".join(row.keys)] for row in found]
    output.print_table(["PRESET", "NAME", "KEY FROM"], rows)


def _describe_preset(preset: Preset) -> dict[str, Any]:
    return {
        "id": preset.id,
        "name": preset.name,
        "type": preset.type,
        "base_url": preset.base_url,
        "example": preset.example,
        "keys": list(preset.keys),
        "key_url": preset.key_url,
        "docs_url": preset.docs_url,
        "note": preset.note,
    }


def describe_provider(gateway: Gateway, provider: Provider) -> dict[str, Any]:
    """A provider as JSON, without its keys. `model_count` is None where it was never asked."""
    known = gateway.catalog.lists.get(provider.id)
    listed = provider.models
    if listed is None and known is not None and known.fetched_at is not None:
        listed = known.models
    error = known.error if known is not None else None
    is_local = provider.source == "local"  # its address changes whenever its process starts
    state = "failing" if error else "ready"
    return {
        "id": provider.id,
        "name": provider.name,
        "type": provider.type,
        "preset": provider.preset,
        "source": provider.source.value,
        "enabled": provider.enabled,
        "state": state if provider.enabled else "disabled",
        "base_url": None if is_local else next(iter(provider.base_urls.values())),
        "protocols": sorted(provider.protocols),
        "key_count": len(provider.api_keys),
        "model_count": None if listed is None else len(listed),
        "error": error,
    }


def _describe_unusable(provider_id: str, problem: str) -> dict[str, Any]:
    """A stored provider that the gateway cannot use, with the members of the others."""
    return {
        "id": provider_id,
        "name": provider_id,
        "type": None,
        "preset": None,
        "source": "database",
        "enabled": False,
        "state": "unusable",
        "base_url": None,
        "protocols": [],
        "key_count": 0,
        "model_count": None,
        "error": problem,
    }


async def _list(settings: Settings, json: bool) -> None:
    async with workplace.work_on_gateway(settings) as gateway:
        providers = [describe_provider(gateway, each) for each in gateway.router.providers.values()]
        providers += [_describe_unusable(*problem) for problem in gateway.problems.items()]
    if json:
        output.print_json(providers)
        return
    output.print_table(
        ["ID", "TYPE", "FROM", "STATE", "MODELS"],
        [
            [
                each["id"],
                each["type"] or "",
                each["source"],
                each["state"],
                "" if each["model_count"] is None else str(each["model_count"]),
            ]
            for each in providers
        ],
    )
    for each in providers:
        if each["error"]:
            output.warn(f"{each['id']}: {each['error']}")


async def _add(settings: Settings, spec: ProviderSpec, wants_test: bool, json: bool) -> None:
    from dragoman.management import Management

    result: TestResult | None = None
    async with workplace.work_on_gateway(settings) as gateway:
        management = Management(gateway)
        await management.add_provider(spec)
        if wants_test:
            result = await management.test_provider(spec.id)
            if result.ok and result.models is not None:
                await management.fetch_models(spec.id)
        described = describe_provider(gateway, management.provider(spec.id))
        await workplace.tell_running(gateway.directory, gateway.box)
    if json:
        output.print_json({**described, "test": None if result is None else asdict(result)})
        return
    output.say(f"Added the provider {spec.id} ({described['base_url']}).")
    if result is not None and not result.ok:
        output.warn(f"It does not work yet: {result.message}")
    elif result is not None:
        output.say(f"It works: {result.message}")
    if described["model_count"] is not None:
        output.say(
            f"It has {output.count(described['model_count'], 'model')}:"
            f" `dragoman models --provider {spec.id}` lists them."
        )


async def _remove(settings: Settings, provider_id: str) -> None:
    from dragoman.management import Management

    async with workplace.work_on_gateway(settings) as gateway:
        await Management(gateway).remove_provider(provider_id)
        await workplace.tell_running(gateway.directory, gateway.box)
    output.say(f"Removed the provider {provider_id}.")


async def _switch(settings: Settings, provider_id: str, enabled: bool) -> None:
    from dragoman.management import Management

    async with workplace.work_on_gateway(settings) as gateway:
        await Management(gateway).set_enabled(provider_id, enabled)
        await workplace.tell_running(gateway.directory, gateway.box)
    output.say(f"The provider {provider_id} is {'enabled' if enabled else 'disabled'}.")


async def _test(settings: Settings, provider_id: str, json: bool) -> None:
    from dragoman.errors import UpstreamError
    from dragoman.management import Management

    async with workplace.work_on_gateway(settings) as gateway:
        result = await Management(gateway).test_provider(provider_id)
        await workplace.tell_running(gateway.directory, gateway.box)
    if json:
        output.print_json(asdict(result))
    elif result.ok:
        output.say(f"The provider {provider_id} works ({result.milliseconds} ms): {result.message}")
        output.say(f"It speaks {', '.join(sorted(result.protocols))}.")
    else:
        raise UpstreamError(result.message)
    if not result.ok:
        raise typer.Exit(1)
