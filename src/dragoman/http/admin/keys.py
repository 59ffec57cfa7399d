"""Gateway keys: made, listed, renewed, ended. A key's secret is told once, when it is made; the
default key's alone can be asked for again."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Path
from pydantic import Field

from dragoman.allowance import Allowance, read_allowance
from dragoman.http.admin.route import Answer, GatewayPart, as_time, new_router
from dragoman.keys import NO_LIMITS, GatewayKey, IssuedKey, Scope
from dragoman.management import read_expiry
from dragoman.providers.spec import Strict
from dragoman.store.clock import now_ms

router = new_router("/keys")

KeyName = Annotated[str, Path(description="the key's id, or its name where only one has it")]


class GatewayKeyState(StrEnum):
    """Whether a key opens anything."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


class KeyTerms(Strict):
    """What a key may use, and until when; null and an empty list mean no limit."""

    models: list[str] = Field(
        default=[], description="patterns of the models that it may use; none means every model"
    )
    expires: str | None = Field(
        default=None, description="when it ends: `30d`, `12h`, or an ISO 8601 time"
    )
    rpm: int | None = Field(default=None, description="requests a minute")
    tpm: int | None = Field(default=None, description="tokens a minute, input and output")
    concurrency: int | None = Field(default=None, description="requests at once")
    budgets: list[str] = Field(
        default=[],
        description="US dollars for a `day`, `week`, `month` or in `total`, such as `5/day`",
    )

    def allowance(self) -> Allowance:
        """The limits. Raises InvalidRequest."""
        return read_allowance(
            rpm=self.rpm, tpm=self.tpm, concurrency=self.concurrency, budgets=self.budgets
        )


class KeyRequest(KeyTerms):
    """What a new key is to be."""

    name: str = Field(min_length=1, max_length=100, description="what people call it")
    scopes: list[Scope] = Field(
        default=[Scope.INFERENCE],
        min_length=1,
        description="what it opens; `admin` does not include `inference`",
    )


class KeyChange(KeyTerms):
    """The terms that are to change: those that are given, each as a whole."""


class KeyAnswer(Answer):
    """A key without its secret."""

    id: str
    name: str
    hint: str = Field(description="the masked key")
    state: GatewayKeyState
    scopes: list[Scope]
    models: list[str]
    rpm: int | None = Field(description="requests a minute")
    tpm: int | None = Field(description="tokens a minute")
    concurrency: int | None = Field(description="requests at once")
    budgets: list[str] = Field(description="US dollars a period, such as `5/day`")
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
    issued = await gateway.keys.create(
        wanted.name,
        scopes=wanted.scopes,
        models=wanted.models,
        expires_at=_read_end(wanted.expires),
        allowance=wanted.allowance(),
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


@router.patch("/{key}", summary="Change what a gateway key may use")
async def change_key(gateway: GatewayPart, key: KeyName, change: KeyChange) -> KeyAnswer:
    """The members that are given replace what the key has; null lifts a limit."""
    changes = change.model_dump(exclude_unset=True)
    if "expires" in changes:
        changes["expires_at"] = _read_end(changes.pop("expires"))
    return _describe(await gateway.keys.change(key, changes))


@router.post("/{key}/rotate", summary="Give a gateway key a new secret")
async def rotate_key(gateway: GatewayPart, key: KeyName) -> IssuedKeyAnswer:
    """The old secret opens nothing from now on."""
    return _describe_issued(await gateway.keys.rotate(key))


@router.delete("/{key}", summary="Revoke a gateway key")
async def revoke_key(gateway: GatewayPart, key: KeyName) -> KeyAnswer:
    """Ends the key for good. It stays in the list, so that its users are told what happened."""
    return _describe(await gateway.keys.revoke(key))


def _read_end(expires: str | None) -> int | None:
    return read_expiry(expires, datetime.now(UTC)) if expires else None


def _describe(key: GatewayKey) -> KeyAnswer:
    state = GatewayKeyState.LIVE
    if key.has_expired(now_ms()):
        state = GatewayKeyState.EXPIRED
    if key.revoked_at is not None:
        state = GatewayKeyState.REVOKED
    return KeyAnswer(
        id=key.id,
        name=key.name,
        hint=key.hint,
        state=state,
        scopes=sorted(key.scopes),
        models=list(key.models),
        **(key.allowance or NO_LIMITS).written(),
        created_at=as_time(key.created_at),
        rotated_at=as_time(key.rotated_at),
        expires_at=as_time(key.expires_at),
        revoked_at=as_time(key.revoked_at),
        pinned_by=key.pinned_by,
    )


def _describe_issued(issued: IssuedKey) -> IssuedKeyAnswer:
    return IssuedKeyAnswer(**_describe(issued.key).model_dump(), key=issued.secret)
