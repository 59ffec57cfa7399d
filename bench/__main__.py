"""What gateways cost: CPU, added latency and memory, side by side on this machine.

    scripts/bench [--only dragoman,nginx] [--lanes relay] [--seconds 5] [--rounds 3]
                  [--charts docs]

Each gateway has one core to itself; the load generator and the upstream share another. A figure
is the median of the rounds. The figures hold for one machine and one run: what carries over to
other machines is how the gateways compare.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import psutil

from bench.charts import draw_charts
from bench.gateways import GATEWAYS, Gateway
from bench.installs import install
from bench.lanes import LANES, Lane
from bench.measurements import Figures, measure_direct, measure_gateway
from bench.tables import print_tables
from bench.upstream import run_upstream

_Named = TypeVar("_Named", Gateway, Lane)
_QUIET = 10  # per cent of all processors
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "dragoman-bench"


def main() -> None:
    options = _read_options()
    gateways, lanes = _pick(GATEWAYS, options.only), _pick(LANES, options.lanes)
    for gateway in gateways:
        install(gateway, options.cache)
    if (busy := psutil.cpu_percent(interval=2)) > _QUIET:
        print(f"The machine is {busy:.0f} % busy: do not trust latencies.", file=sys.stderr)
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, run_upstream(Path(name)) as upstream:
        for number in range(1, options.rounds + 1):
            measure_direct(lanes, upstream, options.seconds, figures)
            for gateway in gateways:
                print(f"round {number}: {gateway.name}", file=sys.stderr)
                measure_gateway(gateway, lanes, upstream, options.cache, options.seconds, figures)
    names = [each.name for each in gateways]
    print_tables(figures, names, lanes)
    if options.charts is not None:
        draw_charts(figures, names, lanes, options.charts)


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="What gateways cost.")
    parser.add_argument("--only", type=_names, default=(), help="gateways, with commas")
    parser.add_argument("--lanes", type=_names, default=(), help="lanes, with commas")
    parser.add_argument("--seconds", type=float, default=5, help="for each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=_CACHE, help="where peers are installed")
    parser.add_argument("--charts", type=Path, help="a folder for SVG charts")
    return parser.parse_args()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _pick(known: Sequence[_Named], wanted: Sequence[str]) -> list[_Named]:
    """Those that are wanted, or all; ends the program for a name that is not known."""
    if unknown := set(wanted) - {each.name for each in known}:
        names = ", ".join(each.name for each in known)
        sys.exit(f"There is no {', '.join(sorted(unknown))} here, only: {names}.")
    return [each for each in known if not wanted or each.name in wanted]


if __name__ == "__main__":
    main()
