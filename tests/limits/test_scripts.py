"""That the scripts do what they say is shown by `test_meters`, `test_laws` and `test_redis`."""

from __future__ import annotations

import re

import pytest

from dragoman.limits import scripts


@pytest.mark.parametrize("name", ["RESERVE", "SETTLE", "RENEW", "BEGIN"])
def test_a_script_touches_only_the_keys_that_it_is_given(name: str) -> None:
    """Else a cluster would refuse it, or worse, look in the wrong place."""
    script = getattr(scripts, name)
    touched = set(re.findall(r"redis\.call\('\w+', ([\w\[\]]+)", script))
    assert touched <= {"account", "holds", "leases", "key", "KEYS[1]"}


def test_the_budgets_begin_where_the_meter_thinks() -> None:
    assert f"for at = {scripts.FIRST_BUDGET}, #ARGV, 2 do" in scripts.RESERVE
