"""Sending spans by OTLP over HTTP. Imported only where traces are asked for."""

import os
from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, Tracer

_LIMITS = SpanLimits(max_events=0, max_span_attribute_length=300)
"""No events: libraries note errors there, with texts that can hold what was handled."""
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
_EXPORT_SECONDS = 3.0


def exporting_tracer(service: str) -> tuple[Tracer, Callable[[], None]]:
    """A tracer whose spans are sent in batches, and what sends the last ones and ends that."""
    name = os.environ.get("OTEL_SERVICE_NAME") or f"clearhouse-{service}"
    provider = TracerProvider(resource=Resource.create({"service.name": name}), span_limits=_LIMITS)
    exporter = OTLPSpanExporter(timeout=_seconds())
    provider.add_span_processor(BatchSpanProcessor(WithoutTexts(exporter)))
    return provider.get_tracer("clearhouse"), provider.shutdown


def _seconds() -> float | None:
    """How long a collector is waited for, also when the process ends; None: as variables say."""
    return None if any(map(os.environ.get, _TIMEOUTS)) else _EXPORT_SECONDS


def collector_answers(seconds: float) -> bool:
    """Whether the collector takes a request without spans."""
    exporter = OTLPSpanExporter(timeout=seconds)
    try:
        return exporter.export(()) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]


class WithoutTexts(SpanExporter):
    """Sends spans without the texts of errors, which libraries put into their status.

    Args:
        exporter: that sends them.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """See `SpanExporter.export`."""
        return self._exporter.export([_without_text(span) for span in spans])

    def shutdown(self) -> None:
        """See `SpanExporter.shutdown`."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """See `SpanExporter.force_flush`."""
        return self._exporter.force_flush(timeout_millis)


def _without_text(span: ReadableSpan) -> ReadableSpan:
    if span.status.description is None:
        return span
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
