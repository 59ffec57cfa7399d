"""Writes metrics down in Prometheus' text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/ has its rules. It is written here
since prometheus-client takes a tenth of a second to import and keeps a registry of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dragoman.observe.metrics import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(slots=True)
class Family:
    """The samples of one metric. `name` has all of it, `_total` included; samples are pairs of
    label values, in the order of `labels`, and a number or, of a histogram, all of it."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    samples: list[tuple[tuple[str, ...], float | Histogram]] = field(
        default_factory=list[tuple[tuple[str, ...], "float | Histogram"]]
    )

    def add(self, value: float | Histogram, *labels: str) -> None:
        """Adds a sample."""
        self.samples.append((labels, value))

    def add_all(self, values: Mapping[str, float], *labels: str) -> None:
        """Adds a sample for each of `values`, whose names are those of the last label."""
        for name, value in values.items():
            self.add(value, *labels, name)


def write(families: Iterable[Family]) -> bytes:
    """What a scrape is answered with."""
    return "".join(line for family in families for line in _lines(family)).encode()


def _lines(family: Family) -> Iterator[str]:
    help_text = family.help.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {help_text}\n# TYPE {family.name} {family.kind}\n"
    for values, value in family.samples:
        labels = ",".join(
            f'{name}="{text.translate(_ESCAPES)}"'
            for name, text in zip(family.labels, values, strict=True)
        )
        if isinstance(value, Histogram):
            yield from _histogram_lines(family.name, labels, value)
        else:
            yield f"{family.name}{_braces(labels)} {_number(value)}\n"


def _histogram_lines(name: str, labels: str, histogram: Histogram) -> Iterator[str]:
    before = labels + "," if labels else ""
    cumulative = histogram.cumulative()
    for bound, count in zip((*histogram.bounds, math.inf), cumulative, strict=True):
        yield f'{name}_bucket{{{before}le="{_number(bound)}"}} {count}\n'
    yield f"{name}_sum{_braces(labels)} {_number(histogram.sum)}\n"
    yield f"{name}_count{_braces(labels)} {cumulative[-1]}\n"


def _braces(labels: str) -> str:
    return f"{{{labels}}}" if labels else ""


def _number(value: float) -> str:
    """As Go's ParseFloat reads it; whole numbers without a point."""
    if value == math.inf:
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
