"""What a request costs: tokens times a price per million of them, in exact decimals.

Prices are looked up in this order: the owner's own of the configuration file, the owner's own of
the database, then those of the `genai-prices` package, which knows a service by its address and a
model by its name. At an address that the package does not know (a proxy), the service is that of
the provider's preset or type, and the price's source says so. A model that nobody has a price for
costs an unknown amount (None), and so does one whose web searches were used and have no price.
Models that run inside the gateway cost nothing.

Token counts are disjoint (`ir.Usage`), so each token is priced once. A kind of token without a
price of its own costs what the kind that it is a part of costs: cached input costs as input,
a long cache write as a short one, reasoning as output.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, PlainSerializer

from dragoman.ir import Usage
from dragoman.providers.presets import PRESETS
from dragoman.providers.provider import Provider, Source
from dragoman.providers.spec import Strict
from dragoman.providers.types import TYPES
from dragoman.providers.urls import host_of

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

FREE = Decimal(0)

_MILLION = Decimal(1_000_000)
_THOUSAND = Decimal(1000)
_SMALLEST = Decimal("1e-9")
_MOST_REMEMBERED = 10_000
_SERVICES = {"api.together.ai": "together"}
"""Addresses of services that the package knows by another one, and its names for them."""

_NOTHING = Usage()


def _exact(value: object) -> object:
    """A decimal as it was written: 0.1 is one tenth, not the nearest binary fraction."""
    return repr(value) if isinstance(value, float) else value


def _as_number(value: Decimal) -> float:
    return float(value)


Rate = Annotated[
    Decimal,
    BeforeValidator(_exact),
    PlainSerializer(_as_number, when_used="json"),
    Field(ge=0, le=1_000_000, allow_inf_nan=False),
]


class PriceSpec(Strict):
    """A price of the owner's own, in US dollars: per million tokens, and per thousand searches."""

    model: str = Field(
        min_length=1, description="`provider:model`, or a pattern such as `my-openai:gpt-4*`"
    )
    input: Rate
    output: Rate
    cache_read: Rate | None = Field(default=None, description="left out: as `input`")
    cache_write: Rate | None = Field(default=None, description="left out: as `input`")
    cache_write_long: Rate | None = Field(default=None, description="left out: as `cache_write`")
    reasoning: Rate | None = Field(default=None, description="left out: as `output`")
    searches: Rate | None = Field(default=None, description="left out: unknown")


@dataclass(frozen=True, slots=True)
class Rates:
    """What each kind of token of one model costs, in dollars per token; `source` says who says so.

    `search` is per search, None where it is unknown; `request` is due once, whatever was used.
    """

    source: str
    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    cache_write_long: Decimal
    output: Decimal
    reasoning: Decimal
    search: Decimal | None = None
    request: Decimal = FREE

    def cost(self, usage: Usage) -> Decimal | None:
        """What `usage` costs, to a billionth of a dollar; None where a part of it is unknown."""
        total = self.request + usage.input * self.input + usage.output * self.output
        if usage.cache_read:
            total += usage.cache_read * self.cache_read
        if usage.cache_write:
            total += usage.cache_write * self.cache_write
        if usage.cache_write_long:
            total += usage.cache_write_long * self.cache_write_long
        if usage.reasoning:
            total += usage.reasoning * self.reasoning
        if usage.searches:
            if self.search is None:
                return None
            total += usage.searches * self.search
        return total.quantize(_SMALLEST)


LOCAL = Rates("local", FREE, FREE, FREE, FREE, FREE, FREE, FREE)


