"""What Dragoman knows of services and servers: the choices of a form that adds a provider."""

from __future__ import annotations

from pydantic import Field

from dragoman.http.admin.route import Answer, new_router
from dragoman.protocols import Protocol
from dragoman.providers.presets import PRESETS, Preset
from dragoman.providers.provider import Auth
from dragoman.providers.types import TYPES, ProviderType

router = new_router()


class TypeAnswer(Answer):
    """A kind of server."""

    id: str = Field(description="what `type` of a provider may be")
    name: str
    base_url: str | None = Field(description="its usual address; null where it has none")
    example: str = Field(description="what an address looks like; may be empty")
    base_urls: dict[Protocol, str] = Field(description="protocols that live elsewhere")
    protocols: list[Protocol] = Field(description="what it speaks natively")
    needs_key: bool = Field(description="whether requests carry a key")


class PresetAnswer(TypeAnswer):
    """A known service: choosing it fills in everything but the key."""

    id: str = Field(description="what `preset` of a provider may be")
    type: str = Field(description="its kind of server")
    environment_keys: list[str] = Field(description="variables that customarily hold its key")
    key_url: str = Field(description="where to get a key; may be empty")
    docs_url: str = Field(description="its documentation; may be empty")
    note: str = Field(description="what is special about it; may be empty")


class TypesAnswer(Answer):
    """Every kind of server."""

    types: list[TypeAnswer]


class PresetsAnswer(Answer):
    """Every known service."""

    presets: list[PresetAnswer]


@router.get("/presets", summary="List known services")
async def list_presets() -> PresetsAnswer:
    """Services that a provider can be made of with a key alone."""
    return PresetsAnswer(presets=[_describe_preset(row) for row in PRESETS.values()])


@router.get("/types", summary="List kinds of servers")
async def list_types() -> TypesAnswer:
    """What a provider can be whose service is not among the presets."""
    return TypesAnswer(types=[_describe_type(row) for row in TYPES.values()])


def _describe_type(row: ProviderType) -> TypeAnswer:
    return TypeAnswer(
        id=row.id,
        name=row.name,
        base_url=row.base_url,
        example=row.example,
        base_urls=dict(row.base_urls),
        protocols=sorted(row.protocols),
        needs_key=row.auth is not Auth.NONE,
    )


def _describe_preset(row: Preset) -> PresetAnswer:
    kind = TYPES[row.type]
    return PresetAnswer(
        id=row.id,
        name=row.name,
        type=row.type,
        base_url=row.base_url,
        example=row.example,
        base_urls=dict(row.base_urls),
        protocols=sorted(kind.protocols if row.protocols is None else row.protocols),
        needs_key=(row.auth or kind.auth) is not Auth.NONE,
        environment_keys=list(row.keys),
        key_url=row.key_url,
        docs_url=row.docs_url,
        note=row.note,
    )
