"""prices: every token is priced once and exactly, and what nobody knows is not guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dragoman.ir import Usage
from dragoman.prices import LOCAL, Prices, PriceSpec, Rates
from dragoman.providers.provider import Provider, Source
from dragoman.providers.resolve import resolve
from dragoman.providers.spec import ProviderSpec

SOME = Usage(input=1000, output=100)
MILLION = Decimal(1_000_000)

counts = st.integers(0, 10**9)
rates = st.decimals(0, 1_000_000, places=6)


def provider(provider_id: str, **fields: Any) -> Provider:
    return resolve(ProviderSpec(id=provider_id, api_key="k", **fields), Source.FILE)


def own(model: str, **fields: Any) -> PriceSpec:
    return PriceSpec(model=model, **{"input": 1, "output": 2, **fields})


UNKNOWN = provider("up", type="openai-compatible", base_url="http://127.0.0.1:9")


class TestOwnPrices:
    def test_the_first_pattern_that_fits_counts_and_the_file_comes_first(self) -> None:
        prices = Prices(
            [own("up:cheap*", input=0.1), own("up:*", input=5)],
            [own("up:cheap-1", input=9), own("*:gpt-4o", input=7)],
        )
        found = {
            model: prices.cost(UNKNOWN, model, Usage(input=1_000_000))
            for model in ("cheap-1", "other")
        }
        assert found == {"cheap-1": Decimal("0.1"), "other": Decimal(5)}
        cost = prices.cost(provider("openai"), "gpt-4o", Usage(input=1_000_000))
        assert cost == 7  # an own price goes before the package's

    def test_a_kind_of_token_without_a_price_costs_as_what_it_is_a_part_of(self) -> None:
        used = Usage(cache_read=1, cache_write=10, cache_write_long=100, reasoning=1000)
        plain = Prices([own("*")]).cost(UNKNOWN, "m", used)
        assert plain == (111 * 1 + 1000 * 2) / MILLION
        short = Prices([own("*", cache_write=3)]).cost(UNKNOWN, "m", used)
        assert short == (1 + 110 * 3 + 2000) / MILLION
        each = own("*", cache_read=0, cache_write=3, cache_write_long=4, reasoning=5)
        assert Prices([each]).cost(UNKNOWN, "m", used) == (30 + 400 + 5000) / MILLION

    def test_searches_without_a_price_make_the_cost_unknown(self) -> None:
        used = Usage(input=1, searches=2)
        assert Prices([own("*")]).cost(UNKNOWN, "m", used) is None
        assert Prices([own("*", searches=10, input=0)]).cost(UNKNOWN, "m", used) == Decimal("0.02")

    def test_nothing_costs_nothing(self) -> None:
        assert Prices([own("*")]).cost(UNKNOWN, "m", Usage()) == 0

    def test_a_fraction_is_what_was_written(self) -> None:
        assert own("m", input=0.1).input == own("m", input="0.1").input == Decimal("0.1")

    @pytest.mark.parametrize("value", [-1, "x", float("nan"), float("inf"), 10**7])
    def test_nonsense_is_refused(self, value: object) -> None:
        with pytest.raises(ValidationError):
            own("m", input=value)


@given(
    st.builds(
        Usage,
        input=counts,
        cache_read=counts,
        cache_write=counts,
        cache_write_long=counts,
        output=counts,
        reasoning=counts,
    ),
    st.lists(rates, min_size=6, max_size=6),
)
def test_every_token_is_priced_exactly_once(used: Usage, each: list[Decimal]) -> None:
    names = ("input", "cache_read", "cache_write", "cache_write_long", "output", "reasoning")
    cost = Prices([PriceSpec(model="*", **dict(zip(names, each, strict=True)))]).cost(
        UNKNOWN, "m", used
    )
    exact = sum(getattr(used, name) * rate for name, rate in zip(names, each, strict=True))
    assert cost is not None
    assert abs(cost - Decimal(exact) / MILLION) <= Decimal("0.5e-9")


class TestPackage:
    def test_a_service_is_known_by_its_address(self) -> None:
        found = Prices().find(provider("mine", type="openai"), "gpt-4o-mini")
        assert found is not None
        assert found.source.startswith("genai-prices ")
        assert found.source.endswith(", openai/gpt-4o-mini")

    def test_behind_a_foreign_address_by_its_kind_and_that_is_said(self) -> None:
        proxied = provider("anthropic", base_url="http://127.0.0.1:9")
        found = Prices().find(proxied, "claude-opus-4-5")
        assert found is not None
        assert found.source.endswith("anthropic/claude-opus-4-5, by the kind of provider")

    def test_prices_are_those_that_are_published(self) -> None:
        """Of Anthropic's price list: input 5 $, output 25 $, reads 0.1, writes 1.25 and 2 times
        the input, per million; 10 $ for a thousand searches."""
        opus = provider("anthropic")
        used = Usage(
            input=10, cache_read=100, cache_write=1000, cache_write_long=500, output=9, searches=1
        )
        tokens = 10 * 5 + 100 * Decimal("0.5") + 1000 * Decimal("6.25") + 500 * 10 + 9 * 25
        expected = tokens / MILLION + Decimal("0.01")
        assert Prices().cost(opus, "claude-opus-4-5", used) == expected

    @pytest.mark.parametrize("place", [UNKNOWN, provider("openai"), provider("groq")])
    def test_a_model_that_is_not_listed_is_unknown(self, place: Provider) -> None:
        assert Prices().find(place, "no-such-model") is None
        assert Prices().cost(place, "no-such-model", SOME) is None

    def test_the_name_of_a_model_elsewhere_says_nothing(self) -> None:
        assert Prices().cost(UNKNOWN, "gpt-4o", SOME) is None

    def test_a_long_prompt_may_cost_more_for_all_of_it(self) -> None:
        gemini = provider("gemini")
        prices = Prices()
        short = prices.cost(gemini, "gemini-2.5-pro", Usage(input=200_000))
        long = prices.cost(gemini, "gemini-2.5-pro", Usage(input=200_001))
        assert short is not None
        assert long is not None
        assert long > short * Decimal("1.9")

    def test_the_hour_of_the_day_may_matter(self) -> None:
        by_hour = {
            hour: Prices(clock=lambda hour=hour: datetime(2025, 3, 1, hour, tzinfo=UTC)).cost(
                provider("deepseek"), "deepseek-chat", SOME
            )
            for hour in (12, 20)
        }
        assert by_hour[12] != by_hour[20]

    def test_together_is_known_at_its_newer_address(self) -> None:
        found = Prices().find(provider("together"), "meta-llama/Llama-3.3-70B-Instruct-Turbo")
        assert isinstance(found, Rates)
        assert "together/" in found.source


def test_a_model_inside_the_gateway_costs_nothing() -> None:
    local = Provider("local", "local", "Local", {}, frozenset(), UNKNOWN.auth, source=Source.LOCAL)
    assert Prices().find(local, "m") is LOCAL
    assert Prices().cost(local, "m", SOME) == 0


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragoman.prices._MOST_REMEMBERED", 3)
    prices = Prices([own("*")])
    for number in range(10):
        assert prices.cost(UNKNOWN, f"m{number}", SOME) is not None
    assert len(prices._known) <= 3
