"""No field of the published request schemas is dropped in silence, in any direction."""

from __future__ import annotations

import pytest
from published_fields import PAGE, PUBLISHED, fate, marked, table

from dragoman.protocols import Protocol

FIELDS = [
    (caller, name) for caller, published in PUBLISHED.items() for name in sorted(published.names)
]


@pytest.mark.parametrize("caller", PUBLISHED)
def test_every_sample_is_of_a_published_field(caller: Protocol) -> None:
    assert PUBLISHED[caller].samples.keys() <= PUBLISHED[caller].names


@pytest.mark.parametrize("destination", PUBLISHED)
@pytest.mark.parametrize(("caller", "name"), FIELDS)
def test_a_field_is_carried_recorded_or_refused(
    caller: Protocol, name: str, destination: Protocol
) -> None:
    found = fate(caller, name, destination)
    assert found in {"carried", "changed", "noted", "refused"}
    if caller is destination and caller in {Protocol.RESPONSES, Protocol.GEMINI}:
        assert found == "carried"


@pytest.mark.parametrize("caller", PUBLISHED)
def test_the_published_table_is_true(caller: Protocol) -> None:
    start, end = marked(caller)
    _, _, rest = PAGE.read_text().partition(start)
    shown, _, _ = rest.partition(end)
    assert shown == table(caller), "python tests/published_fields.py writes the tables anew"
