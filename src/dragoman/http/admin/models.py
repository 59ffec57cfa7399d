"""Every model that a client can ask for, with what is known of it."""

from __future__ import annotations

from pydantic import Field

from dragoman.http.admin.route import Answer, GatewayPart, new_router
from dragoman.protocols import Protocol
from dragoman.providers.provider import Model, Provider
from dragoman.routing import Strategy

router = new_router("/models")


class ModelAnswer(Answer):
    """One model of one provider."""

    id: str = Field(description="the name that clients use, `provider:model`")
    provider: str = Field(description="the provider's id")
    model: str = Field(description="the model's id at the provider")
    name: str = Field(description="what people call it")
    owned_by: str = Field(description="who made it, as the provider says; may be empty")
    created: int = Field(description="Unix time in seconds; 0 where it is not known")
    context_length: int | None = Field(description="in tokens; null where it is not known")
    max_output: int | None = Field(description="in tokens; null where it is not known")
    abilities: list[str] = Field(description="empty where the provider does not tell")
    protocols: list[Protocol] = Field(description="what it can be asked in without translation")


class AliasAnswer(Answer):
    """A name of the owner's own."""

    name: str
    targets: list[str] = Field(description="`provider:model`, in the order of the configuration")
    strategy: Strategy = Field(description="in which order they are tried")


class ModelsAnswer(Answer):
    """Every model of every enabled provider, and every alias."""

    models: list[ModelAnswer]
    aliases: list[AliasAnswer]


def describe_model(provider: Provider, model: Model) -> ModelAnswer:
    """`model` as it is told."""
    protocols = provider.protocols & (model.protocols or provider.protocols)
    return ModelAnswer(
        id=f"{provider.id}:{model.id}",
        provider=provider.id,
        model=model.id,
        name=model.name,
        owned_by=model.owned_by,
        created=model.created,
        context_length=model.context_length,
        max_output=model.max_output,
        abilities=sorted(model.abilities),
        protocols=sorted(protocols),
    )


@router.get("", summary="List models and aliases")
async def list_models(gateway: GatewayPart) -> ModelsAnswer:
    """Models of disabled providers are left out: nobody can ask for them."""
    aliases = gateway.router.aliases.items()
    return ModelsAnswer(
        models=[describe_model(provider, model) for provider, model in gateway.router.models()],
        aliases=[
            AliasAnswer(name=name, targets=list(alias.names), strategy=alias.strategy)
            for name, alias in aliases
        ],
    )
