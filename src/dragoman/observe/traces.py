"""Traces of requests for OpenTelemetry, by its conventions for generative AI.

A request is one span of kind SERVER, and each attempt at a provider a span of kind CLIENT below
it, with the `gen_ai.*` attributes. Only attempts carry tokens, so that nobody adds them up twice.
The names are those of semantic conventions 1.41 (docs/gen-ai/gen-ai-spans.md there); they are
still called experimental, and moved to a repository of their own after that.

The spans are made when the request is over, out of its `usage.Entry` and with the times noted
there. So a request pays nothing for them while it is served, and nothing at all is imported
unless the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import structlog

from dragoman import __version__
from dragoman.errors import UpstreamError
from dragoman.observe.metrics import classify, failure_kind
from dragoman.protocols import COUNT_TOKENS, GEMINI_COUNT_TOKENS, INPUT_TOKENS, Operation
from dragoman.protocols import Protocol as Language
from dragoman.routing import Target
from dragoman.usage import PER_DOLLAR, Entry

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span
    from opentelemetry.util.types import AttributeValue

log = structlog.get_logger()

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_OPERATION_NAMES: Mapping[Language, str] = {
    Language.CHAT: "chat",
    Language.RESPONSES: "chat",
    Language.MESSAGES: "chat",
    Language.GEMINI: "generate_content",
    Language.EMBEDDINGS: "embeddings",
    Language.COMPLETIONS: "text_completion",
}
_COUNTS = frozenset({COUNT_TOKENS, INPUT_TOKENS, GEMINI_COUNT_TOKENS})
_PROVIDER_NAMES: Mapping[str, str] = {
    "aws-bedrock": "aws.bedrock",
    "azure-openai": "azure.ai.openai",
    "gemini": "gcp.gemini",
    "grok": "x_ai",
    "mistral": "mistral_ai",
    "vertexai": "gcp.vertex_ai",
    "xai": "x_ai",
}
"""The conventions' names of providers where ours differ, by preset or type."""


class Tracer(Protocol):
    """Where the spans of finished requests go."""

    def record(self, entry: Entry) -> str | None:
        """Makes the spans of a request; its trace's id, None where it is not sampled."""
        ...

    async def aclose(self) -> None:
        """Sends what is left."""
        ...


def open_tracer(environ: Mapping[str, str]) -> Tracer | None:
    """A tracer that sends to the collector that the environment names, None where it names none.

    Everything else (headers, sampling, the service's name) the SDK reads from the usual
    variables. Where its packages are missing a warning says so, and there are no traces.
    """
    wanted = any(environ.get(name) for name in _ENDPOINTS)
    is_off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if not wanted or is_off or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        log.warning("no traces: they need the packages of `pip install 'dragoman[otel]'`")
        return None
    own = Resource.create({"service.name": "dragoman", "service.version": __version__})
    provider = TracerProvider(
        resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return SpanTracer(provider)


class SpanTracer:
    """A `Tracer` over OpenTelemetry's SDK."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("dragoman", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._trace = trace

    def record(self, entry: Entry) -> str | None:
        """See `Tracer.record`."""
        trace = self._trace
        span = self._tracer.start_span(
            f"POST {_route(entry.operation)}",
            self._parent(entry),
            trace.SpanKind.SERVER,
            start_time=_ns(entry, entry.started),
        )
        if not span.is_recording():
            return None
        span.set_attributes(_describe_request(entry))
        outcome = classify(entry)
        if outcome in {"5xx", "broken"}:
            self._fail(span, entry.error, entry.code)
        below = trace.set_span_in_context(span)
        for attempt in entry.failures:
            began, ended = attempt.began, attempt.began + attempt.seconds
            self._attempt(entry, attempt.target, below, began, ended, attempt.error)
        if entry.target is not None and entry.attempts > len(entry.failures):
            self._answered(entry, entry.target, below, outcome)
        span.end(_ns(entry, _end(entry)))
        return trace.format_trace_id(span.get_span_context().trace_id)

    async def aclose(self) -> None:
        """See `Tracer.aclose`. Blocks a thread for as long as the exporter tries."""
        await asyncio.to_thread(self._provider.shutdown)

    def _parent(self, entry: Entry) -> Context | None:
        """The client's span, where it told of one."""
        if not entry.traceparent:
            return None
        return self._propagator.extract({"traceparent": entry.traceparent})

    def _answered(self, entry: Entry, target: Target, below: Context, outcome: str) -> None:
        """The span of the attempt that was answered, at least in part."""
        span = self._start_attempt(entry, target, below, entry.attempted)
        if entry.stream and entry.first_byte is not None:
            seconds = entry.first_byte - entry.attempted
            span.set_attribute("gen_ai.response.time_to_first_chunk", seconds)
        span.set_attributes(_describe_usage(entry))
        if outcome == "broken":
            self._fail(span, entry.error, entry.code)
        span.end(_ns(entry, _end(entry)))

    def _attempt(
        self,
        entry: Entry,
        target: Target,
        below: Context,
        began: float,
        ended: float,
        error: UpstreamError,
    ) -> None:
        """The span of an attempt that failed."""
        span = self._start_attempt(entry, target, below, began)
        self._fail(span, error.message, failure_kind(error))
        span.end(_ns(entry, ended))

    def _start_attempt(self, entry: Entry, target: Target, below: Context, began: float) -> Span:
        attributes = _describe_target(entry, target)
        name = f"{attributes['gen_ai.operation.name']} {target.model}"
        kind = self._trace.SpanKind.CLIENT
        return self._tracer.start_span(name, below, kind, attributes, start_time=_ns(entry, began))

    def _fail(self, span: Span, message: str | None, kind: str | None) -> None:
        span.set_attribute("error.type", kind or "_OTHER")
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, message))


