"""Gateway keys: made, listed, renewed, ended. A key's secret is told once, when it is made; the
default key's alone can be asked for again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import Field

from dragoman.http.admin.route import Answer, GatewayPart, as_time, new_router
from dragoman.keys import GatewayKey, IssuedKey, Scope
from dragoman.management import read_expiry
from dragoman.providers.spec import Strict
from dragoman.store.clock import now_ms

router = new_router("/keys")

KeyName = Annotated[str, Path(description="the key's id, or its name where only one has it")]


class KeyState(StrEnum):
    """Whether a key opens anything."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyRequest(Strict):
    """What a new key is to be."""

    name: str = Field(min_length=1, max_length=100, description="what people call it")
    scopes: list[Scope] = Field(
        default=[Scope.INFERENCE],
        min_length=1,
        description="what it opens; `admin` does not include `inference`",
    )
    models: list[str] = Field(
        default=[], description="patterns of the models that it may use; none means every model"
    )
    expires: str | None = Field(
        default=None, description="when it ends: `30d`, `12h`, or an ISO 8601 time"
    )


class KeyAnswer(Answer):
    """A key without its secret."""

    id: str
    name: str
    hint: str = Field(description="the masked key")
    state: KeyState
    scopes: list[Scope]
    models: list[str]
    created_at: datetime | None = Field(description="null for a pinned key")
    rotated_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    pinned_by: str | None = Field(description="where a key stands that cannot be changed here")


class IssuedKeyAnswer(KeyAnswer):
    """A key with its secret, which is never told again."""

    key: str = Field(description="the secret")


class KeysAnswer(Answer):
    """Every key, dead ones too."""

    keys: list[KeyAnswer]


class SecretAnswer(Answer):
    """A secret alone."""

    key: str


@router.get("", summary="List gateway keys")
async def list_keys(gateway: GatewayPart) -> KeysAnswer:
    """Pinned, expired and revoked keys are among them."""
    return KeysAnswer(keys=[_describe(key) for key in gateway.keys.list()])


@router.post("", status_code=201, summary="Make a gateway key")
async def create_key(gateway: GatewayPart, wanted: KeyRequest) -> IssuedKeyAnswer:
    """The answer holds the key itself: keep it, since it is not told again."""
    expires_at = read_expiry(wanted.expires, datetime.now(UTC)) if wanted.expires else None
    issued = await gateway.keys.create(
        wanted.name, scopes=wanted.scopes, models=wanted.models, expires_at=expires_at
    )
    return _describe_issued(issued)


@router.get("/default/secret", summary="Show the default key")
async def show_default_key(gateway: GatewayPart) -> SecretAnswer:
    """The one key that can be shown again, so that clients can be set up with it."""
    return SecretAnswer(key=await gateway.keys.show_default())


@router.get("/{key}", summary="Show a gateway key")
async def show_key(gateway: GatewayPart, key: KeyName) -> KeyAnswer:
    """Everything but its secret."""
    return _describe(gateway.keys.find(key))


@router.post("/{key}/rotate", summary="Give a gateway key a new secret")
async def rotate_key(gateway: GatewayPart, key: KeyName) -> IssuedKeyAnswer:
    """The old secret opens nothing from now on."""
    return _describe_issued(await gateway.keys.rotate(key))


@router.delete("/{key}", summary="Revoke a gateway key")
async def revoke_key(gateway: GatewayPart, key: KeyName) -> KeyAnswer:
    """Ends the key for good. It stays in the list, so that its users are told what happened."""
    return _describe(await gateway.keys.revoke(key))


def _describe(key: GatewayKey) -> KeyAnswer:
    state = KeyState.LIVE
    if key.has_expired(now_ms()):
        state = KeyState.EXPIRED
    if key.revoked_at is not None:
        state = KeyState.REVOKED
    return KeyAnswer(
        id=key.id,
        name=key.name,
        hint=key.hint,
        state=state,
        scopes=sorted(key.scopes),
        models=list(key.models),
        created_at=as_time(key.created_at),
        rotated_at=as_time(key.rotated_at),
        expires_at=as_time(key.expires_at),
        revoked_at=as_time(key.revoked_at),
        pinned_by=key.pinned_by,
    )


def _describe_issued(issued: IssuedKey) -> IssuedKeyAnswer:
    return IssuedKeyAnswer(**_describe(issued.key).model_dump(), key=issued.secret)
