"""Providers: listed from everywhere, and added, changed, tried and removed where they are the
database's. What the file or the environment says is shown and cannot be changed here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Path
from pydantic import Field, create_model
from starlette.responses import Response

from dragoman.errors import InvalidRequest, ProviderNotFound
from dragoman.gateway import Gateway
from dragoman.health import BreakerState, KeyState
from dragoman.http.admin.masks import mask_spec, unmask_spec
from dragoman.http.admin.models import ModelAnswer, describe_model
from dragoman.http.admin.route import Answer, GatewayPart, ManagementPart, as_time, new_router
from dragoman.protocols import Protocol
from dragoman.providers.provider import Provider, Source
from dragoman.providers.spec import ProviderSpec, Strict
from dragoman.secrets import mask
from dragoman.store.model_lists import ModelList

router = new_router("/providers")

ProviderName = Annotated[str, Path(description="the provider's id")]


class ProviderState(StrEnum):
    """What can be said of a provider without asking it."""

    READY = "ready"
    DISABLED = "disabled"
    FAILING = "failing"


class ProviderKeyAnswer(Answer):
    """How a key fares; a provider without keys has one that is empty."""

    key: str = Field(description="masked")
    state: KeyState = Field(
        description="`limited`: it rests for `wait_s`; `refused`: the provider does not take it, so"
        " it is tried last; `failing`: its breaker is open or lets a probe through"
    )
    breaker: BreakerState
    failures: int = Field(description="in a row")
    wait_s: float = Field(description="for how long it is not used; 0 where it is")
    reason: str | None = Field(description="what the provider said")


class ProviderAnswer(Answer):
    """A provider as the gateway uses it: every default filled in, every URL complete."""

    id: str
    name: str
    type: str
    preset: str | None
    source: Source = Field(description="where it was defined")
    managed_by_file: bool = Field(description="whether only the configuration file can change it")
    enabled: bool
    state: ProviderState = Field(
        description="`failing`: it did not tell its models when last asked, its breaker is open, or"
        " none of its keys can be used"
    )
    breaker: BreakerState = Field(description="opens when it cannot be reached")
    keys: list[ProviderKeyAnswer] = Field(description="how each of its keys fares")
    protocols: list[Protocol] = Field(description="what it is known to speak natively")
    base_urls: dict[Protocol, str]
    api_keys: list[str] = Field(description="masked")
    key_count: int
    model_count: int = Field(description="how many of its models are known")
    fetched_at: datetime | None = Field(description="when it last told its models")
    error: str | None = Field(description="why it did not when it was last asked")
    error_at: datetime | None


class ProviderDetail(ProviderAnswer):
    """A provider, what was written of it, and its models."""

    spec: ProviderSpec | None = Field(
        description="as it was written, secrets masked; null for the local models"
    )
    models: list[ModelAnswer]


class ProvidersAnswer(Answer):
    """Every provider, in order."""

    providers: list[ProviderAnswer]
    problems: dict[str, str] = Field(
        description="stored providers that cannot be used, by id, and why; they can be changed or"
        " removed like any other"
    )


class TestAnswer(Answer):
    """How a provider answered."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    ok: bool
    message: str = Field(description="its own words where it refused")
    milliseconds: int
    models: int | None = Field(description="how many it listed; null where it has no list")
    answered: str | None = Field(description="which model gave an answer, where one was asked")
    protocols: list[str] = Field(description="what it was found to speak natively")


class FetchedAnswer(Answer):
    """A list of models that has just been fetched."""

    models: int = Field(description="how many there are")


if TYPE_CHECKING:
    ProviderChange = Strict  # a type checker cannot follow what is made at run time
else:
    ProviderChange = create_model(
        "ProviderChange",
        __base__=Strict,
        __doc__="What is to change: a member that is given replaces the stored one as a whole, null"
        " puts it back to its default.",
        add_api_keys=(
            list[str] | None,
            Field(default=None, description="keys to add after those that there are"),
        ),
        **{
            name: (field.annotation | None, Field(default=None, description=field.description))
            for name, field in ProviderSpec.model_fields.items()
            if name != "id"
        },
    )


@router.get("", summary="List providers")
async def list_providers(gateway: GatewayPart) -> ProvidersAnswer:
    """Those of the file, the environment and the database, and the local models."""
    providers = gateway.router.providers.values()
    return ProvidersAnswer(
        providers=[ProviderAnswer(**_describe(gateway, provider)) for provider in providers],
        problems=gateway.problems,
    )


@router.post("", status_code=201, summary="Add a provider")
async def add_provider(
    gateway: GatewayPart, management: ManagementPart, spec: ProviderSpec
) -> ProviderDetail:
    """It can be used at once. Its models are asked for in the background."""
    return _detail(gateway, await management.add_provider(spec))


@router.post("/test", summary="Try a provider that is not stored")
async def test_spec(
    gateway: GatewayPart, management: ManagementPart, spec: ProviderSpec
) -> TestAnswer:
    """Asks the provider for its models, or for a short answer where it has no list.

    Masked secrets are those of the stored provider that has the same id.
    """
    with suppress(ProviderNotFound):
        spec = unmask_spec(spec, await gateway.store.providers.get(spec.id))
    return TestAnswer.model_validate(await management.test(management.resolve(spec)))


@router.get("/{provider}", summary="Show a provider")
async def show_provider(
    gateway: GatewayPart, management: ManagementPart, provider: ProviderName
) -> ProviderDetail:
    """With what was written of it and with its models."""
    return _detail(gateway, management.provider(provider))


