"""The figures as text: one table for each lane, gateways as rows."""

from __future__ import annotations

from collections.abc import Sequence

from bench.lanes import Lane
from bench.measurements import Cell, Figures

_REQUESTS = (("CPU us/request", "cpu_us"), ("requests/s", "per_s"))
_STREAMS = (("CPU us/event", "cpu_us"), ("events/s", "per_s"), ("KB/stream", "kb"))
_ADDED = (("added p50 us", "p50_us"), ("added p99 us", "p99_us"))
_START = (("start s", "seconds"), ("idle MB", "idle_mb"))


def print_tables(figures: Figures, gateways: Sequence[str], lanes: Sequence[Lane]) -> None:
    """Prints what was measured; a dash stands for what a gateway cannot do."""
    _print_table(figures, gateways, "start", 0, _START)
    for lane in lanes:
        for connections in sorted(lane.connections):
            columns = _STREAMS if lane.streams else _REQUESTS + _ADDED
            _print_table(figures, gateways, lane.name, connections, columns)


def _print_table(
    figures: Figures,
    gateways: Sequence[str],
    lane: str,
    connections: int,
    columns: Sequence[tuple[str, str]],
) -> None:
    title = f"{lane}, {connections} at once" if connections else lane
    print(f"\n{title}\n{'':<10}" + "".join(f"{heading:>16}" for heading, _ in columns))
    for gateway in gateways:
        values: list[str] = []
        for heading, measure in columns:
            cell = Cell(gateway, lane, connections, measure)
            value = figures.added(cell) if heading.startswith("added") else figures.read(cell)
            values.append(f"{show(value):>16}")
        failures = figures.read(Cell(gateway, lane, connections, "failures"))
        note = f"   {failures:.0f} failed" if failures else ""
        print(f"{gateway:<10}" + "".join(values) + note)


def show(value: float | None) -> str:
    """Three significant digits, or a dash."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
