"""The figures as pictures: a row for each gateway, a dot for its cost, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bench.lanes import Lane
from bench.measurements import Cell, Figures
from bench.tables import show

_WIDTH, _LEFT, _RIGHT = 720, 110, 90
_ROW, _HEADING, _AXIS = 22, 34, 26
_OURS, _THEIRS, _INK, _GRID = "#c2410c", "#475569", "#1e293b", "#e2e8f0"


def draw_charts(
    figures: Figures, gateways: Sequence[str], lanes: Sequence[Lane], folder: Path
) -> None:
    """Writes `bench-requests.svg` and `bench-streams.svg` to `folder`; the less, the better."""
    for name, streams, unit in (("requests", False, "request"), ("streams", True, "event")):
        panels: list[tuple[str, list[tuple[str, float]]]] = []
        for lane in lanes:
            for connections in sorted(lane.connections):
                values = [
                    (gateway, value)
                    for gateway in gateways
                    if (value := figures.read(Cell(gateway, lane.name, connections, "cpu_us")))
                ]
                if lane.streams == streams and values:
                    heading = f"{lane.name}, {connections} at once: CPU us per {unit}"
                    panels.append((heading, values))
        if panels:
            (folder / f"bench-{name}.svg").write_text(_draw(panels, gateways[0]))


def _draw(panels: Sequence[tuple[str, list[tuple[str, float]]]], ours: str) -> str:
    values = [value for _, rows in panels for _, value in rows]
    low = math.floor(math.log10(min(values)))
    high = math.ceil(math.log10(max(values)))

    def place(value: float) -> float:
        share = (math.log10(value) - low) / (high - low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    parts: list[str] = []
    y = 0
    for heading, rows in panels:
        bottom = y + _HEADING + len(rows) * _ROW
        parts.append(_text(12, y + 22, heading, weight="bold"))
        for power in range(low, high + 1):
            x = place(10**power)
            parts.append(f'<path d="M{x:.1f} {y + _HEADING}V{bottom}" stroke="{_GRID}"/>')
            parts.append(_text(x, bottom + 14, f"{10**power:,}", anchor="middle", size=10))
        for number, (gateway, value) in enumerate(rows):
            middle = y + _HEADING + number * _ROW + _ROW / 2
            colour = _OURS if gateway == ours else _THEIRS
            parts.append(_text(_LEFT - 10, middle + 4, gateway, anchor="end"))
            parts.append(f'<circle cx="{place(value):.1f}" cy="{middle}" r="5" fill="{colour}"/>')
            parts.append(_text(place(value) + 10, middle + 4, show(value)))
        y = bottom + _AXIS
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}"'
        f' font-family="sans-serif">\n<rect width="{_WIDTH}" height="{y}" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, anchor: str = "start", size: int = 12, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}" fill="{_INK}">{text}</text>'
    )
