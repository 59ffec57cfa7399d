"""observe.exposition: what is written is what Prometheus' own parser reads."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from dragoman.observe.exposition import Family, write
from dragoman.observe.metrics import Histogram

LABEL = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def read(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by its name and labels, as Prometheus understands it."""
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_the_format() -> None:
    requests = Family("requests_total", "counter", "All of\nthem.", ("model", "key"))
    requests.add(3, "a", "b")
    seconds = Family("seconds", "histogram", "How long.")
    histogram = Histogram((0.5, 2))
    for value in (0.25, 1, 7):
        histogram.observe(value)
    seconds.add(histogram)
    assert write([requests, seconds]).decode().splitlines() == [
        r"# HELP requests_total All of\nthem.",
        "# TYPE requests_total counter",
        'requests_total{model="a",key="b"} 3',
        "# HELP seconds How long.",
        "# TYPE seconds histogram",
        'seconds_bucket{le="0.5"} 1',
        'seconds_bucket{le="2"} 2',
        'seconds_bucket{le="+Inf"} 3',
        "seconds_sum 8.25",
        "seconds_count 3",
    ]


@given(
    st.dictionaries(
        st.tuples(LABEL, LABEL),
        st.floats(min_value=0, max_value=1e300, allow_nan=False),
        max_size=5,
    )
)
def test_any_label_and_any_number_survive(samples: dict[tuple[str, str], float]) -> None:
    family = Family("any", "gauge", 'With \\ and "quotes".', ("one", "two"))
    for labels, value in samples.items():
        family.add(value, *labels)
    assert read(write([family])) == {
        ("any", (("one", one), ("two", two))): value for (one, two), value in samples.items()
    }


@given(st.lists(st.floats(min_value=0, max_value=1e6)))
def test_any_histogram_survives(values: list[float]) -> None:
    histogram = Histogram((1, 100))
    for value in values:
        histogram.observe(value)
    family = Family("h", "histogram", "Any.", ("of",))
    family.add(histogram, "x")
    found = read(write([family]))
    of = ("of", "x")
    assert found["h_count", (of,)] == found["h_bucket", (of, ("le", "+Inf"))] == len(values)
    assert found["h_sum", (of,)] == histogram.sum


def test_names_of_the_last_label_can_be_given_together() -> None:
    family = Family("state", "gauge", "One of them.", ("provider", "state"))
    family.add_all({"open": 1, "closed": 0}, "up")
    assert read(write([family])) == {
        ("state", (("provider", "up"), ("state", "open"))): 1,
        ("state", (("provider", "up"), ("state", "closed"))): 0,
    }
