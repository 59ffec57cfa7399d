"""What models cost: the owner's own prices, and what holds for each model that can be asked for."""

from __future__ import annotations

from pydantic import Field

from dragoman.http.admin.route import Answer, GatewayPart, new_router
from dragoman.prices import PriceSpec, Rates
from dragoman.providers.spec import Strict

router = new_router("/prices")

_PER = 1_000_000


class PriceAnswer(Answer):
    """What a model costs now, in US dollars per million tokens."""

    model: str = Field(description="`provider:model`")
    source: str = Field(description="who says so")
    input: float
    cache_read: float
    cache_write: float
    cache_write_long: float
    output: float
    reasoning: float
    searches: float | None = Field(description="for a thousand web searches; null: unknown")


class PricesAnswer(Answer):
    """Own prices and those that hold. Models that are not in `models` have no known price."""

    file: list[PriceSpec] = Field(description="of the configuration file; these come first")
    database: list[PriceSpec] = Field(description="those that can be changed here")
    models: list[PriceAnswer]


class PricesRequest(Strict):
    """The prices that the database is to hold, all of them; the first that fits a model counts."""

    prices: list[PriceSpec] = Field(max_length=1000)


@router.get("", summary="List prices")
async def list_prices(gateway: GatewayPart) -> PricesAnswer:
    """For a very long prompt, or at another hour of the day, some models cost something else."""
    known = (
        (f"{provider.id}:{model.id}", gateway.prices.find(provider, model.id))
        for provider, model in gateway.router.models()
    )
    return PricesAnswer(
        file=list(gateway.settings.prices),
        database=list(await gateway.stored_prices()),
        models=[_describe(name, rates) for name, rates in known if rates is not None],
    )


@router.put("", summary="Set own prices")
async def set_prices(gateway: GatewayPart, wanted: PricesRequest) -> PricesAnswer:
    """Replaces the prices of the database. What was recorded before keeps its cost."""
    await gateway.set_prices(wanted.prices)
    return await list_prices(gateway)


def _describe(name: str, rates: Rates) -> PriceAnswer:
    return PriceAnswer(
        model=name,
        source=rates.source,
        input=float(rates.input * _PER),
        cache_read=float(rates.cache_read * _PER),
        cache_write=float(rates.cache_write * _PER),
        cache_write_long=float(rates.cache_write_long * _PER),
        output=float(rates.output * _PER),
        reasoning=float(rates.reasoning * _PER),
        searches=None if rates.search is None else float(rates.search * 1000),
    )
