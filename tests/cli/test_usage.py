"""`dragoman usage`: sums in the form that scripts lean on, whether a gateway runs or not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Inside
from cli.processes import Home
from store.records import record

from dragoman.cli.usage import By
from dragoman.paths import open_data_directory
from dragoman.secrets import SecretBox
from dragoman.store.clock import now_ms
from dragoman.store.requests import Record
from dragoman.store.store import Store
from dragoman.store.usage import DAY_MS, Grouping

FIELDS = [
    "group",
    "requests",
    "errors",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
]


def write(data: Path, *records: Record) -> None:
    """Puts records into the database of a data directory."""

    async def add() -> None:
        directory = open_data_directory(data)
        store = await Store.open(directory.database, SecretBox.open(directory))
        await store.requests.add(records)
        await store.aclose()

    asyncio.run(add())


def usage(home: Inside, *arguments: str) -> list[dict[str, Any]]:
    outcome = home.run("usage", "--json", *arguments)
    assert outcome.status == 0, outcome.err
    return outcome.json


@pytest.fixture
def filled(inside: Inside) -> Inside:
    now = now_ms()
    write(
        inside.data,
        record(now, cost=2_500_000_000, reasoning_tokens=3, cache_write_tokens=100),
        record(now, key_id="key_2", key_name="laptop", model="n", cost=None, price=None),
        record(now, provider=None, model=None, key_id=None, status=401, error="No key.", cost=0),
        record(now - 3 * DAY_MS, cost=5),
    )
    return inside


def test_every_line_has_the_fields_of_the_contract(filled: Inside) -> None:
    lines = usage(filled)
    assert [list(line) for line in lines] == [FIELDS] * 3
    assert {line["group"]: line["cost_usd"] for line in lines} == {
        "up:m": 2.500000005,
        "up:n": None,
        "": 0.0,
    }


def test_counts_of_tokens_are_disjoint(filled: Inside) -> None:
    (line,) = (line for line in usage(filled, "--since", "1d") if line["group"] == "up:m")
    counts = [line[name] for name in FIELDS if name.endswith("_tokens")]
    assert counts == [110, 5, 7, 3]


def test_by_key_provider_and_day_and_since(filled: Inside) -> None:
    def counts(*arguments: str) -> list[tuple[str, int]]:
        return [(line["group"], line["requests"]) for line in usage(filled, *arguments)]

    assert dict(counts("--by", "key")) == {"default": 2, "key_2": 1, "": 1}
    assert dict(counts("--by", "provider")) == {"up": 3, "": 1}
    assert [number for _, number in counts("--by", "day")] == [1, 3]
    assert [number for _, number in counts("--by", "day", "--since", "1d")] == [3]
    assert dict(counts("--by", "provider", "--since", "2020-01-01")) == {"up": 3, "": 1}


def test_the_table_never_shows_an_unknown_cost_as_nothing(filled: Inside) -> None:
    rows = {row[0]: row[-1] for row in filled.run("usage").rows}
    assert rows == {"up:m": "$2.5000", "up:n": "unknown", "(none)": "$0.0000"}
    by_provider = {row[0]: row[-1] for row in filled.run("usage", "--by", "provider").rows}
    assert by_provider["up"] == "unknown, $2.5000 and more"


def test_a_fresh_installation_has_used_nothing(home: Home) -> None:
    outcome = home.run("usage", "--json")
    assert (outcome.status, outcome.json) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--since", "soon"], 1, "`soon` is no time"),
        (["--by", "colour"], 2, "colour"),
    ],
)
def test_mistakes_are_told(inside: Inside, arguments: list[str], status: int, told: str) -> None:
    outcome = inside.run("usage", *arguments)
    assert outcome.status == status
    assert told in outcome.err


def test_the_choices_are_those_of_the_store() -> None:
    assert [each.value for each in By] == [each.value for each in Grouping]
