"""`dragoman key`: the keys that clients of the gateway use."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dragoman.cli import output, workplace
from dragoman.cli.options import Config, DataDir, Json, KeyReference, split_list
from dragoman.errors import InvalidRequest

if TYPE_CHECKING:
    from dragoman.config import Settings
    from dragoman.keys import GatewayKey, IssuedKey

app = typer.Typer(help="The keys that clients of the gateway use.", no_args_is_help=True)

_ONCE = "It is shown this once: keep it."


@app.command("list")
def list_keys(config: Config = None, data_dir: DataDir = None, json: Json = False) -> None:
    """List all keys, masked; revoked and expired ones too."""
    asyncio.run(_list(workplace.load_settings(config, data_dir), json))


@app.command()
def show(config: Config = None, data_dir: DataDir = None) -> None:
    """Print the default key, and nothing else."""
    asyncio.run(_show(workplace.load_settings(config, data_dir)))


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What to call the key.")],
    models: Annotated[
        str | None,
        typer.Option(
            "--models",
            metavar="GLOBS",
            help="The models it may use, such as 'anthropic:*,my-openai:gpt-4'; else all.",
        ),
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            "--expires",
            metavar="TIME",
            help="When it ends: 45m, 12h, 30d or 2w from now, or a date; else never.",
        ),
    ] = None,
    scope: Annotated[
        Literal["inference", "admin"],
        typer.Option("--scope", help="What it opens: the models, or management."),
    ] = "inference",
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    ends = None if expires is None else _read_expiry(expires)
    settings = workplace.load_settings(config, data_dir)
    asyncio.run(_create(settings, name, split_list(models) or [], ends, scope, json))


@app.command()
def rotate(
    key: KeyReference, config: Config = None, data_dir: DataDir = None, json: Json = False
) -> None:
    """Give a key a new secret; the old one opens nothing from then on."""
    asyncio.run(_rotate(workplace.load_settings(config, data_dir), key, json))


@app.command()
def revoke(key: KeyReference, config: Config = None, data_dir: DataDir = None) -> None:
    """End a key for good."""
    asyncio.run(_revoke(workplace.load_settings(config, data_dir), key))


def _read_expiry(text: str) -> int:
    """When the key ends, in Unix milliseconds. Raises typer.BadParameter."""
    from dragoman.management import read_expiry

    try:
        return read_expiry(text, datetime.now(UTC))
    except InvalidRequest as error:
        raise typer.BadParameter(error.message, param_hint="'--expires'") from error


def describe_key(key: GatewayKey) -> dict[str, Any]:
    """A key as JSON; everything but the key itself."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "state": _state(key),
        "scopes": sorted(key.scopes),
        "models": list(key.models),
        "expires_at": output.iso_time(key.expires_at),
        "created_at": output.iso_time(key.created_at),
        "revoked_at": output.iso_time(key.revoked_at),
        "rotated_at": output.iso_time(key.rotated_at),
        "pinned_by": key.pinned_by,
    }


async def _list(settings: Settings, json: bool) -> None:
    async with workplace.work_on_keys(settings, changes=False) as service:
        keys = service.list()
    if json:
        output.print_json([describe_key(key) for key in keys])
        return
    output.print_table(
        ["NAME", "ID", "KEY", "STATE", "OPENS"],
        [
            [
                key.name,
                key.id,
                key.hint,
                _describe_state(key),
                _describe_reach(key),
            ]
            for key in keys
        ],
    )


def _state(key: GatewayKey) -> str:
    from dragoman.store.clock import now_ms

    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.has_expired(now_ms()) else "live"


def _describe_state(key: GatewayKey) -> str:
    """The state for a person: with the day on which the key ends, or where it is pinned."""
    state = _state(key)
    if key.pinned_by is not None:
        return f"pinned by {key.pinned_by}"
    if state == "live" and (ends := output.iso_time(key.expires_at)):
        return f"until {ends[:10]}"
    return state


def _describe_reach(key: GatewayKey) -> str:
    """What the key opens: models, management, or both."""
    models = ", ".join(key.models) or "all models"
    names = {"inference": models, "admin": "management"}
    return ", ".join(names[scope] for scope in sorted(key.scopes, reverse=True))


async def _show(settings: Settings) -> None:
    async with workplace.work_on_keys(settings, changes=False) as service:
        print(await service.show_default())


async def _create(
    settings: Settings,
    name: str,
    models: list[str],
    ends: int | None,
    scope: str,
    json: bool,
) -> None:
    async with workplace.work_on_keys(settings, changes=True) as service:
        issued = await service.create(name, scopes=[scope], models=models, expires_at=ends)
    _show_issued(issued, f"Created the key {issued.key.name} ({issued.key.id}). {_ONCE}", json)


async def _rotate(settings: Settings, reference: str, json: bool) -> None:
    async with workplace.work_on_keys(settings, changes=True) as service:
        issued = await service.rotate(reference)
    if issued.key.id == "default":
        text = "Rotated the default key; `dragoman key show` prints it again."
    else:
        text = f"Rotated the key {issued.key.name}. {_ONCE}"
    _show_issued(issued, text, json)


def _show_issued(issued: IssuedKey, text: str, json: bool) -> None:
    if json:
        fields = describe_key(issued.key)
        identity = {name: fields.pop(name) for name in ("id", "name")}
        output.print_json({**identity, "key": issued.secret, **fields})
        return
    output.say(text)
    print(issued.secret)


async def _revoke(settings: Settings, reference: str) -> None:
    async with workplace.work_on_keys(settings, changes=True) as service:
        key = await service.revoke(reference)
    output.say(f"Revoked the key {key.name} ({key.id}).")
