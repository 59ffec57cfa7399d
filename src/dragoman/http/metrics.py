"""`GET /metrics`: how the gateway is doing, for Prometheus.

What requests did is counted in `observe.metrics`; everything else is looked up when somebody asks.
docs/observability.md describes each metric, and a test holds it to what is served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import psutil
from fastapi import APIRouter, Request
from starlette.responses import Response

from dragoman import __version__
from dragoman.errors import NotFound
from dragoman.gateway import Gateway
from dragoman.health import BreakerState, KeyState
from dragoman.http import guard
from dragoman.observe import Metrics
from dragoman.observe.exposition import CONTENT_TYPE, Family, write
from dragoman.observe.metrics import Spending, Table, Tally
from dragoman.usage import PER_DOLLAR

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Every metric in Prometheus' text format, for those whom the setting `metrics` admits.

    The numbers are gathered at once; writing tens of thousands of them down takes a tenth of a
    second, which requests need not wait for.
    """
    gateway: Gateway = request.app.state.gateway
    headers = dict(request.scope["headers"])
    match gateway.settings.server.metrics:
        case "off":
            raise NotFound('There are no metrics here: the setting `metrics` is "off".')
        case "open":
            guard.check_host(gateway, headers)
        case "key":
            guard.require_admin(gateway, headers)
    several = gateway.colleagues
    families = list(collect(gateway)) if several is None else await several.gather()
    text = await asyncio.to_thread(write, families)
    return Response(text, headers={"content-type": CONTENT_TYPE})


def collect(gateway: Gateway) -> Iterator[Family]:
    """All metrics as they are now."""
    yield from _requests(gateway.metrics)
    yield from _upstream(gateway)
    yield from _load(gateway)
    yield from _configuration(gateway)
    yield from _process(gateway)


def _requests(counts: Metrics) -> Iterator[Family]:
    yield _counter(
        "dragoman_requests_total",
        "Requests that are over, by what became of them.",
        counts.requests,
    )
    yield _counter(
        "dragoman_request_errors_total",
        "Requests that ended in an error, by its code.",
        counts.errors,
    )
    yield Family(
        "dragoman_request_duration_seconds",
        "histogram",
        "From the head of a request to the end of its answer, of those answered whole.",
        counts.durations.labels,
        list(counts.durations),
    )
    yield Family(
        "dragoman_time_to_first_token_seconds",
        "histogram",
        "From the head of a request to the first event of its stream, of those answered whole.",
        counts.first_tokens.labels,
        list(counts.first_tokens),
    )
    yield from _spending(counts.spending)


def _spending(spending: Table[Spending]) -> Iterator[Family]:
    tokens = Family(
        "dragoman_tokens_total",
        "counter",
        "Tokens that providers reported, in disjoint kinds.",
        (*spending.labels, "kind"),
    )
    cost = Family(
        "dragoman_cost_usd_total",
        "counter",
        "What requests with a known price cost, in US dollars.",
        spending.labels,
    )
    unpriced = Family(
        "dragoman_unpriced_requests_total",
        "counter",
        "Requests whose cost is not known.",
        spending.labels,
    )
    for labels, spent in spending:
        tokens.add_all(spent.tokens, *labels)
        cost.add(spent.cost / PER_DOLLAR, *labels)
        unpriced.add(spent.unpriced, *labels)
    yield from (tokens, cost, unpriced)


def _upstream(gateway: Gateway) -> Iterator[Family]:
    yield _counter(
        "dragoman_upstream_attempts_total",
        "Attempts at providers, by what came of them.",
        gateway.metrics.attempts,
    )
    breakers = Family(
        "dragoman_breaker_state",
        "gauge",
        "1 for the state of the breaker that guards a provider, 0 for the others.",
        ("provider", "state"),
    )
    keys = Family(
        "dragoman_provider_keys",
        "gauge",
        "Keys of a provider by how they fare.",
        ("provider", "state"),
    )
    for provider in gateway.router.providers.values():
        state = gateway.health.breaker_of(provider.id)
        breakers.add_all({each.value: float(each is state) for each in BreakerState}, provider.id)
        counts = {each.value: 0 for each in KeyState}
        for key in provider.api_keys:
            counts[gateway.health.report(provider.id, key).state.value] += 1
        keys.add_all(counts, provider.id)
    yield from (breakers, keys)


def _load(gateway: Gateway) -> Iterator[Family]:
    admission, ledger = gateway.admission, gateway.ledger
    yield _gauge("dragoman_requests_in_flight", "Requests being served.", admission.served)
    yield _gauge(
        "dragoman_requests_waiting", "Requests in line, beyond `max_requests`.", admission.waiting
    )
    yield _gauge(
        "dragoman_records_waiting", "Records of requests not yet in the database.", ledger.waiting
    )
    lost = Family("dragoman_records_lost_total", "counter", "Records that the database never took.")
    lost.add(ledger.lost)
    yield lost
    yield _gauge(
        "dragoman_records_failing",
        "1 while the database takes no records.",
        ledger.failure is not None,
    )
    lag = Family(
        "dragoman_event_loop_lag_seconds",
        "histogram",
        "By how much a timer that is set twice a second went off late.",
    )
    lag.add(gateway.metrics.lag)
    yield lag


def _configuration(gateway: Gateway) -> Iterator[Family]:
    config = gateway.config
    about = Family("dragoman_info", "gauge", "Always 1; says which version runs.", ("version",))
    about.add(1, __version__)
    yield about
    yield _gauge(
        "dragoman_config_loaded_timestamp_seconds",
        "Since when the configuration holds, in Unix time.",
        config.loaded_at,
    )
    yield _gauge(
        "dragoman_config_refused",
        "1 while the latest change of the configuration file is refused.",
        config.refusal is not None,
    )


def _process(gateway: Gateway) -> Iterator[Family]:
    """What Prometheus' own libraries tell of every process, under the same names."""
    process = psutil.Process()
    with process.oneshot():
        times = process.cpu_times()
        cpu = Family(
            "process_cpu_seconds_total", "counter", "Processor time of the gateway's process."
        )
        cpu.add(times.user + times.system)
        yield cpu
        yield _gauge(
            "process_resident_memory_bytes", "Its resident memory.", process.memory_info().rss
        )
        if psutil.POSIX:
            yield _gauge("process_open_fds", "Its open files and sockets.", process.num_fds())
        yield _gauge(
            "process_start_time_seconds", "When it was started, in Unix time.", gateway.started_at
        )


def _counter(name: str, text: str, table: Table[Tally]) -> Family:
    samples: Iterable[tuple[tuple[str, ...], float]]
    samples = ((labels, tally.value) for labels, tally in table)
    return Family(name, "counter", text, table.labels, list(samples))


def _gauge(name: str, text: str, value: float) -> Family:
    family = Family(name, "gauge", text)
    family.add(float(value))  # a truth value too
    return family
