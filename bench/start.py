"""How soon a gateway is there: its first start and later ones, the first answer, idle memory.

    python -m bench.start [--rounds N]

Each round begins with an empty data directory (`first`: the database and the keys are made) and
goes on with a start on the same one (`later`). In each the embedded model, where it is installed,
is asked for one token, which starts its process. Memory is that of the gateway's own process, with
and without the model in use. Seconds are wall-clock time on whatever else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil

MODEL = "local:smollm2-135m"
SOURCE = Path(__file__).parents[1] / "src"
TARGETS = {"/health s": 1.5, "first answer s": 3.0, "idle MB": 100.0}
"""What a later start is meant to stay under."""


def measure_start(data: Path) -> dict[str, float]:
    """One start on the data directory `data`, and the figures of it."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(data.parent),
        "PYTHONPATH": str(SOURCE),
        "DRAGOMAN_DATA_DIR": str(data),
    }
    command = [sys.executable, "-m", "dragoman", "serve", "-p", "0", "--json-banner"]
    began = time.monotonic()
    with (
        (data.parent / "log").open("a") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, env=environ, cwd=data.parent
        ) as process,
    ):
        try:
            assert process.stdout is not None
            banner = json.loads(process.stdout.readline())
            ask(banner["url"] + "/health")
            figures = {"/health s": time.monotonic() - began}
            figures["idle MB"] = memory_mb(process)
            if banner["models"]:
                prompt = {"role": "user", "content": "Hi"}
                body = {"model": MODEL, "max_tokens": 1, "messages": [prompt]}
                ask(banner["url"] + "/v1/chat/completions", body, banner["key"])
                figures["first answer s"] = time.monotonic() - began
                figures["MB after it"] = memory_mb(process)
            return figures
        finally:
            process.terminate()
            process.wait(30)


def ask(url: str, body: Any = None, key: str = "") -> None:
    """One request; raises for anything but an answer of 200."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=60) as answer:
        answer.read()


def memory_mb(process: subprocess.Popen[bytes]) -> float:
    return psutil.Process(process.pid).memory_info().rss / 1e6


def print_table(rows: dict[str, dict[str, list[float]]]) -> None:
    """Medians as Markdown; the last row is what the project aims at."""
    columns = list(next(iter(rows.values())))
    print(f"| start | {' | '.join(columns)} |")
    print("|---|" + "---:|" * len(columns))
    for name, figures in rows.items():
        values = [f"{statistics.median(figures[column]):.2f}" for column in columns]
        print(f"| {name} | {' | '.join(values)} |")
    targets = [f"< {TARGETS[each]:g}" if each in TARGETS else "" for each in columns]
    print(f"| target | {' | '.join(targets)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows: dict[str, dict[str, list[float]]] = {
        "first": defaultdict(list),
        "later": defaultdict(list),
    }
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            for row in rows.values():
                for name, value in measure_start(Path(folder) / "data").items():
                    row[name].append(value)
    print_table(rows)


if __name__ == "__main__":
    main()
