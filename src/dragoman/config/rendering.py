"""The effective configuration as text: what `dragoman config show` and `config check` print."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from pydantic import BaseModel, SecretStr

from dragoman.config.loading import load
from dragoman.config.positions import KeyPath
from dragoman.config.settings import Settings
from dragoman.errors import ConfigError

MASK = "***"

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SECRET_NAMES = frozenset({"api_key", "api_keys", "admin_key", "database_url", "redis_url"})
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+(?=@)")


def check(cli: Mapping[str, object], environ: Mapping[str, str], cwd: Path) -> tuple[bool, str]:
    """Whether the configuration would be accepted, and lines that say so or say why not."""
    try:
        settings = load(cli, environ, cwd)
    except ConfigError as error:
        return False, error.message
    origin = str(settings.file) if settings.file else "no configuration file"
    counts = f"providers: {len(settings.providers)}, aliases: {len(settings.aliases)}"
    lines = [f"The configuration is valid ({origin}; {counts})."]
    return True, "\n".join([*lines, *(f"warning: {warning}" for warning in settings.warnings)])


def render(settings: Settings) -> str:
    """The effective configuration in TOML, each value with its origin, every secret masked."""
    return "\n".join(_lines(settings)) + "\n"


def _lines(settings: Settings) -> Iterator[str]:
    yield f"# Effective configuration. File: {settings.file or 'none'}. Secrets are masked."
    yield from ("", "[server]")
    yield from _table(settings, settings.server, ("server",), all_fields=True)
    for n, provider in enumerate(settings.providers):
        yield from ("", "[[providers]]")
        yield from _table(settings, provider, ("providers", n))
    if settings.aliases:
        yield from ("", "[aliases]")
        for name, alias in settings.aliases.items():
            yield _assignment(settings, ("aliases", name), alias.written())
    yield from ("", "[local]")
    yield from _table(settings, settings.local, ("local",), all_fields=True)
    yield from ("", "[memory]")
    yield from _table(settings, settings.memory, ("memory",), all_fields=True)
    for n, price in enumerate(settings.prices):
        yield from ("", "[[prices]]")
        yield from _table(settings, price, ("prices", n))


def _table(
    settings: Settings, model: BaseModel, path: KeyPath, *, all_fields: bool = False
) -> Iterator[str]:
    """The fields of a table: all of them, or those that were given."""
    for name, value in model.model_dump(exclude_unset=not all_fields).items():
        if value is not None:
            yield _assignment(settings, (*path, name), value)
        elif all_fields:
            yield f"# {name} is not set"


def _assignment(settings: Settings, path: KeyPath, value: object) -> str:
    key = path[-1]
    hidden = hide(value, str(key))
    return f"{_key(str(key))} = {_value(hidden)}  # {settings.origin(*path)}"


def hide(value: object, name: str) -> object:
    """`value` without secrets: keys, header values, passwords in URLs."""
    match value:
        case SecretStr():
            return MASK
        case str() if name in _SECRET_NAMES:
            return MASK
        case str():
            return _USER_INFO.sub(MASK, value)
        case dict():
            table = cast("dict[str, object]", value)
            if name == "headers":
                return dict.fromkeys(table, MASK)
            return {key: hide(item, key) for key, item in table.items()}
        case list() | tuple():
            return [hide(item, name) for item in cast("list[object]", value)]
        case _:
            return value


def _value(value: object) -> str:
    """A value in TOML, tables inline and without their unset keys."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case datetime.date() | datetime.time():
            return value.isoformat()
        case list():
            return f"[{', '.join(map(_value, cast('list[object]', value)))}]"
        case dict():
            table = cast("dict[str, object]", value)
            pairs = [f"{_key(key)} = {_value(v)}" for key, v in table.items() if v is not None]
            return f"{{{', '.join(pairs)}}}"
        case _:
            return _text(str(value))


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """A basic string: JSON's escapes are TOML's too, but TOML also forbids a bare DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
