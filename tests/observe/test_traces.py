"""observe.traces: spans by the conventions, told to a collector; nothing where none is named."""

from __future__ import annotations

import builtins
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import (
    GenAiOperationNameValues,
    GenAiProviderNameValues,
)
from opentelemetry.trace import SpanKind, StatusCode
from relaying import post
from running_gateway import provider, run_gateway
from scripted_upstream import ScriptedUpstream, json_answer

from dragoman.errors import UpstreamRefused
from dragoman.ir import Usage
from dragoman.keys import GatewayKey, Scope
from dragoman.observe import traces
from dragoman.observe.traces import SpanTracer, open_tracer
from dragoman.protocols import CHAT, COUNT_TOKENS, MESSAGES, OPERATIONS, STREAM_GENERATE_CONTENT
from dragoman.providers.provider import Auth, Provider
from dragoman.providers.provider import Protocol as Language
from dragoman.routing import Target
from dragoman.usage import LEFT, Entry

UP = Provider(
    "up",
    "anthropic",
    "Up",
    {Language.MESSAGES: "https://api.example.com/v1"},
    frozenset({Language.MESSAGES}),
    Auth.BEARER,
    preset="anthropic",
)
OWN = Provider(
    "own",
    "openai-compatible",
    "Own",
    {Language.CHAT: "http://[::1]:8000/v1"},
    frozenset({Language.CHAT}),
    Auth.NONE,
)
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def memory() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(memory: InMemorySpanExporter) -> SpanTracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    return SpanTracer(provider)


def spans(memory: InMemorySpanExporter) -> tuple[ReadableSpan, list[ReadableSpan]]:
    """The request's span, and those of its attempts."""
    *attempts, request = memory.get_finished_spans()
    return request, attempts


def answered(**fields: object) -> Entry:
    """A streamed request whose second attempt was answered."""
    entry = Entry("req_1", MESSAGES, started=100.0, started_at=1_800_000_000.0)
    entry.key = GatewayKey("k", "laptop", frozenset({Scope.INFERENCE}), "sk-...")
    entry.client, entry.asked, entry.stream = "curl/8", "smart", True
    entry.begin_attempt(Target(OWN, "small"))
    entry.attempted = 100.5
    entry.fail_attempt(UpstreamRefused("too many", status=429))
    entry.begin_attempt(Target(UP, "large"))
    entry.attempted, entry.first_byte, entry.ended = 101.0, 101.25, 104.0
    entry.status, entry.cost = 200, 1_500_000
    entry.usage = Usage(input=1, cache_read=2, cache_write=3, output=4, reasoning=5)
    for name, value in fields.items():
        setattr(entry, name, value)
    return entry


