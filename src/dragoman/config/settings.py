"""The settings, as values: what may be written, with which defaults, and where each came from.

`Document` is the configuration file as a person writes it. `Settings` is what the gateway gets:
the document with the command line and the environment laid over it, and its origins.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

from dragoman.config.positions import KeyPath
from dragoman.prices import PriceSpec
from dragoman.providers.spec import ProviderSpec, Strict

ENVIRONMENT: Mapping[str, str] = {
    "host": "DRAGOMAN_HOST",
    "port": "DRAGOMAN_PORT",
    "api_key": "DRAGOMAN_API_KEY",
    "admin_key": "DRAGOMAN_ADMIN_KEY",
    "log_level": "DRAGOMAN_LOG_LEVEL",
    "database_url": "DRAGOMAN_DATABASE_URL",
    "redis_url": "DRAGOMAN_REDIS_URL",
    "data_dir": "DRAGOMAN_DATA_DIR",
}
"""The `[server]` settings that an environment variable can give."""

SHORTEST_PINNED_KEY = 16

_PROVIDER_MODEL = re.compile(r"[a-z0-9][a-z0-9._-]*:.+")
_ORIGIN = re.compile(r"https?://[^/?#@\s]+", re.IGNORECASE)


def _refuse_bool(value: object) -> object:
    """Pydantic would read `true` as 1."""
    if isinstance(value, bool):
        raise PydanticCustomError("number", "must be a number")
    return value


def _check_pinned_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_PINNED_KEY:
        raise PydanticCustomError(
            "pinned_key",
            "must be at least {shortest} characters long; a short key can be guessed",
            {"shortest": SHORTEST_PINNED_KEY},
        )
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _check_host(value: str) -> str:
    is_plain = value and not re.search(r"[\s/@*\[\]]", value)
    if not is_plain or (":" in value and not _is_ipv6(value)):
        raise PydanticCustomError(
            "host", "must be a bare address or host name, without scheme, port or brackets"
        )
    return value


def _is_ipv6(value: str) -> bool:
    try:
        ipaddress.IPv6Address(value)
    except ValueError:
        return False
    return True


def _check_cors_origin(value: str) -> str:
    if value != "*" and not _ORIGIN.fullmatch(value):
        raise PydanticCustomError(
            "cors_origin",
            'must be an origin such as "https://app.example.com" (no path, no slash at the end),'
            ' or "*"',
        )
    return value


def _anchor(value: Path, info: ValidationInfo) -> Path:
    """Makes a path absolute: `~` is the user's home, anything else starts at the file's folder."""
    context = cast("Mapping[str, Path]", info.context or {})
    return anchor(value, context.get("folder", Path()), context.get("home"))


def anchor(path: Path, folder: Path, home: Path | None) -> Path:
    """The absolute form of `path`, which may start with `~` or be relative to `folder`."""
    if home is not None and path.parts[:1] == ("~",):
        return home.joinpath(*path.parts[1:])
    return folder / path


def _check_alias(value: str) -> str:
    if not value or ":" in value or value != value.strip():
        raise PydanticCustomError(
            "alias",
            "must have no colon, which separates a provider from its model, and no blanks around"
            " it",
        )
    return value


def _as_alias(value: object) -> object:
    """The table that a string or a list is short for."""
    if isinstance(value, str):
        return {"targets": [value]}
    if isinstance(value, list):
        return {"targets": cast("list[object]", value)}
    if not isinstance(value, dict):
        raise PydanticCustomError(
            "targets", 'must be "provider:model", a list of them or a table with targets'
        )
    return cast("dict[str, object]", value)


def _as_target(value: object) -> object:
    return {"model": value} if isinstance(value, str) else value


def _check_target(value: str) -> str:
    if not _PROVIDER_MODEL.fullmatch(value):
        raise PydanticCustomError(
            "target",
            'must have the form "provider:model" (an alias cannot point to another alias)',
        )
    return value


def _check_not_empty(value: tuple[object, ...]) -> tuple[object, ...]:
    # Not by `min_length`: that would also be told of a list whose every entry is wrong.
    if not value:
        raise PydanticCustomError("empty", "must be a list that is not empty")
    return value


Count = Annotated[int, BeforeValidator(_refuse_bool)]
Number = Annotated[float, BeforeValidator(_refuse_bool)]
Seconds = Number
Host = Annotated[str, AfterValidator(_check_host)]
CorsOrigin = Annotated[str, AfterValidator(_check_cors_origin)]
Anchored = Annotated[Path, AfterValidator(_anchor)]
PinnedKey = Annotated[SecretStr, AfterValidator(_check_pinned_key)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
AliasName = Annotated[str, AfterValidator(_check_alias)]
Target = Annotated[str, AfterValidator(_check_target)]


class ServerSettings(Strict):
    """`[server]`: how the gateway listens and behaves. Names that end in `_s` are seconds."""

    host: Host = "127.0.0.1"
    port: Count = Field(default=23333, ge=0, le=65535)
    api_key: PinnedKey | None = None
    admin_key: PinnedKey | None = None
    max_body_mb: Count = Field(default=64, gt=0)
    keepalive_s: Seconds = Field(default=15, gt=0)
    grace_s: Seconds = Field(default=30, ge=0)
    max_attempts: Count = Field(default=6, gt=0)
    retry_within_s: Seconds = Field(default=60, ge=0)
    breaker_failures: Count = Field(default=10, ge=0)
    breaker_s: Seconds = Field(default=5, gt=0)
    max_requests: Count = Field(default=2000, gt=0)
    max_queue: Count = Field(default=1000, ge=0)
    queue_s: Seconds = Field(default=30, gt=0)
    max_header_kb: Count = Field(default=64, gt=0)
    header_s: Seconds = Field(default=30, gt=0)
    body_s: Seconds = Field(default=60, gt=0)
    model_refresh_s: Seconds = Field(default=3600, ge=0)
    cors_origins: tuple[CorsOrigin, ...] = ()
    trusted_hosts: tuple[Host, ...] = ()
    retention_days: Number = Field(default=90, ge=0)
    log_bodies: bool = False
    log_body_kb: Count = Field(default=64, gt=0)
    log_bodies_days: Number = Field(default=7, ge=0)
    log_level: LogLevel = "info"
    metrics: Literal["off", "open", "key"] = "key"
    workers: Count = Field(default=1, ge=1, le=256)
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    data_dir: Anchored


class AliasTarget(Strict):
    """One target of an alias; `weight` counts for the strategy `weighted` alone."""

    model: Target
    weight: Number = Field(default=1, gt=0)


class AliasSettings(Strict):
    """A model name of the owner's; a string or a list is short for its `targets`."""

    targets: Annotated[
        tuple[Annotated[AliasTarget, BeforeValidator(_as_target)], ...],
        AfterValidator(_check_not_empty),
    ]
    strategy: Literal["order", "weighted", "least_latency"] = "order"

    @property
    def names(self) -> list[str]:
        """The targets without their weights, each `provider:model`."""
        return [target.model for target in self.targets]

    def written(self) -> object:
        """The shortest form in which the file could have said it."""
        if self.strategy == "order":
            return self.names
        targets = [target.model_dump() for target in self.targets]
        return {
            "targets": targets if self.strategy == "weighted" else self.names,
            "strategy": self.strategy,
        }


