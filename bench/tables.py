"""The figures as Markdown: one table for each lane and number of connections, a row per gateway."""

from __future__ import annotations

from collections.abc import Sequence

from bench.lanes import Lane
from bench.measurements import Cell, Figures

_REQUESTS = {"CPU us/request": "cpu_us", "requests/s": "per_s"}
_STREAMS = {"CPU us/event": "cpu_us", "events/s": "per_s"}
_MEMORY = {"KB/stream": "kb"}
_ADDED = {"added p50 us": "p50_us", "added p99 us": "p99_us"}
_START = {"start s": "seconds", "idle MB": "idle_mb"}


def print_tables(figures: Figures, gateways: Sequence[str], lanes: Sequence[Lane]) -> None:
    """Prints what was measured; a dash stands for what a gateway cannot do.

    `ratio` is how many times the CPU of the first gateway it costs.
    """
    _print_table(figures, gateways, "start", 0, _START)
    for lane in lanes:
        for connections in sorted(lane.connections):
            columns = _STREAMS if lane.streams else _REQUESTS | _ADDED
            if lane.streams and connections == max(lane.connections):
                columns = columns | _MEMORY
            _print_table(figures, gateways, lane.name, connections, columns)


def _print_table(
    figures: Figures,
    gateways: Sequence[str],
    lane: str,
    connections: int,
    columns: dict[str, str],
) -> None:
    rows = [["", *columns, *(["ratio"] if "cpu_us" in columns.values() else [])]]
    ours = figures.read(Cell(gateways[0], lane, connections, "cpu_us"))
    for gateway in gateways:
        row = [gateway]
        for heading, measure in columns.items():
            cell = Cell(gateway, lane, connections, measure)
            value = figures.added(cell) if heading.startswith("added") else figures.read(cell)
            row.append(show(value))
        theirs = figures.read(Cell(gateway, lane, connections, "cpu_us"))
        if "ratio" in rows[0]:
            row.append(show(theirs / ours if theirs and ours else None))
        if failures := figures.read(Cell(gateway, lane, connections, "failures")):
            row[0] += f" ({failures:.0f} failed)"
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    print(f"\n{lane}, {connections} at once" if connections else f"\n{lane}", end="\n\n")
    for row in rows:
        first, *rest = (text.rjust(width) for text, width in zip(row, widths, strict=True))
        print("|", " | ".join([first.strip().ljust(widths[0]), *rest]), "|")


def show(value: float | None) -> str:
    """Three significant digits, or a dash."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
