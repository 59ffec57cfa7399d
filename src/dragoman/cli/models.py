"""`dragoman models`: the names to put into a request."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.gateway import Gateway
    from dragoman.providers.provider import Model, Provider


def list_models(
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="ID", help="Only this provider's.")
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """List the models of all enabled providers by the names that a request takes."""
    asyncio.run(_list(workplace.load_settings(config, data_dir), provider, json))


async def _list(settings: Settings, provider_id: str | None, json: bool) -> None:
    async with workplace.work_on_gateway(settings) as gateway:
        providers = _choose(gateway, provider_id)
        failures = await _ask_new(gateway, providers)
        chosen = {provider.id for provider in providers}
        found = [(owner, model) for owner, model in gateway.router.models() if owner.id in chosen]
    for failed, reason in failures.items():
        output.warn(f"{failed}: {reason}")
    if json:
        output.print_json([_describe(owner, model) for owner, model in found])
    elif sys.stdout.isatty():
        rows = [[f"{owner.id}:{model.id}", _size(model), model.name] for owner, model in found]
        output.print_table(["MODEL", "CONTEXT", "NAME"], rows)
    else:
        for owner, model in found:
            output.say(f"{owner.id}:{model.id}")
    if provider_id in failures and not found:
        raise typer.Exit(1)


def _choose(gateway: Gateway, provider_id: str | None) -> list[Provider]:
    """The enabled providers, or the one that is asked for. Raises ProviderNotFound."""
    if provider_id is None:
        return [each for each in gateway.router.providers.values() if each.enabled]
    from dragoman.errors import ProviderNotFound
    from dragoman.management import Management

    provider = Management(gateway).provider(provider_id)
    if not provider.enabled:
        raise ProviderNotFound(
            f"The provider `{provider_id}` is disabled: `dragoman provider enable {provider_id}`"
            " enables it."
        )
    return [provider]


async def _ask_new(gateway: Gateway, providers: list[Provider]) -> dict[str, str]:
    """Asks the providers that have never given a list; what those that gave none said."""
    lists = gateway.catalog.lists
    known = {provider_id for provider_id, each in lists.items() if each.fetched_at is not None}
    unknown = [
        each for each in providers if each.models is None and each.list_url and each.id not in known
    ]
    answers = await asyncio.gather(*(gateway.catalog.refresh(each) for each in unknown))
    if unknown:
        await gateway.rebuild()
    return {each.provider_id: each.error for each in answers if each.error is not None}


def _describe(owner: Provider, model: Model) -> dict[str, Any]:
    return {
        "id": f"{owner.id}:{model.id}",
        "name": model.name,
        "provider": owner.id,
        "provider_type": owner.type,
        "context_length": model.context_length,
        "max_output": model.max_output,
        "abilities": sorted(model.abilities),
    }


def _size(model: Model) -> str:
    return "" if model.context_length is None else f"{model.context_length:,}"
