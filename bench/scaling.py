"""What limits, a database of its own and further processes cost each request.

    python -m bench.scaling [--seconds 5] [--postgres postgresql://postgres@127.0.0.1/postgres]

Processor time per request, of the gateway's processes and of Redis, at 64 connections. It hardly
depends on what else the machine does, as throughput would; docs/scaling.md computes with it. Needs
wrk, nginx and redis-server; the database at `--postgres` must be empty.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Question, read_result, start_load
from bench.processes import GATEWAY_CORE, LOAD_CORE, Program, free_port
from bench.upstream import run_upstream

DEFAULT_KEY = "sk-bench-default-0123456789"
ADMIN_KEY = "sk-bench-admin-0123456789"
CONNECTIONS = 64
LIMITS = {"rpm": 100_000_000, "tpm": 1_000_000_000, "budgets": ["1000000/day"]}


@dataclass(frozen=True)
class Lane:
    """One way to run the gateway."""

    name: str
    workers: int = 1
    limited: bool = False
    environ: dict[str, str] = field(default_factory=dict)


@contextmanager
def run_gateway(lane: Lane, upstream: str, folder: Path) -> Iterator[tuple[Program, str]]:
    (folder / "dragoman.toml").write_text(
        f'[server]\nlog_level = "error"\nworkers = {lane.workers}\n'
        f'[[providers]]\nid = "up"\ntype = "openai-compatible"\nbase_url = "{upstream}"\n'
        'api_key = "sk-upstream"\nmodels = ["m"]\n'
        '[[prices]]\nmodel = "up:m"\ninput = 1\noutput = 10\n'
    )
    port = free_port()
    command = ["python", "-m", "dragoman", "serve", "-p", str(port), "--data-dir", str(folder)]
    environ = {
        "DRAGOMAN_API_KEY": DEFAULT_KEY,
        "DRAGOMAN_ADMIN_KEY": ADMIN_KEY,
        "DRAGOMAN_SECRET_KEY": "the bench's own passphrase",
        **lane.environ,
    }
    with Program(command, GATEWAY_CORE, folder / "gateway.log", environ) as gateway:
        url = f"http://127.0.0.1:{port}"
        gateway.wait_until_ready(f"{url}/health")
        yield gateway, url


def make_key(url: str) -> str:
    """A key with limits that nothing here reaches."""
    import httpx2

    headers = {"authorization": f"Bearer {ADMIN_KEY}"}
    terms = {"name": "bench", **LIMITS}
    return httpx2.post(f"{url}/admin/keys", json=terms, headers=headers).json()["key"]


def measure(lane: Lane, upstream: str, redis: Program, seconds: float) -> str:
    """A row of the table."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway, url = stack.enter_context(run_gateway(lane, upstream, folder))
        key = make_key(url) if lane.limited else DEFAULT_KEY
        question = Question(
            f"{url}/v1/chat/completions",
            {"authorization": f"Bearer {key}"},
            b'{"model":"up:m","max_tokens":200,"messages":[{"role":"user","content":"Hello"}]}',
        )
        read_result(start_load(question, CONNECTIONS, 2, folder))
        before = gateway.cpu_s(), redis.cpu_s()
        result = read_result(start_load(question, CONNECTIONS, seconds, folder))
        spent = gateway.cpu_s() - before[0], redis.cpu_s() - before[1]
        own, shared = (each / result.requests * 1e6 for each in spent)
        failed = f" ({result.failures} failed)" if result.failures else ""
        return f"| {lane.name} | {own:.0f} | {shared:.0f} | {result.rate:.0f}{failed} |"


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--postgres")
    wanted = arguments.parse_args()
    port = free_port()
    shared = {"DRAGOMAN_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    lanes = [
        Lane("one process, SQLite, no limits"),
        Lane("one process, SQLite, limits in memory", limited=True),
        Lane("one process, SQLite, limits in Redis", limited=True, environ=shared),
        Lane("two workers, SQLite, no limits", workers=2),
        Lane("two workers, SQLite, limits in Redis", workers=2, limited=True, environ=shared),
    ]
    if wanted.postgres:
        database = {"DRAGOMAN_DATABASE_URL": wanted.postgres}
        both = database | shared
        lanes += [
            Lane("one process, PostgreSQL, no limits", environ=database),
            Lane("two workers, PostgreSQL, limits in Redis", workers=2, limited=True, environ=both),
        ]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
        redis = stack.enter_context(Program(command, LOAD_CORE, folder / "redis.log"))
        upstream = stack.enter_context(run_upstream(folder))
        print("| | gateway, us | Redis, us | requests/s |\n|---|---|---|---|")
        for lane in lanes:
            print(measure(lane, upstream.whole, redis, wanted.seconds), flush=True)


if __name__ == "__main__":
    main()
