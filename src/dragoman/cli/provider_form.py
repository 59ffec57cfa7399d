"""A provider's spec out of what a person says on the command line, or answers when asked."""

from __future__ import annotations

import sys
from getpass import getpass

import pydantic
import typer
from rich.console import Console
from rich.prompt import Prompt

from dragoman.errors import InvalidRequest
from dragoman.providers.presets import PRESETS
from dragoman.providers.spec import ProviderSpec


def write_spec(
    provider_id: str,
    *,
    preset: str | None = None,
    type: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    models: list[str] | None = None,
) -> ProviderSpec:
    """The spec; an id that a preset has chooses that preset. Raises typer.BadParameter."""
    given = {"type": type, "preset": preset, "base_url": base_url, "api_key": api_key}
    try:
        return ProviderSpec.model_validate({"id": provider_id, **given, "models": models or None})
    except pydantic.ValidationError:
        # Only the id has a form that a command line can get wrong.
        raise typer.BadParameter(
            f"{provider_id!r} is no provider id: use a-z, 0-9, dots, dashes and underscores, 64 at"
            " most, and begin with a letter or a digit",
            param_hint="'ID'",
        ) from None


def read_key() -> str:
    """The key on standard input; typed unseen where that is a terminal. Raises InvalidRequest."""
    key = getpass("API key: ") if sys.stdin.isatty() else sys.stdin.read()
    if not key.strip():
        raise InvalidRequest("There is no key on standard input: `--key -` reads it from there.")
    return key.strip()


def ask() -> ProviderSpec:
    """The spec of a provider that a person describes in a short dialogue."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print("Which provider? A known service's id (`dragoman provider presets` lists them),")
    console.print("or any id for a server of your own.")
    provider_id = Prompt.ask("Provider", console=console).strip()
    preset = PRESETS.get(provider_id)
    kind = None
    if preset is None:
        kind = Prompt.ask("Type", default="openai-compatible", console=console)
    base_url = None
    if preset is None or preset.base_url is None:
        example = f" (such as {preset.example})" if preset and preset.example else ""
        base_url = Prompt.ask(f"Address{example}", console=console).strip()
    if preset is not None and preset.key_url:
        console.print(f"Keys come from {preset.key_url}.")
    key = getpass("API key (it stays unseen; Enter for none): ")
    return write_spec(provider_id, type=kind, base_url=base_url, api_key=key.strip() or None)
