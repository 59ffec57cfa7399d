"""Gateway keys: what a client must show, and what it may do with it.

A key is `sk-dragoman-` and 43 URL-safe random characters (256 bits). The database knows only its
digest, so a key is shown once, when it is made; the default key alone has an encrypted copy,
since a person wants to see that one again. Keys may also be *pinned* from outside, by the
environment or the configuration file: these live in memory and are never stored.

Requests are checked against a `KeyRing`, an immutable snapshot; each change makes a new one.
"""

from __future__ import annotations

import fnmatch
import hmac
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dragoman.allowance import Allowance, read_allowance
from dragoman.errors import ConfigError, Conflict, InvalidApiKey, InvalidRequest, NotFound
from dragoman.secrets import KEY_PREFIX, SecretBox, mask
from dragoman.store.clock import now_ms
from dragoman.store.keys import KeyRecord, KeyStore

NO_LIMITS = Allowance()
DEFAULT_KEY = "default"
ADMIN_KEY = "admin"
MINIMUM_PINNED = 16

_RANDOM_BYTES = 32
_LONGEST_NAME = 100


class Scope(StrEnum):
    """What a key opens: the inference endpoints, or management. Neither includes the other."""

    INFERENCE = "inference"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """A key without its secret. Times are Unix milliseconds.

    `models` are globs over `provider:model` or aliases (`anthropic:*`), and with none of them
    every model is allowed. `hint` is the masked key. `allowance` is None where nothing is limited.
    `pinned_by` says where a pinned key stands; such a key has no `created_at`.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    hint: str
    models: tuple[str, ...] = ()
    expires_at: int | None = None
    created_at: int | None = None
    revoked_at: int | None = None
    rotated_at: int | None = None
    pinned_by: str | None = None
    allowance: Allowance | None = None
    _globs: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        globs = "|".join(fnmatch.translate(glob) for glob in self.models)
        object.__setattr__(self, "_globs", re.compile(globs) if globs else None)

    def allows(self, model_name: str) -> bool:
        """Whether the key may use the model that is called so; upper and lower case differ."""
        return self._globs is None or self._globs.match(model_name) is not None

    def has_expired(self, now: int) -> bool:
        """Whether the key's time is over at `now`."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Pin:
    """A key that is given from outside; `where` is a setting's name, for messages."""

    secret: str = field(repr=False)
    where: str


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key at the only moment at which its secret is known."""

    key: GatewayKey
    secret: str = field(repr=False)


class KeyRing:
    """Every key by its digest; dead ones too, so that their users learn what happened."""

    __slots__ = ("_clock", "_digest", "_keys")

    def __init__(
        self,
        keys: Mapping[bytes, GatewayKey],
        digest: Callable[[str], bytes],
        *,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._keys = {stored: (stored, key) for stored, key in keys.items()}
        self._digest = digest
        self._clock = clock

    def __iter__(self) -> Iterator[GatewayKey]:
        return (key for _, key in self._keys.values())

    def authenticate(self, credential: str | None) -> GatewayKey:
        """The live key that `credential` is. Raises `InvalidApiKey`, which never quotes it."""
        if not credential:
            raise InvalidApiKey(
                "No API key was sent. Send a gateway key as `Authorization: Bearer KEY`,"
                " `x-api-key` or `x-goog-api-key`; `dragoman key show` prints the default one."
            )
        digest = self._digest(credential)
        stored, key = self._keys.get(digest, (b"", None))
        if key is None or not hmac.compare_digest(digest, stored):
            raise InvalidApiKey(
                "The API key that was sent is not one of this gateway's. Use a gateway key, not a"
                " provider's; `dragoman key list` shows which there are."
            )
        if key.revoked_at is not None:
            raise InvalidApiKey(f"The gateway key {key.name!r} was revoked. Ask for another.")
        if key.has_expired(self._clock()):
            raise InvalidApiKey(f"The gateway key {key.name!r} has expired. Ask for another.")
        return key


class KeyService:
    """Makes, changes and lists keys, and keeps `ring` in step with what it does.

    Changes by other processes are seen after `reload`, which is due whenever the database's
    revision has moved.
    """

    def __init__(
        self,
        store: KeyStore,
        box: SecretBox,
        *,
        pins: Mapping[str, Pin],
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._box = box
        self._pins = pins
        self._clock = clock
        self.ring = KeyRing({}, box.digest)
        self.made_default = False

    @classmethod
    async def open(
        cls,
        store: KeyStore,
        box: SecretBox,
        *,
        default_pin: Pin | None = None,
        admin_pin: Pin | None = None,
        clock: Callable[[], int] = now_ms,
    ) -> KeyService:
        """The service, with a default key: the pinned one, else one that is made when missing.

        `made_default` tells whether that has just happened. Raises `ConfigError` for a pinned key
        that is too short, cannot be sent in a header, or serves as both.
        """
        pins = {
            key_id: _check(pin)
            for key_id, pin in ((DEFAULT_KEY, default_pin), (ADMIN_KEY, admin_pin))
            if pin is not None
        }
        if default_pin and admin_pin and default_pin.secret == admin_pin.secret:
            raise ConfigError(
                f"{default_pin.where} and {admin_pin.where} hold the same key. The default key is"
                " given to clients and must not open management; choose two."
            )
        service = cls(store, box, pins=pins, clock=clock)
        if DEFAULT_KEY not in pins:
            await service._ensure_default()
        await service.reload()
        return service

    def authenticate(self, credential: str | None) -> GatewayKey:
        """See `KeyRing.authenticate`."""
        return self.ring.authenticate(credential)

    def list(self) -> tuple[GatewayKey, ...]:
        """Every key, pinned and dead ones too."""
        return tuple(self.ring)

    def find(self, reference: str) -> GatewayKey:
        """The key with this id, or else the only live one with this name.

        Raises `NotFound`, or `Conflict` when several keys have the name.
        """
        live = [key for key in self.ring if key.id == reference]
        if not live:
            live = [k for k in self.ring if k.name == reference and k.revoked_at is None]
        if not live:
            raise NotFound(f"There is no gateway key {reference!r}. `dragoman key list` shows all.")
        if len(live) > 1:
            ids = ", ".join(key.id for key in live)
            raise Conflict(f"Several gateway keys are named {reference!r}. Use an id: {ids}.")
        return live[0]

    async def reload(self) -> None:
        """Replaces `ring` by what the database and the pins say now."""
        pinned = {
            self._box.digest(pin.secret): _pinned(id_, pin) for id_, pin in self._pins.items()
        }
        stored = {
            record.digest: _stored(record)
            for record in await self._store.list()
            if record.id not in self._pins
        }
        self.ring = KeyRing({**stored, **pinned}, self._box.digest, clock=self._clock)

    async def create(
        self,
        name: str,
        *,
        scopes: Iterable[str] = (Scope.INFERENCE,),
        models: Iterable[str] = (),
        expires_at: int | None = None,
        allowance: Allowance = NO_LIMITS,
    ) -> IssuedKey:
        """Makes a key. Raises `InvalidRequest` for terms that make no sense."""
        secret = _generate()
        record = KeyRecord(
            id="key_" + secrets.token_hex(8),
            name=_check_name(name),
            digest=self._box.digest(secret),
            hint=mask(secret),
            scopes=_check_scopes(scopes),
            models=_check_models(models),
            expires_at=expires_at,
            created_at=self._clock(),
            **allowance.written(),
        )
        self._check_expiry(expires_at)
        await self._store.add(record)
        await self.reload()
        return IssuedKey(_stored(record), secret)

    async def rotate(self, reference: str) -> IssuedKey:
        """Gives a key a new secret; the old one opens nothing from now on.

        Raises `Conflict` for a pinned or dead key.
        """
        key = self._find_changeable(reference, "rotated")
        if key.revoked_at is not None or key.has_expired(self._clock()):
            raise Conflict(f"The gateway key {key.name!r} is dead. Create another.")
        secret = _generate()
        sealed = self._box.encrypt(secret) if key.id == DEFAULT_KEY else None
        await self._store.rotate(
            key.id, digest=self._box.digest(secret), hint=mask(secret), sealed=sealed
        )
        await self.reload()
        return IssuedKey(self.find(key.id), secret)

    async def change(self, reference: str, changes: Mapping[str, Any]) -> GatewayKey:
        """Gives a key other terms: `models`, `expires_at`, `rpm`, `tpm`, `concurrency`, `budgets`
        (written as `5/day`); what `changes` does not name stays, and what was used still counts.

        Raises `Conflict` for a pinned or revoked key, `InvalidRequest` for terms that make no
        sense.
        """
        key = self._find_changeable(reference, "changed")
        if key.revoked_at is not None:
            raise Conflict(f"The gateway key {key.name!r} is dead. Create another.")
        terms = dict(changes)
        if "models" in terms:
            terms["models"] = _check_models(terms["models"])
        if "expires_at" in terms:
            self._check_expiry(terms["expires_at"])
        limits = (key.allowance or NO_LIMITS).written()
        limits |= {name: terms[name] for name in limits if name in terms}
        terms |= read_allowance(**limits).written()
        await self._store.change(key.id, terms)
        await self.reload()
        return self.find(key.id)

    async def revoke(self, reference: str) -> GatewayKey:
        """Ends a key for good. Raises `Conflict` for a pinned key and for the default one."""
        key = self._find_changeable(reference, "revoked")
        if key.id == DEFAULT_KEY:
            raise Conflict("The default key cannot be revoked. Rotate it, and the old one ends.")
        if key.revoked_at is None:
            await self._store.revoke(key.id)
            await self.reload()
        return self.find(key.id)

    async def show_default(self) -> str:
        """The default key itself."""
        if pin := self._pins.get(DEFAULT_KEY):
            return pin.secret
        record = await self._store.get(DEFAULT_KEY)
        if record.sealed is None:
            raise NotFound("No copy of the default key is stored. Rotate it to get a new one.")
        return self._box.decrypt(record.sealed)

    async def _ensure_default(self) -> None:
        try:
            await self._store.get(DEFAULT_KEY)
            return
        except NotFound:
            secret = _generate()
        record = KeyRecord(
            id=DEFAULT_KEY,
            name=DEFAULT_KEY,
            digest=self._box.digest(secret),
            hint=mask(secret),
            sealed=self._box.encrypt(secret),
            scopes=(Scope.INFERENCE,),
            created_at=self._clock(),
        )
        try:
            await self._store.add(record)
            self.made_default = True
        except Conflict:
            # Another process started at the same moment; its key is as good as ours.
            await self._store.get(DEFAULT_KEY)

    def _check_expiry(self, expires_at: int | None) -> None:
        if expires_at is not None and expires_at <= self._clock():
            raise InvalidRequest("The key would have expired already.", param="expires_at")

    def _find_changeable(self, reference: str, change: str) -> GatewayKey:
        key = self.find(reference)
        if key.pinned_by is not None:
            raise Conflict(
                f"The {key.name} key is pinned by {key.pinned_by} and cannot be {change} here."
                " Change it there and restart the gateway."
            )
        return key


def _generate() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)


def _pinned(key_id: str, pin: Pin) -> GatewayKey:
    scope = Scope.ADMIN if key_id == ADMIN_KEY else Scope.INFERENCE
    return GatewayKey(
        id=key_id,
        name=key_id,
        scopes=frozenset({scope}),
        hint=mask(pin.secret),
        pinned_by=pin.where,
    )


def _stored(record: KeyRecord) -> GatewayKey:
    allowance = read_allowance(
        rpm=record.rpm,
        tpm=record.tpm,
        concurrency=record.concurrency,
        budgets=record.budgets or (),
    )
    return GatewayKey(
        id=record.id,
        name=record.name,
        scopes=frozenset(Scope(scope) for scope in record.scopes),
        hint=record.hint,
        models=record.models,
        expires_at=record.expires_at,
        created_at=record.created_at,
        revoked_at=record.revoked_at,
        rotated_at=record.rotated_at,
        allowance=None if allowance.is_unlimited else allowance,
    )


def _check(pin: Pin) -> Pin:
    if len(pin.secret) < MINIMUM_PINNED:
        raise ConfigError(
            f"The key in {pin.where} has {len(pin.secret)} characters; it needs at least"
            f" {MINIMUM_PINNED}. `openssl rand -base64 32` makes a good one."
        )
    if not pin.secret.isascii() or not pin.secret.isprintable() or " " in pin.secret:
        raise ConfigError(
            f"The key in {pin.where} holds characters that no header can carry. Use ASCII letters,"
            " digits and punctuation, without spaces."
        )
    return pin


def _check_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(
            f"A key needs a name of 1 to {_LONGEST_NAME} printable characters.", param="name"
        )
    if name in {DEFAULT_KEY, ADMIN_KEY}:
        raise Conflict(f"The name {name!r} is the gateway's own. Choose another.", param="name")
    return name


def _check_scopes(scopes: Iterable[str]) -> tuple[Scope, ...]:
    try:
        checked = tuple(sorted({Scope(scope) for scope in scopes}))
    except ValueError as error:
        raise InvalidRequest(
            f"{error}. The scopes are {', '.join(Scope)}.", param="scopes"
        ) from None
    if not checked:
        raise InvalidRequest("A key needs at least one scope.", param="scopes")
    return checked


def _check_models(models: Iterable[str]) -> tuple[str, ...]:
    globs = tuple(glob.strip() for glob in models)
    if not all(globs):
        raise InvalidRequest(
            "An empty model pattern matches nothing. Leave it out.", param="models"
        )
    return globs
