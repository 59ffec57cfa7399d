"""The effective settings and where each of them comes from. They are read when the gateway starts,
so there is nothing to change here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from pydantic import BaseModel, Field

from dragoman.config import Settings
from dragoman.config.positions import KeyPath
from dragoman.config.rendering import hide
from dragoman.http.admin.route import Answer, GatewayPart, new_router

router = new_router("/settings")


class SettingAnswer(Answer):
    """One setting."""

    name: str = Field(description="its place in the configuration file, such as `server.port`")
    value: Any = Field(description="what holds; secrets are masked, null means not set")
    origin: str = Field(description="a line of the file, a variable, an option, or `default`")


class SettingsAnswer(Answer):
    """Every setting."""

    file: str | None = Field(description="the configuration file; null where there is none")
    settings: list[SettingAnswer]


@router.get("", summary="List the effective settings")
async def list_settings(gateway: GatewayPart) -> SettingsAnswer:
    """Of `[server]` and `[local]` everything is listed, of aliases what was given; providers are
    at `/admin/providers`."""
    settings = gateway.settings
    return SettingsAnswer(
        file=str(settings.file) if settings.file else None,
        settings=[
            SettingAnswer(
                name=".".join(str(part) for part in path),
                value=hide(value, str(path[-1])),
                origin=settings.origin(*path),
            )
            for path, value in _values(settings)
        ],
    )


def _values(settings: Settings) -> Iterator[tuple[KeyPath, object]]:
    tables: dict[str, BaseModel] = {
        "server": settings.server,
        "local": settings.local,
        "memory": settings.memory,
    }
    for table, model in tables.items():
        for name, value in model:
            yield (table, name), _plain(value)
    for name, alias in settings.aliases.items():
        yield ("aliases", name), alias.written()


def _plain(value: object) -> object:
    """Lists of tables as lists of dicts, whose members can be looked at one by one."""
    if not isinstance(value, tuple):
        return value
    items = cast("tuple[object, ...]", value)
    return [item.model_dump() if isinstance(item, BaseModel) else item for item in items]
