"""What `serve` says once it listens: where, with which key, and what to try first."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console

from dragoman import __version__
from dragoman.cli import output
from dragoman.gateway import Gateway
from dragoman.http.guard import LOGIN_LIFE_S, LOGIN_PURPOSE
from dragoman.local.models import INSTALL_HINT, find_builtin, has_engine
from dragoman.secrets import mask


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known of a gateway at the moment at which it listens.

    `is_new` tells that the key was made by this start. `waiting` are the providers whose lists of
    models are still being asked for, `hints` what the owner may want to do, `show_key` the command
    that prints the key.
    """

    url: str
    login_url: str
    key: str
    is_new: bool
    providers: int
    models: tuple[str, ...]
    waiting: tuple[str, ...]
    hints: tuple[str, ...]
    show_key: str


async def read_ready(gateway: Gateway, url: str, place: Sequence[str]) -> Ready:
    """Gathers what the banner tells, and mints the link that logs a browser in. `place` are the
    options that name this configuration and data directory."""
    router = gateway.router
    enabled = [provider for provider in router.providers.values() if provider.enabled]
    return Ready(
        url=url,
        login_url=f"{url}/?token={gateway.box.mint(LOGIN_PURPOSE, LOGIN_LIFE_S)}",
        key=await gateway.keys.show_default(),
        is_new=gateway.keys.made_default,
        providers=len(enabled),
        models=tuple(f"{provider.id}:{model.id}" for provider, model in router.models()),
        waiting=tuple(
            each.id
            for each in enabled
            if each.models is None and each.list_url and each.id not in gateway.catalog.lists
        ),
        hints=tuple(_hints(gateway, len(enabled))),
        show_key=shlex.join(["dragoman", "key", "show", *place]),
    )


def print_warnings(gateway: Gateway) -> None:
    """What the configuration allows but may surprise, and the providers that cannot be used."""
    for warning in gateway.settings.warnings:
        output.warn(warning)
    for provider_id, problem in gateway.problems.items():
        output.warn(f"provider {provider_id}: {problem}")


def print_line(ready: Ready) -> None:
    """One line of JSON for scripts; it holds the key in full."""
    fields = {
        "url": ready.url,
        "login_url": ready.login_url,
        "key": ready.key,
        "models": len(ready.models),
    }
    print(json.dumps(fields), flush=True)


def print_banner(ready: Ready) -> None:
    """The banner for people, at 80 columns."""
    console = Console(markup=False, emoji=False, highlight=False, soft_wrap=True)
    console.print(f"Dragoman {__version__} listens. {_counts(ready)}", style="bold")
    console.print()
    console.print(f"  Base URL  {ready.url}")
    if ready.is_new:
        console.print(f"  API key   {ready.key}")
    else:
        console.print(f"  API key   {mask(ready.key)}   ({ready.show_key} prints it)")
    console.print("  Browser   this link logs in once:")
    # At the left edge, so that what a terminal wraps is still one piece to select.
    console.print(ready.login_url)
    if ready.models:
        console.print()
        console.print("  Try it:")
        console.print(_curl(ready))
    for hint in ready.hints:
        console.print()
        console.print(hint)
    sys.stdout.flush()


def _counts(ready: Ready) -> str:
    models = output.count(len(ready.models), "model")
    text = f"{models} from {output.count(ready.providers, 'provider')}"
    if not ready.waiting:
        return text + "."
    return f"{text}; asking {output.count(len(ready.waiting), 'provider')} for more."


def _curl(ready: Ready) -> str:
    return "\n".join(
        [
            f"curl {ready.url}/v1/chat/completions \\",
            f'  -H "Authorization: Bearer $({ready.show_key})" \\',
            "  -H 'Content-Type: application/json' \\",
            f'  -d \'{{"model": {json.dumps(ready.models[0])},',
            '       "messages": [{"role": "user", "content": "Say hello."}]}\'',
        ]
    )


def _hints(gateway: Gateway, providers: int) -> list[str]:
    hints: list[str] = []
    if gateway.settings.local.enabled:
        if not has_engine():
            hints.append(f"The embedded model needs its engine. {INSTALL_HINT}")
        elif find_builtin(gateway.directory.path) is None:
            hints.append("The embedded model is not here yet: `dragoman local pull` brings it.")
    if not any(each.source != "local" for each in gateway.router.providers.values()):
        hints.append("Add a provider: `dragoman provider add` asks what it needs to know.")
    return hints
