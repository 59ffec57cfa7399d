from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman import edit
from dragoman.limits import Demand
from dragoman.limits.estimates import USUAL_OUTPUT, estimate
from dragoman.prices import Rates
from dragoman.protocols import CHAT, EMBEDDINGS, GENERATE_CONTENT, MESSAGES, RESPONSES

CENT = Decimal("0.01")
RATES = Rates("test", *(Decimal(price) / 1_000_000 for price in (1, 0, 1, 2, 10, 10)))
PLAIN = Rates("test", *(Decimal(price) / 1_000_000 for price in (1, 0, 1, 1, 10, 20)))
NANO_PER_TOKEN = 1000  # a dollar for a million tokens


def document(**members: object) -> edit.Document:
    return edit.parse(json.dumps(members).encode())


@pytest.mark.parametrize(
    ("operation", "members", "output"),
    [
        (CHAT, {"max_tokens": 100}, 100),
        (CHAT, {"max_completion_tokens": 100, "max_tokens": 50, "n": 3}, 300),
        (RESPONSES, {"max_output_tokens": 7}, 7),
        (MESSAGES, {"max_tokens": 32_000}, 32_000),
        (GENERATE_CONTENT, {"generationConfig": {"maxOutputTokens": 9, "candidateCount": 2}}, 18),
    ],
)
def test_the_output_is_what_the_request_allows_itself(operation, members, output) -> None:
    asked = document(**members)
    inputs = len(asked.body) // 3 + 1
    cost = (inputs + 20 * output) * NANO_PER_TOKEN
    assert estimate(asked, operation, [(PLAIN, 64_000)]) == Demand(inputs + output, cost)


@pytest.mark.parametrize(("largest", "output"), [(500, 500), (None, USUAL_OUTPUT)])
def test_else_it_is_what_the_model_can_give(largest, output) -> None:
    asked = document(model="m")
    inputs = len(asked.body) // 3 + 1
    demand = estimate(asked, CHAT, [(PLAIN, largest)])
    assert demand == Demand(inputs, (inputs + 20 * output) * NANO_PER_TOKEN)


def test_the_dearest_choice_counts_and_input_may_go_into_a_cache() -> None:
    asked = document(model="m", max_tokens=1)
    inputs = len(asked.body) // 3 + 1
    cheap = Rates("test", *[Decimal(0)] * 6)
    demand = estimate(asked, CHAT, [(cheap, None), (RATES, None), (None, None)])
    assert demand.cost == (2 * inputs + 10) * NANO_PER_TOKEN


def test_what_has_no_price_demands_no_money() -> None:
    demand = estimate(document(model="m"), CHAT, [(None, 64_000)])
    assert demand.cost == 0
    assert demand.tokens > 0


def test_embeddings_give_no_tokens() -> None:
    asked = document(model="m", input="text")
    inputs = len(asked.body) // 3 + 1
    assert estimate(asked, EMBEDDINGS, [(PLAIN, None)]) == Demand(inputs, inputs * NANO_PER_TOKEN)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n", "generationConfig")


@given(members=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES)))
def test_nonsense_is_for_others_to_judge(members: dict[str, object]) -> None:
    demand = estimate(document(**members), CHAT, [(PLAIN, None)])
    assert demand.tokens >= 1
    assert demand.cost > 0
