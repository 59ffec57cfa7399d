"""Which provider and model a name means: an immutable snapshot, a pure function of configuration.

A model name is `provider:model`, split at the first colon, or an alias, or a bare model id that
exactly one enabled provider has. A list of models that the owner wrote is the whole truth: a
model that it does not hold is refused here. A list that was fetched is advice (providers accept
names that they do not list, such as dated snapshots and `:free` variants), so the provider
itself is the judge of a name that is missing there.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dragoman.errors import InvalidModelFormat, ModelNotFound, ProviderNotFound
from dragoman.providers.provider import Model, Provider


class Strategy(StrEnum):
    """In which order the targets of an alias are tried."""

    ORDER = "order"  # as they are written
    WEIGHTED = "weighted"  # by lot, where a target of weight 3 is drawn three times as often
    LEAST_LATENCY = "least_latency"  # the one that lately began its answers soonest


@dataclass(frozen=True, slots=True)
class Alias:
    """A model name of the owner's: `targets` are pairs of `provider:model` and weight."""

    targets: tuple[tuple[str, float], ...]
    strategy: Strategy = Strategy.ORDER

    @property
    def names(self) -> tuple[str, ...]:
        """The targets without their weights."""
        return tuple(name for name, _ in self.targets)


@dataclass(frozen=True, slots=True)
class Retry:
    """How long a request is tried: at most `attempts` attempts, and nothing that has failed is
    repeated later than `within_s` seconds after the request came."""

    attempts: int = 6
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Target:
    """One place where a request can go; `weight` counts among the targets of the same alias."""

    provider: Provider
    model: str
    weight: float = 1.0

    @property
    def name(self) -> str:
        """`provider:model`."""
        return f"{self.provider.id}:{self.model}"


class Router:
    """Resolves model names over one state of the configuration.

    `lists` holds the models fetched from providers that have no list of their own; `retry` bounds
    what is done for one request.
    """

    def __init__(
        self,
        providers: Iterable[Provider],
        lists: Mapping[str, tuple[Model, ...]] | None = None,
        aliases: Mapping[str, Alias] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.retry = retry or Retry()
        self.providers = {provider.id: provider for provider in providers}
        self.aliases = dict(aliases or {})
        self._enabled = {key: each for key, each in self.providers.items() if each.enabled}
        self._models = {
            each.id: each.models if each.models is not None else (lists or {}).get(each.id, ())
            for each in self._enabled.values()
        }
        self._owners: dict[str, list[Provider]] = {}
        for provider, model in self.models():
            self._owners.setdefault(model.id, []).append(provider)

    def models(self) -> list[tuple[Provider, Model]]:
        """Every known model of every enabled provider, in the order of the configuration."""
        return [
            (provider, model)
            for provider in self._enabled.values()
            for model in self._models[provider.id]
        ]

    def model(self, target: Target) -> Model | None:
        """What is known of the target's model."""
        models = self._models.get(target.provider.id, ())
        return next((model for model in models if model.id == target.model), None)

    def strategy(self, name: str) -> Strategy:
        """The order in which the targets of a model name are to be tried."""
        alias = self.aliases.get(name)
        return alias.strategy if alias else Strategy.ORDER

    def resolve(self, name: str) -> tuple[Target, ...]:
        """The targets of a model name, first choice first.

        Raises InvalidModelFormat, ProviderNotFound or ModelNotFound.
        """
        if name in self.aliases:
            return self._resolve_alias(name)
        provider_id, colon, model = name.partition(":")
        if colon and provider_id in self._enabled:
            return (self._target(self._enabled[provider_id], model),)
        owners = self._owners.get(name, [])
        if len(owners) == 1:
            return (Target(owners[0], name),)
        if owners:
            choices = ", ".join(f"`{owner.id}:{name}`" for owner in owners)
            raise InvalidModelFormat(
                f"Several providers have a model `{name}`: name one of {choices}.", param="model"
            )
        if colon:
            raise ProviderNotFound(self._missing_provider(provider_id), param="model")
        raise InvalidModelFormat(
            f"`{name}` is not a model name: write `provider-id:model-id`, for example"
            f" `{self._example()}`. GET /v1/models lists what there is.",
            param="model",
        )

    def resolve_at(self, provider_id: str, model: str) -> tuple[Target, ...]:
        """The target of a bare model id at the provider that the path names."""
        provider = self._enabled.get(provider_id)
        if provider is None:
            raise ProviderNotFound(self._missing_provider(provider_id))
        return (self._target(provider, model),)

    def _resolve_alias(self, name: str) -> tuple[Target, ...]:
        targets: list[Target] = []
        alias = self.aliases[name]
        for full_name, weight in alias.targets:
            provider_id, _, model = full_name.partition(":")
            if provider_id in self._enabled:
                target = self._target(self._enabled[provider_id], model)
                targets.append(replace(target, weight=weight))
        if not targets:
            raise ProviderNotFound(
                f"No provider of the alias `{name}` is enabled: {', '.join(alias.names)}.",
                param="model",
            )
        return tuple(targets)

    def _target(self, provider: Provider, model: str) -> Target:
        if not model:
            raise InvalidModelFormat(
                f"The model id after `{provider.id}:` is missing.", param="model"
            )
        listed = provider.models
        if listed is not None and all(each.id != model for each in listed):
            near = difflib.get_close_matches(model, [each.id for each in listed], 1)
            hint = f" Did you mean `{provider.id}:{near[0]}`?" if near else ""
            raise ModelNotFound(
                f"The provider `{provider.id}` has no model `{model}`.{hint}", param="model"
            )
        return Target(provider, model)

    def _missing_provider(self, provider_id: str) -> str:
        if provider_id in self.providers:
            return (
                f"The provider `{provider_id}` is disabled:"
                f" `dragoman provider enable {provider_id}` enables it."
            )
        near = difflib.get_close_matches(provider_id, self._enabled, 1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        return f"There is no provider `{provider_id}`.{hint} `dragoman provider list` shows all."

    def _example(self) -> str:
        for provider, model in self.models():
            return f"{provider.id}:{model.id}"
        return "my-openai:gpt-4"