class Prices:
    """Every price that is known, of one state of the configuration."""

    def __init__(
        self,
        of_file: Iterable[PriceSpec] = (),
        of_database: Iterable[PriceSpec] = (),
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._own = [
            *((_pattern(spec.model), _own_rates(spec, "configuration file")) for spec in of_file),
            *((_pattern(spec.model), _own_rates(spec, "database")) for spec in of_database),
        ]
        self._clock = clock
        self._known: dict[tuple[str, str], Rates | _Listed | None] = {}

    def find(self, provider: Provider, model: str, usage: Usage = _NOTHING) -> Rates | None:
        """What the model costs now; None where that is unknown. Some models cost more from a
        number of input tokens on: `usage` tells which price holds."""
        place = (provider.id, model)
        if place not in self._known:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[place] = self._look_up(provider, model)
        found = self._known[place]
        if isinstance(found, _Listed):
            return found.at(self._clock(), usage.all_input)
        return found

    def cost(self, provider: Provider, model: str, usage: Usage) -> Decimal | None:
        """What `usage` of the model costs, None where that is unknown."""
        rates = self.find(provider, model, usage)
        return None if rates is None else rates.cost(usage)

    def _look_up(self, provider: Provider, model: str) -> Rates | _Listed | None:
        name = f"{provider.id}:{model}"
        for pattern, rates in self._own:
            if pattern.match(name):
                return rates
        if provider.source is Source.LOCAL:
            return LOCAL
        return _find_listed(provider, model)


class _Listed:
    """A model of the package. Its price may depend on the hour of the day and on the size of the
    prompt."""

    def __init__(self, model: ModelInfo, source: str) -> None:
        self._model = model
        self._source = source
        self._flat: dict[int, Rates] = {}

    def at(self, now: datetime, all_input: int) -> Rates | None:
        prices = self._model.get_prices(now)
        rates = self._flat.get(id(prices))
        if rates is None:
            values = vars(prices)
            rates = _listed_rates(values, all_input, self._source)
            if rates is not None and all(isinstance(each, Decimal) for each in values.values()):
                self._flat[id(prices)] = rates
        return rates


def load_list() -> None:
    """Reads the package's list of prices, which takes a while; harmless to do twice."""
    from genai_prices.data_snapshot import get_snapshot

    get_snapshot()


def _find_listed(provider: Provider, model: str) -> _Listed | None:
    """The package's entry, by the provider's own address, else by that of its preset or type."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    preset = PRESETS.get(provider.preset or "")
    kind = TYPES.get(provider.type)
    fallbacks = [each.base_url for each in (preset, kind) if each is not None and each.base_url]
    for url in (*provider.base_urls.values(), *fallbacks):
        service = _SERVICES.get(host_of(url))
        try:
            found = snapshot.find_provider(None, service, None if service else url)
        except LookupError:
            continue
        entry = found.find_model(model, all_providers=snapshot.providers)
        if entry is None:
            return None
        how = "" if url in provider.base_urls.values() else ", by the kind of provider"
        return _Listed(entry, f"genai-prices {_version()}, {found.id}/{entry.id}{how}")
    return None


@cache
def _version() -> str:
    return version("genai-prices")


def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(glob))


def _own_rates(spec: PriceSpec, source: str) -> Rates:
    def per_token(*choices: Decimal | None) -> Decimal:
        return next(each for each in choices if each is not None) / _MILLION

    return Rates(
        source=source,
        input=per_token(spec.input),
        cache_read=per_token(spec.cache_read, spec.input),
        cache_write=per_token(spec.cache_write, spec.input),
        cache_write_long=per_token(spec.cache_write_long, spec.cache_write, spec.input),
        output=per_token(spec.output),
        reasoning=per_token(spec.reasoning, spec.output),
        search=None if spec.searches is None else spec.searches / _THOUSAND,
    )


def _listed_rates(
    values: Mapping[str, Decimal | TieredPrices | None], all_input: int, source: str
) -> Rates | None:
    """The package's price as rates; None where it has none for plain input and output."""

    def per_token(*names: str) -> Decimal:
        price = next((values[name] for name in names if values.get(name) is not None), None)
        return FREE if price is None else _in_tier(price, all_input) / _MILLION

    if values.get("input_mtok") is None and values.get("output_mtok") is None:
        return None
    searches = values.get("web_searches_kcount")
    requests = values.get("requests_kcount")
    return Rates(
        source=source,
        input=per_token("input_mtok"),
        cache_read=per_token("cache_read_mtok", "input_mtok"),
        cache_write=per_token("cache_write_mtok", "input_mtok"),
        cache_write_long=per_token("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
        output=per_token("output_mtok"),
        reasoning=per_token("output_reasoning_mtok", "output_mtok"),
        search=None if searches is None else _in_tier(searches, all_input) / _THOUSAND,
        request=FREE if requests is None else _in_tier(requests, all_input) / _THOUSAND,
    )


def _in_tier(price: Decimal | TieredPrices, all_input: int) -> Decimal:
    """The price that holds for a prompt of that size: it holds for all of its tokens."""
    if isinstance(price, Decimal):
        return price
    reached = [tier.price for tier in price.tiers if all_input > tier.start]
    return reached[-1] if reached else price.base