class LocalModel(Strict):
    """A GGUF file to be served beside the built-in model, as `local:ID`."""

    id: str = Field(min_length=1)
    path: Anchored


class LocalSettings(Strict):
    """`[local]`: models that run inside the gateway's machine. `idle_s` of 0 keeps them loaded."""

    enabled: bool = True
    models: tuple[LocalModel, ...] = ()
    idle_s: Seconds = Field(default=600, ge=0)


class MemorySettings(Strict):
    """`[memory]`: what is kept of answers that clients may go on from by their ids."""

    enabled: bool = True
    max_age_s: Seconds = Field(default=2_592_000, gt=0)
    max_responses: Count = Field(default=10_000, gt=0)
    max_mb: Count = Field(default=256, gt=0)


class Document(Strict):
    """The whole configuration file."""

    server: ServerSettings
    providers: tuple[ProviderSpec, ...] = ()
    aliases: dict[AliasName, Annotated[AliasSettings, BeforeValidator(_as_alias)]] = Field(
        default={}
    )
    local: LocalSettings = LocalSettings(enabled=False)
    memory: MemorySettings = MemorySettings()
    prices: tuple[PriceSpec, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What settings are loaded from besides the file: command line, environment, working
    directory."""

    cli: Mapping[str, object] = field(default_factory=dict[str, object])
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    cwd: Path = Path()


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective configuration.

    `file` is None where there is no configuration file: then the providers come from well-known
    environment keys. `warnings` are sentences about what is allowed but may surprise. `origins`
    says where a value came from; what it does not hold is a default. With `inputs` they can be
    loaded again.
    """

    server: ServerSettings
    providers: tuple[ProviderSpec, ...] = field(repr=False)
    aliases: Mapping[str, AliasSettings]
    local: LocalSettings
    file: Path | None
    warnings: tuple[str, ...]
    origins: Mapping[KeyPath, str] = field(repr=False)
    memory: MemorySettings = field(default_factory=MemorySettings)
    prices: tuple[PriceSpec, ...] = ()
    inputs: Inputs = field(default_factory=Inputs, repr=False)

    def origin(self, *path: str | int) -> str:
        """Where the value at `path` was given: `"dragoman.toml, line 3"`, a variable, `default`.

        >>> settings.origin("server", "port")
        >>> settings.origin("providers", 0, "timeout")
        """
        return self.origins.get(path, "default")
