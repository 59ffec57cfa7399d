from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.wire.call_ids import LONGEST, fit, unfit

lengths = st.sampled_from([40, LONGEST])


@given(st.text(min_size=1), lengths)
def test_every_id_fits(id: str, longest: int) -> None:
    assert re.fullmatch(rf"[A-Za-z0-9_-]{{1,{longest}}}", fit(id, longest))


@given(st.text(min_size=1, max_size=10))
def test_short_ids_come_back(id: str) -> None:
    assert unfit(fit(id)) == id


@given(st.text(min_size=1), st.text(min_size=1))
def test_distinct_ids_stay_distinct(one: str, other: str) -> None:
    assert (fit(one) == fit(other)) == (one == other)


@pytest.mark.parametrize("id", ["call_abc", "toolu_01A-b", "dgmid_", "dgmid_ü", "x" * 64])
def test_ids_that_nobody_packed_stay(id: str) -> None:
    assert unfit(id) in (id, "")
