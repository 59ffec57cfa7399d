"""How one lane of one gateway is measured."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.gateways import Gateway, Launch
from bench.lanes import Lane
from bench.load import Question, read_result, start_load
from bench.processes import GATEWAY_CORE, Program, free_port
from bench.upstream import Upstream

DIRECT = "direct"
"""Stands for a gateway where the load goes to the upstream itself."""


@dataclass(frozen=True)
class Cell:
    """What a figure is about; `connections` is 0 where there are none."""

    gateway: str
    lane: str
    connections: int
    measure: str


class Figures:
    """Every figure of every round; what is read is the median."""

    def __init__(self) -> None:
        self._rounds: dict[Cell, list[float]] = defaultdict(list)

    def add(self, gateway: str, lane: str, connections: int, measures: dict[str, float]) -> None:
        """Notes what one round gave."""
        for measure, value in measures.items():
            self._rounds[Cell(gateway, lane, connections, measure)].append(value)

    def read(self, cell: Cell) -> float | None:
        """The median over the rounds, or None where nothing was measured."""
        rounds = self._rounds.get(cell)
        return statistics.median(rounds) if rounds else None

    def added(self, cell: Cell) -> float | None:
        """What the gateway adds to what the upstream takes by itself, median over the rounds."""
        direct = self._rounds.get(Cell(DIRECT, cell.lane, cell.connections, cell.measure))
        rounds = self._rounds.get(cell)
        if not rounds or not direct:
            return None
        return statistics.median(
            ours - theirs for ours, theirs in zip(rounds, direct, strict=False)
        )


@dataclass(frozen=True)
class Running:
    """A gateway that serves; `start_s` is how long it took to answer."""

    name: str
    program: Program
    launch: Launch
    base_url: str
    start_s: float
    folder: Path


@contextmanager
def run_gateway(gateway: Gateway, cache: Path, upstream: str) -> Generator[Running, None, None]:
    """Runs `gateway`, as installed in `cache`, in front of the base URL `upstream`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        launch = gateway.launch(cache / gateway.name, folder, port, upstream)
        log = folder / "gateway.log"
        with Program(launch.command, GATEWAY_CORE, log, launch.environ) as program:
            start_s = program.wait_until_ready(url + launch.ready)
            yield Running(gateway.name, program, launch, url, start_s, folder)


def measure_gateway(
    gateway: Gateway,
    lanes: Sequence[Lane],
    upstream: Upstream,
    cache: Path,
    seconds: float,
    figures: Figures,
) -> None:
    """One round: the gateway is started anew for each upstream that it is put in front of."""
    by_upstream: dict[str, list[Lane]] = defaultdict(list)
    for lane in lanes:
        if gateway.translates or not lane.messages:
            by_upstream[lane.upstream(upstream)].append(lane)
    for base_url, its_lanes in by_upstream.items():
        with run_gateway(gateway, cache, base_url) as running:
            time.sleep(1)
            idle = {"seconds": running.start_s, "idle_mb": running.program.memory() / 1e6}
            figures.add(gateway.name, "start", 0, idle)
            for lane in its_lanes:
                for connections in lane.connections:
                    try:
                        found = _measure_lane(running, lane, connections, upstream, seconds)
                    except RuntimeError as error:  # the others can still be measured
                        print(f"{gateway.name}: {error}", file=sys.stderr)
                    else:
                        figures.add(gateway.name, lane.name, connections, found)


def measure_direct(
    lanes: Sequence[Lane], upstream: Upstream, seconds: float, figures: Figures
) -> None:
    """What the upstream takes by itself, which every latency includes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for lane in lanes:
            if lane.streams:
                continue
            for connections in lane.connections:
                question = lane.question(lane.upstream(upstream), Launch(()), connections)
                result = read_result(start_load(question, connections, seconds, Path(name)))
                latency = {"p50_us": result.p50_us, "p99_us": result.p99_us, "per_s": result.rate}
                figures.add(DIRECT, lane.name, connections, latency)


def _measure_lane(
    running: Running, lane: Lane, connections: int, upstream: Upstream, seconds: float
) -> dict[str, float]:
    question = lane.question(running.base_url, running.launch, connections)
    _check_answer(question, lane)
    if lane.streams:
        return _measure_streams(running, upstream, question, connections, seconds)
    return _measure_requests(running, question, connections, seconds)


def _check_answer(question: Question, lane: Lane) -> None:
    """Raises RuntimeError unless the gateway gives the answer that the lane is about."""
    headers = {"content-type": "application/json", **question.headers}
    request = urllib.request.Request(question.url, question.body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{lane.name}: {error.code} {error.read()[:500]!r}") from error
    if lane.streams:
        end = b"message_stop" if lane.messages else b"data: [DONE]"
    else:
        end = b'"end_turn"' if lane.messages else b'"stop"'
    if end not in answer or b"words" not in answer:
        raise RuntimeError(f"{lane.name}: not the answer that was expected: {answer[:500]!r}")


def _measure_requests(
    running: Running, question: Question, connections: int, seconds: float
) -> dict[str, float]:
    read_result(start_load(question, connections, 1, running.folder))
    while True:
        before = running.program.cpu_s()
        result = read_result(start_load(question, connections, seconds, running.folder))
        spent = running.program.cpu_s() - before
        # Requests cut off at the end were paid for but are not counted: let them be few.
        if result.requests >= 20 * connections or seconds >= 30:
            break
        seconds *= 3
    return {
        "cpu_us": spent / max(1, result.requests) * 1e6,
        "per_s": result.rate,
        "p50_us": result.p50_us,
        "p99_us": result.p99_us,
        "failures": result.failures,
    }


def _measure_streams(
    running: Running, upstream: Upstream, question: Question, connections: int, seconds: float
) -> dict[str, float]:
    idle = running.program.memory()
    load = start_load(question, connections, seconds + 3, running.folder)
    time.sleep(2)  # by then every stream has begun
    spent, events, began = running.program.cpu_s(), upstream.count_events(), time.monotonic()
    time.sleep(seconds)
    spent = running.program.cpu_s() - spent
    events = upstream.count_events() - events
    elapsed = time.monotonic() - began
    memory = running.program.memory()
    failures = read_result(load).failures
    if events < connections:
        raise RuntimeError(f"{connections} streams did not get going within the time")
    return {
        "cpu_us": spent / events * 1e6,
        "per_s": events / elapsed,
        "kb": max(0, memory - idle) / connections / 1e3,
        "failures": failures,
    }
