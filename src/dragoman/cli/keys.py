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
    from dragoman.allowance import Allowance
    from dragoman.config import Settings
    from dragoman.keys import GatewayKey, IssuedKey

app = typer.Typer(help="The keys that clients of the gateway use.", no_args_is_help=True)

Models = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="GLOBS",
        help="The models it may use, such as 'anthropic:*,my-openai:gpt-4'; else all.",
    ),
]
Rpm = Annotated[int | None, typer.Option("--rpm", metavar="N", help="Requests a minute.")]
Tpm = Annotated[
    int | None, typer.Option("--tpm", metavar="N", help="Tokens a minute, input and output.")
]
Concurrency = Annotated[
    int | None, typer.Option("--concurrency", metavar="N", help="Requests at once.")
]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        metavar="USD/PERIOD",
        help="US dollars for a day, week, month or in total, such as 5/day; may be repeated.",
    ),
]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires",
        metavar="TIME",
        help="When it ends: 45m, 12h, 30d or 2w from now, or a date; else never.",
    ),
]

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
    models: Models = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    budgets: Budgets = None,
    expires: Expires = None,
    scope: Annotated[
        Literal["inference", "admin"],
        typer.Option("--scope", help="What it opens: the models, or management."),
    ] = "inference",
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    terms = {
        "models": split_list(models) or [],
        "expires_at": None if expires is None else _read_expiry(expires),
        "allowance": _read_allowance(rpm, tpm, concurrency, _split_budgets(budgets)),
    }
    asyncio.run(_create(workplace.load_settings(config, data_dir), name, scope, terms, json))


@app.command()
def change(
    key: KeyReference,
    models: Models = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    concurrency: Concurrency = None,
    budgets: Budgets = None,
    expires: Expires = None,
    lift: Annotated[
        str | None,
        typer.Option(
            "--lift",
            metavar="NAMES",
            help="Limits to take away: models, rpm, tpm, concurrency, budget, expires.",
        ),
    ] = None,
    config: Config = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Change what a key may use; limits that are not named stay."""
    changes: dict[str, Any] = _lifted(split_list(lift) or [])
    if models is not None:
        changes["models"] = split_list(models)
    if budgets is not None:
        changes["budgets"] = _split_budgets(budgets)
    if expires is not None:
        changes["expires_at"] = _read_expiry(expires)
    counts = {"rpm": rpm, "tpm": tpm, "concurrency": concurrency}
    changes |= {name: count for name, count in counts.items() if count is not None}
    _read_allowance(rpm, tpm, concurrency, changes.get("budgets", []))
    asyncio.run(_change(workplace.load_settings(config, data_dir), key, changes, json))


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


def _split_budgets(budgets: list[str] | None) -> list[str]:
    """Several budgets, each in an option of its own or separated by commas."""
    return [each for text in budgets or [] for each in split_list(text) or []]


def _read_allowance(
    rpm: int | None, tpm: int | None, concurrency: int | None, budgets: list[str]
) -> Allowance:
    """The limits that the options give. Raises typer.BadParameter."""
    from dragoman.allowance import read_allowance

    try:
        return read_allowance(rpm=rpm, tpm=tpm, concurrency=concurrency, budgets=budgets)
    except InvalidRequest as error:
        option = "budget" if error.param == "budgets" else error.param
        raise typer.BadParameter(error.message, param_hint=f"'--{option}'") from error


def _lifted(names: list[str]) -> dict[str, Any]:
    """What a key without these limits has in their place. Raises typer.BadParameter."""
    unlimited: dict[str, tuple[str, Any]] = {
        "models": ("models", []),
        "rpm": ("rpm", None),
        "tpm": ("tpm", None),
        "concurrency": ("concurrency", None),
        "budget": ("budgets", []),
        "expires": ("expires_at", None),
    }
    unknown = [name for name in names if name not in unlimited]
    if unknown:
        raise typer.BadParameter(
            f"`{unknown[0]}` is no limit: name {', '.join(unlimited)}.", param_hint="'--lift'"
        )
    return dict(unlimited[name] for name in names)


def describe_key(key: GatewayKey) -> dict[str, Any]:
    """A key as JSON; everything but the key itself."""
    from dragoman.allowance import Allowance

    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "state": _state(key),
        "scopes": sorted(key.scopes),
        "models": list(key.models),
        **(key.allowance or Allowance()).written(),
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
        ["NAME", "ID", "KEY", "STATE", "LIMITS", "OPENS"],
        [
            [
                key.name,
                key.id,
                key.hint,
                _describe_state(key),
                _describe_limits(key),
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


def _describe_limits(key: GatewayKey) -> str:
    """The limits in the words of the options: `10 rpm, 5/day`."""
    if key.allowance is None:
        return "none"
    limits = key.allowance.written()
    budgets = limits.pop("budgets")
    counts = [f"{count} {name}" for name, count in limits.items() if count is not None]
    return ", ".join([*counts, *budgets])


def _describe_reach(key: GatewayKey) -> str:
    """What the key opens: models, management, or both."""
    models = ", ".join(key.models) or "all models"
    names = {"inference": models, "admin": "management"}
    return ", ".join(names[scope] for scope in sorted(key.scopes, reverse=True))


async def _show(settings: Settings) -> None:
    async with workplace.work_on_keys(settings, changes=False) as service:
        print(await service.show_default())


async def _create(
    settings: Settings, name: str, scope: str, terms: dict[str, Any], json: bool
) -> None:
    async with workplace.work_on_keys(settings, changes=True) as service:
        issued = await service.create(name, scopes=[scope], **terms)
    _show_issued(issued, f"Created the key {issued.key.name} ({issued.key.id}). {_ONCE}", json)


async def _change(settings: Settings, reference: str, changes: dict[str, Any], json: bool) -> None:
    async with workplace.work_on_keys(settings, changes=True) as service:
        key = await service.change(reference, changes)
    if json:
        output.print_json(describe_key(key))
    else:
        output.say(
            f"The key {key.name} opens {_describe_reach(key)}; limits: {_describe_limits(key)}."
        )


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
