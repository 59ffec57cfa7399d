"""store.usage: sums are exact, whoever writes and however the time is cut."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store.records import NOON, record

from dragoman.secrets import SecretBox
from dragoman.store.database import Database
from dragoman.store.keys import KeyRecord, KeyStore
from dragoman.store.requests import Record, RequestStore
from dragoman.store.usage import (
    DAY_MS,
    HOUR_MS,
    Grouping,
    Measure,
    Scope,
    Sums,
    UsageStore,
    round_outwards,
    sum_up,
)

ALWAYS = Scope(0, NOON * 2)


@pytest.fixture
def store(database: Database, box: SecretBox) -> RequestStore:
    return RequestStore(database, box)


@pytest.fixture
def usage(database: Database) -> UsageStore:
    return UsageStore(database)


class TestCosts:
    def test_what_is_known_is_a_whole(self) -> None:
        sums = sum_up([record(cost=1_234_567_890)])
        assert sums.whole_cost == sums.known_cost == Decimal("1.23456789")

    def test_without_a_price_for_a_part_the_whole_is_unknown(self) -> None:
        sums = Sums(cost=5, unpriced=1)
        assert (sums.whole_cost, sums.known_cost) == (None, Decimal("5E-9"))

    def test_requests_without_counts_hide_nothing_and_are_no_proof_of_nothing(self) -> None:
        assert Sums(cost=5, unmetered=1).whole_cost == Decimal("5E-9")
        assert Sums(cost=0, unmetered=1).whole_cost is None

    @pytest.mark.parametrize(
        ("fields", "unpriced", "unmetered"),
        [
            ({}, 0, 0),
            ({"cost": 0}, 0, 0),
            ({"cost": None}, 1, 0),
            ({"cost": None, "input_tokens": None}, 0, 1),
            ({"cost": 0, "input_tokens": None}, 0, 0),
        ],
    )
    def test_what_a_record_counts_as(
        self, fields: dict[str, int | None], unpriced: int, unmetered: int
    ) -> None:
        sums = sum_up([record(**fields)])
        assert (sums.unpriced, sums.unmetered) == (unpriced, unmetered)


class TestGroups:
    async def test_each_grouping(self, store: RequestStore, usage: UsageStore) -> None:
        await store.add(
            [
                record(NOON),
                record(NOON + 1, provider="two", model="a/b:c", cost=9),
                record(NOON + DAY_MS, key_id="key_2", error="broke", cost=0),
                record(NOON, provider=None, model=None, key_id=None, error="who?", cost=0),
            ]
        )
        groups = {by: await usage.by_group(ALWAYS, by) for by in Grouping}
        counts = {
            by: {each.group: (each.sums.requests, each.sums.errors) for each in found}
            for by, found in groups.items()
        }
        assert counts == {
            Grouping.MODEL: {"up:m": (2, 1), "two:a/b:c": (1, 0), "": (1, 1)},
            Grouping.PROVIDER: {"up": (2, 1), "two": (1, 0), "": (1, 1)},
            Grouping.KEY: {"default": (2, 0), "key_2": (1, 1), "": (1, 1)},
            Grouping.DAY: {"2026-10-02": (3, 1), "2026-10-03": (1, 1)},
        }
        assert groups[Grouping.MODEL][0].group == "up:m"  # the dearest comes first
        assert (await usage.total(ALWAYS)).requests == 4

    async def test_keys_are_told_by_their_names(
        self, store: RequestStore, usage: UsageStore, database: Database
    ) -> None:
        await KeyStore(database).add(KeyRecord("key_2", "laptop", b"d", "h", (), NOON))
        await store.add([record(key_id="key_2", key_name="laptop")])
        assert [each.group for each in await usage.by_group(ALWAYS, Grouping.KEY)] == ["laptop"]

    async def test_the_scope_narrows(self, store: RequestStore, usage: UsageStore) -> None:
        await store.add([record(), record(key_id="k"), record(model="n"), record(provider="two")])
        for narrow in ({"key_id": "k"}, {"provider": "two"}, {"provider": "up", "model": "n"}):
            total = await usage.total(Scope(0, NOON * 2, **narrow))
            assert total.requests == 1, narrow

    async def test_nothing_is_nothing(self, usage: UsageStore) -> None:
        assert await usage.total(ALWAYS) == Sums()
        assert await usage.by_group(ALWAYS, Grouping.MODEL) == []
        assert await usage.latencies(ALWAYS, None) == []


class TestTime:
    async def test_series_by_hour_and_day(self, store: RequestStore, usage: UsageStore) -> None:
        await store.add([record(NOON), record(NOON + 1), record(NOON + HOUR_MS)])
        await store.add([record(NOON + DAY_MS, provider="two")])
        by_hour = await usage.series(Scope(NOON, NOON + DAY_MS), None, HOUR_MS)
        assert [(each.begins_at - NOON, each.sums.requests) for each in by_hour] == [
            (0, 2),
            (HOUR_MS, 1),
        ]
        by_day = await usage.series(Scope(NOON, NOON + DAY_MS + 1), Grouping.PROVIDER, DAY_MS)
        midnight = NOON - NOON % DAY_MS
        assert [(each.begins_at, each.group, each.sums.requests) for each in by_day] == [
            (midnight, "up", 3),
            (midnight + DAY_MS, "two", 1),
        ]

    def test_spans_are_rounded_to_the_hours_that_hold_them(self) -> None:
        assert round_outwards(NOON, NOON) == (NOON, NOON)
        assert round_outwards(NOON + 1, NOON + 1) == (NOON, NOON + HOUR_MS)
        assert round_outwards(NOON - 1, NOON + HOUR_MS) == (NOON - HOUR_MS, NOON + HOUR_MS)


offsets = st.integers(0, 4 * DAY_MS)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(offsets, st.integers(0, 10**12)), max_size=12),
    st.lists(offsets, min_size=2, max_size=2),
)
async def test_any_span_is_summed_as_its_hours_hold_it(
    tmp_path_factory: pytest.TempPathFactory,
    box: SecretBox,
    written: list[tuple[int, int]],
    ends: list[int],
) -> None:
    since, until = sorted(ends)
    first, last = round_outwards(since, until)
    database = await Database.open(tmp_path_factory.mktemp("usage") / "dragoman.db")
    records = [record(at, cost=cost) for at, cost in written]
    if records:
        await RequestStore(database, box).add(records)
    total = await UsageStore(database).total(Scope(since, until))
    await database.aclose()
    inside = [each for each in records if first <= each.started_at < last]
    assert (total.requests, total.cost) == (len(inside), sum(each.cost or 0 for each in inside))


class TestConcurrency:
    async def test_sums_are_exact_whoever_writes_at_the_same_time(
        self, where: Path | str, database: Database, box: SecretBox, usage: UsageStore
    ) -> None:
        """Two processes' worth of writers, batches of every size, the same few groups."""
        other = await Database.open(where)
        stores = [RequestStore(database, box), RequestStore(other, box)]

        def batch(number: int) -> list[Record]:
            return [
                record(NOON + n * HOUR_MS, model=f"m{n % 3}", cost=number * 100 + n)
                for n in range(number % 7 + 1)
            ]

        batches = [batch(number) for number in range(40)]
        await asyncio.gather(*(stores[n % 2].add(each) for n, each in enumerate(batches)))
        await other.aclose()
        written = [each for group in batches for each in group]
        total = await usage.total(ALWAYS)
        assert total.requests == len(written)
        assert total.cost == sum(each.cost or 0 for each in written)
        assert total.output_tokens == 7 * len(written)
        models = await usage.by_group(ALWAYS, Grouping.MODEL)
        assert {each.group: each.sums.cost for each in models} == {
            f"up:{name}": sum(each.cost or 0 for each in written if each.model == name)
            for name in ("m0", "m1", "m2")
        }


