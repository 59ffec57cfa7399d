"""The load: wrk, told what to send by a script and made to report in JSON."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.processes import LOAD_CORE

_SCRIPT = """
wrk.method = "POST"
wrk.body = io.open({body}, "rb"):read("*a")
{headers}
function done(summary, latency, requests)
    io.write(string.format(
        '\\n{{"requests": %d, "us": %d, "refused": %d, "broken": %d, '
            .. '"p50_us": %d, "p99_us": %d}}\\n',
        summary.requests, summary.duration, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write
            + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True)
class Question:
    """One request, sent again and again."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Result:
    """What wrk saw; times in microseconds. `failures` are refusals and broken connections."""

    requests: int
    rate: float
    failures: int
    p50_us: float
    p99_us: float


def start_load(
    question: Question, connections: int, seconds: float, folder: Path
) -> subprocess.Popen[str]:
    """wrk, sending `question` over `connections` connections; `folder` is scratch space."""
    body = folder / "question.json"
    body.write_bytes(question.body)
    script = folder / "question.lua"
    headers = {"content-type": "application/json", **question.headers}
    script.write_text(
        _SCRIPT.format(
            body=json.dumps(str(body)),
            headers="\n".join(
                f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}"
                for name, value in headers.items()
            ),
        )
    )
    return subprocess.Popen(
        [
            *("taskset", "-c", str(LOAD_CORE), "wrk", "--threads", "1", "--timeout", "120s"),
            *("--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"),
            *("--script", str(script), question.url),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_result(wrk: subprocess.Popen[str]) -> Result:
    """Waits for wrk and reads its report."""
    output, _ = wrk.communicate()
    try:
        found: dict[str, Any] = json.loads(output.rstrip().rpartition("\n")[2])
    except ValueError as error:
        raise RuntimeError(f"wrk failed:\n{output}") from error
    return Result(
        requests=found["requests"],
        rate=found["requests"] / found["us"] * 1e6,
        failures=found["refused"] + found["broken"],
        p50_us=found["p50_us"],
        p99_us=found["p99_us"],
    )