def test_a_request_and_its_attempts(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    trace_id = tracer.record(answered(dropped=("metadata",)))
    request, (failed, last) = spans(memory)
    assert trace_id == f"{request.context.trace_id:032x}"
    assert {span.context.trace_id for span in (failed, last)} == {request.context.trace_id}
    assert [span.parent.span_id for span in (failed, last)] == [request.context.span_id] * 2
    assert [span.name for span in (request, failed, last)] == [
        "POST /v1/messages",
        "chat small",
        "chat large",
    ]
    assert [span.kind for span in (request, failed, last)] == [
        SpanKind.SERVER,
        SpanKind.CLIENT,
        SpanKind.CLIENT,
    ]
    assert dict(request.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/messages",
        "http.response.status_code": 200,
        "user_agent.original": "curl/8",
        "dragoman.request_id": "req_1",
        "dragoman.model": "smart",
        "dragoman.attempts": 2,
        "dragoman.translation": "none",
        "dragoman.key": "laptop",
        "dragoman.dropped": ("metadata",),
        "dragoman.cost_usd": 0.0015,
    }
    assert dict(last.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": "large",
        "gen_ai.request.stream": True,
        "gen_ai.response.time_to_first_chunk": 0.25,
        "gen_ai.usage.input_tokens": 6,
        "gen_ai.usage.cache_read.input_tokens": 2,
        "gen_ai.usage.cache_creation.input_tokens": 3,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.reasoning.output_tokens": 5,
        "server.address": "api.example.com",
        "server.port": 443,
        "dragoman.provider": "up",
    }
    assert request.status.status_code is last.status.status_code is StatusCode.UNSET


def test_a_failed_attempt_says_why(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    tracer.record(answered())
    _, (failed, _) = spans(memory)
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == "too many"
    assert failed.attributes["error.type"] == "429"
    assert failed.attributes["gen_ai.provider.name"] == "own"
    assert (failed.attributes["server.address"], failed.attributes["server.port"]) == ("::1", 8000)


def test_times_are_those_of_the_entry(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    tracer.record(answered())
    request, (failed, last) = spans(memory)
    second = 1_000_000_000
    start = 1_800_000_000 * second
    assert (request.start_time, request.end_time) == (start, start + 4 * second)
    assert failed.start_time == start + second // 2
    assert (last.start_time, last.end_time) == (start + second, start + 4 * second)


def test_a_broken_stream_fails_both(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    tracer.record(answered(error="it died", code="upstream_error"))
    request, (_, last) = spans(memory)
    for span in (request, last):
        assert span.status.status_code is StatusCode.ERROR
        assert span.attributes["error.type"] == "upstream_error"


@pytest.mark.parametrize(("status", "code"), [(200, LEFT), (404, "model_not_found")])
def test_what_is_the_clients_doing_is_no_error_of_ours(
    tracer: SpanTracer, memory: InMemorySpanExporter, status: int, code: str
) -> None:
    tracer.record(answered(status=status, error="so it is", code=code))
    request, _ = spans(memory)
    assert request.status.status_code is StatusCode.UNSET
    assert request.attributes["error.type"] == code


def test_a_request_that_went_nowhere(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    tracer.record(Entry("req_1", STREAM_GENERATE_CONTENT, status=503, code="overloaded"))
    request, attempts = spans(memory)
    assert request.name == "POST /v1beta/models/{model}:streamGenerateContent"
    assert request.status.status_code is StatusCode.ERROR
    assert not attempts


def test_the_clients_trace_goes_on(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    assert tracer.record(answered(traceparent=PARENT)) == PARENT.split("-")[1]
    request, _ = spans(memory)
    assert f"{request.parent.span_id:016x}" == PARENT.split("-")[2]


@pytest.mark.parametrize("odd", ["nonsense", "00-0-0-01", PARENT.replace("00-", "ff-", 1), "é"])
def test_an_odd_parent_is_none(tracer: SpanTracer, memory: InMemorySpanExporter, odd: str) -> None:
    assert tracer.record(answered(traceparent=odd))
    request, _ = spans(memory)
    assert request.parent is None


def test_what_is_not_sampled_leaves_nothing(memory: InMemorySpanExporter) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    assert SpanTracer(provider).record(answered()) is None
    assert memory.get_finished_spans() == ()


def test_counting_is_not_chatting(tracer: SpanTracer, memory: InMemorySpanExporter) -> None:
    entry = Entry("req_1", COUNT_TOKENS)
    entry.begin_attempt(Target(UP, "large"))
    tracer.record(entry)
    _, (attempt,) = spans(memory)
    assert attempt.name == "count_tokens large"


def test_the_names_are_those_of_the_conventions(
    tracer: SpanTracer, memory: InMemorySpanExporter
) -> None:
    known = {value for value in vars(gen_ai_attributes).values() if isinstance(value, str)}
    tracer.record(answered())
    for span in memory.get_finished_spans():
        assert {name for name in span.attributes if name.startswith("gen_ai.")} <= known
    operations = {each.value for each in GenAiOperationNameValues}
    assert set(traces._OPERATION_NAMES.values()) <= operations
    providers = {each.value for each in GenAiProviderNameValues}
    assert set(traces._PROVIDER_NAMES.values()) <= providers
    assert {each.protocol for each in OPERATIONS} == traces._OPERATION_NAMES.keys()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SDK_DISABLED": "True"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_no_collector_no_tracer(environ: dict[str, str]) -> None:
    assert open_tracer(environ) is None


def test_without_its_packages_a_warning_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name.startswith("opentelemetry"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert open_tracer({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}) is None
    assert "dragoman[otel]" in capsys.readouterr().out


def test_a_gateway_without_traces_imports_nothing_for_them() -> None:
    """FastAPI imports OpenTelemetry's API by itself, the SDK and the exporter nobody."""
    code = (
        "import sys, dragoman.app\n"
        "from dragoman.observe.traces import open_tracer\n"
        "assert open_tracer({}) is None\n"
        "print(sys.modules.keys() & {'opentelemetry.sdk', 'opentelemetry.exporter', 'google'})"
    )
    environ = {"PYTHONPATH": str(Path(traces.__file__).parents[2])}
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "set()\n"


class Collector:
    """An OTLP receiver; `spans` are those that were told."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Any] = []
        self.services: set[str] = set()

    async def take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        for resource in told.resource_spans:
            for attribute in resource.resource.attributes:
                if attribute.key == "service.name":
                    self.services.add(attribute.value.string_value)
            for scope in resource.scope_spans:
                self.spans += scope.spans
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncGenerator[Collector, None]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    collector.url = f"http://{host}:{port}"
    yield collector
    await runner.cleanup()


@pytest.mark.parametrize("service", [None, "my-gateway"])
async def test_a_gateway_tells_a_collector(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str | None
) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_EXPORTER_OTLP_COMPRESSION": ""}
    if service is not None:
        environ["OTEL_SERVICE_NAME"] = service
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    async with ScriptedUpstream() as upstream:
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        upstream.on("/v1/chat/completions", json_answer({"choices": [], "usage": usage}))
        async with run_gateway(tmp_path, provider(upstream.url), environ) as running:
            body = b'{"model":"up:m","messages":[]}'
            answer = await post(running, "/v1/chat/completions", body, traceparent=PARENT)
            assert answer.status_code == 200
    attempt, request = sorted(collector.spans, key=lambda span: span.kind, reverse=True)
    assert (request.name, attempt.name) == ("POST /v1/chat/completions", "chat m")
    assert attempt.parent_span_id == request.span_id
    assert request.trace_id.hex() == PARENT.split("-")[1]
    assert collector.services == {service or "dragoman"}


def test_the_operation_of_each_route_is_named() -> None:
    assert traces._route(CHAT) == "/v1/chat/completions"
    assert {traces._operation_name(each) for each in OPERATIONS} == {
        "chat",
        "count_tokens",
        "embeddings",
        "generate_content",
        "text_completion",
    }