class TestLatencies:
    async def test_percentiles_by_group(self, store: RequestStore, usage: UsageStore) -> None:
        await store.add([record(duration_ms=n, first_byte_ms=1) for n in range(1, 17)])
        await store.add([record(model="slow", duration_ms=5000, first_byte_ms=None)])
        found = {
            (each.group, each.measure): each
            for each in await usage.latencies(ALWAYS, Grouping.MODEL)
        }
        assert found.keys() == {
            ("up:m", Measure.DURATION),
            ("up:m", Measure.FIRST_BYTE),
            ("up:slow", Measure.DURATION),
        }
        fast = found["up:m", Measure.DURATION]
        assert (fast.requests, fast.percentiles) == (16, {50: 8, 90: 15, 95: 17, 99: 17})
        (together, _) = await usage.latencies(ALWAYS, None)
        assert (together.group, together.requests) == ("", 17)

    async def test_long_spans_are_told_in_days_and_short_ones_in_hours(
        self, store: RequestStore, usage: UsageStore
    ) -> None:
        await store.add([record(NOON - HOUR_MS), record(NOON)])
        for until, requests in ((NOON + HOUR_MS, 1), (NOON + 3 * DAY_MS, 2)):
            (duration, _) = await usage.latencies(Scope(NOON, until), None)
            assert duration.requests == requests

    async def test_failures_do_not_count(self, store: RequestStore, usage: UsageStore) -> None:
        await store.add([record(error="broke"), record(provider=None, model=None)])
        assert await usage.latencies(ALWAYS, None) == []