@router.patch("/{provider}", summary="Change a provider")
async def change_provider(
    gateway: GatewayPart, management: ManagementPart, provider: ProviderName, change: ProviderChange
) -> ProviderDetail:
    """Changes the members that are given. Keys are replaced by `api_keys` and added to by
    `add_api_keys`; a masked secret stays what it is."""
    changed = await management.change_provider(provider, _applying(change))
    return _detail(gateway, changed)


@router.put("/{provider}", summary="Replace a provider")
async def replace_provider(
    gateway: GatewayPart, management: ManagementPart, provider: ProviderName, spec: ProviderSpec
) -> ProviderDetail:
    """What is left out goes back to its default; a masked secret stays what it is."""
    if spec.id != provider:
        raise InvalidRequest(
            f"A provider keeps its id: send `{provider}` as `id`, or add another provider.",
            param="id",
        )
    replaced = await management.change_provider(provider, lambda stored: unmask_spec(spec, stored))
    return _detail(gateway, replaced)


@router.delete("/{provider}", status_code=204, response_class=Response, summary="Remove a provider")
async def remove_provider(management: ManagementPart, provider: ProviderName) -> Response:
    """Removes it and what is known of its models. Requests under way are finished."""
    await management.remove_provider(provider)
    return Response(status_code=204)


@router.post("/{provider}/enable", summary="Switch a provider on")
async def enable_provider(
    gateway: GatewayPart, management: ManagementPart, provider: ProviderName
) -> ProviderDetail:
    """Its models can be asked for from now on."""
    return _detail(gateway, await management.set_enabled(provider, True))


@router.post("/{provider}/disable", summary="Switch a provider off")
async def disable_provider(
    gateway: GatewayPart, management: ManagementPart, provider: ProviderName
) -> ProviderDetail:
    """Its models are gone from every list until it is switched on again."""
    return _detail(gateway, await management.set_enabled(provider, False))


@router.post("/{provider}/test", summary="Try a provider")
async def test_provider(management: ManagementPart, provider: ProviderName) -> TestAnswer:
    """Asks the provider for its models, or for a short answer where it has no list. A refusal is
    an answer too: look at `ok`."""
    return TestAnswer.model_validate(await management.test_provider(provider))


@router.post("/{provider}/models", summary="Fetch a provider's models")
async def fetch_models(management: ManagementPart, provider: ProviderName) -> FetchedAnswer:
    """Asks now, instead of when the list has become old."""
    return FetchedAnswer(models=await management.fetch_models(provider))


def find_state(gateway: Gateway, provider: Provider) -> ProviderState:
    """What the gateway knows of the provider's health."""
    if not provider.enabled:
        return ProviderState.DISABLED
    known = gateway.catalog.lists.get(provider.id)
    is_open = gateway.health.breaker_of(provider.id) is not BreakerState.CLOSED
    usable = {KeyState.READY, KeyState.LIMITED}
    has_key = any(key.state in usable for key in _keys(gateway, provider))
    fails = (known and known.error) or is_open or not has_key
    return ProviderState.FAILING if fails else ProviderState.READY


def _keys(gateway: Gateway, provider: Provider) -> list[ProviderKeyAnswer]:
    reports = [
        (key, gateway.health.report(provider.id, key)) for key in provider.api_keys or (None,)
    ]
    return [
        ProviderKeyAnswer(
            key=mask(key) if key else "",
            state=report.state,
            breaker=report.breaker,
            failures=report.failures,
            wait_s=report.wait_s,
            reason=report.reason,
        )
        for key, report in reports
    ]


def _applying(change: ProviderChange) -> Callable[[ProviderSpec], ProviderSpec]:
    """What makes the changed spec out of the stored one."""
    given = change.model_dump(exclude_unset=True)
    added: list[str] = given.pop("add_api_keys", None) or []

    def apply(stored: ProviderSpec) -> ProviderSpec:
        members: dict[str, Any] = stored.model_dump(exclude_defaults=True) | given
        if "api_key" in given and "api_keys" not in given:
            members.pop("api_keys", None)  # the one key that is given replaces all
        kept = {name: value for name, value in members.items() if value is not None}
        changed = unmask_spec(ProviderSpec.model_validate(kept), stored)
        return changed.model_copy(update={"api_keys": [*changed.api_keys, *added]})

    return apply


def _detail(gateway: Gateway, provider: Provider) -> ProviderDetail:
    spec = gateway.specs.get(provider.id)
    return ProviderDetail(
        **_describe(gateway, provider),
        spec=mask_spec(spec) if spec else None,
        models=[describe_model(provider, model) for model in _models(gateway, provider)],
    )


def _describe(gateway: Gateway, provider: Provider) -> dict[str, Any]:
    """The members of `ProviderAnswer`."""
    known = gateway.catalog.lists.get(provider.id, ModelList(provider.id))
    return {
        "id": provider.id,
        "name": provider.name,
        "type": provider.type,
        "preset": provider.preset,
        "source": provider.source,
        "managed_by_file": provider.source is Source.FILE,
        "enabled": provider.enabled,
        "state": find_state(gateway, provider),
        "breaker": gateway.health.breaker_of(provider.id),
        "keys": _keys(gateway, provider),
        "protocols": sorted(provider.protocols),
        "base_urls": provider.base_urls,
        "api_keys": [mask(key) for key in provider.api_keys],
        "key_count": len(provider.api_keys),
        "model_count": len(_models(gateway, provider)),
        "fetched_at": as_time(known.fetched_at),
        "error": known.error,
        "error_at": as_time(known.error_at),
    }


def _models(gateway: Gateway, provider: Provider) -> tuple[Any, ...]:
    """What is known of the provider's models, also while it is disabled."""
    if provider.models is not None:
        return provider.models
    return gateway.catalog.models().get(provider.id, ())