def _describe_request(entry: Entry) -> dict[str, AttributeValue]:
    attributes: dict[str, AttributeValue] = {
        "http.request.method": "POST",
        "http.route": _route(entry.operation),
        "http.response.status_code": entry.status,
        "user_agent.original": entry.client,
        "dragoman.request_id": entry.request_id,
        "dragoman.model": entry.asked,
        "dragoman.attempts": entry.attempts,
        "dragoman.translation": entry.translation,
    }
    if entry.key is not None:
        attributes["dragoman.key"] = entry.key.name
    if entry.dropped:
        attributes["dragoman.dropped"] = entry.dropped
    if entry.cost is not None:
        attributes["dragoman.cost_usd"] = entry.cost / PER_DOLLAR
    if entry.code is not None:
        attributes["error.type"] = entry.code
    return attributes


def _describe_target(entry: Entry, target: Target) -> dict[str, AttributeValue]:
    provider = target.provider
    kind = provider.preset or provider.type
    if kind == "openai-compatible":
        kind = provider.id
    attributes: dict[str, AttributeValue] = {
        "gen_ai.operation.name": _operation_name(entry.operation),
        "gen_ai.provider.name": _PROVIDER_NAMES.get(kind, kind),
        "gen_ai.request.model": target.model,
        "dragoman.provider": provider.id,
    }
    if entry.stream:
        attributes["gen_ai.request.stream"] = True
    url = next(iter(provider.base_urls.values()), "")
    if server := _server(url):
        attributes["server.address"], attributes["server.port"] = server
    return attributes


def _describe_usage(entry: Entry) -> dict[str, AttributeValue]:
    """Tokens as the conventions count them: inputs and outputs whole, parts of them beside."""
    usage = entry.usage
    if usage is None:
        return {}
    counts = {
        "gen_ai.usage.cache_read.input_tokens": usage.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": usage.cache_write + usage.cache_write_long,
        "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
    }
    return {
        "gen_ai.usage.input_tokens": usage.all_input,
        "gen_ai.usage.output_tokens": usage.all_output,
        **{name: count for name, count in counts.items() if count},
    }


def _operation_name(operation: Operation) -> str:
    return "count_tokens" if operation in _COUNTS else _OPERATION_NAMES[operation.protocol]


def _route(operation: Operation) -> str:
    version = "/v1beta" if operation.protocol is Language.GEMINI else "/v1"
    return version + operation.path


@lru_cache(256)
def _server(url: str) -> tuple[str, int] | None:
    parts = urlsplit(url)
    if parts.hostname is None:
        return None
    return parts.hostname, parts.port or (80 if parts.scheme == "http" else 443)


def _end(entry: Entry) -> float:
    return entry.started if entry.ended is None else entry.ended


def _ns(entry: Entry, moment: float) -> int:
    """A moment of the monotonic clock as Unix nanoseconds."""
    return round((entry.started_at + moment - entry.started) * 1e9)
