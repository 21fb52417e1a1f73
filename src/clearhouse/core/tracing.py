"""Traces of what services do, sent to an OpenTelemetry collector over OTLP/HTTP.

They are on where OTEL_EXPORTER_OTLP_ENDPOINT is set; the other variables of OpenTelemetry, as for
sampling, headers and time-outs, hold too. Where they are off, nothing of it is imported here.
A trace is carried from service to service in the headers of messages, as W3C `traceparent`.

No span holds a body, a secret or the text of an error: an error is named by its code or its type.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from clearhouse.core.checks import Answer
from clearhouse.core.errors import ClearhouseError, ServerError, SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

Headers = Sequence[tuple[str, str]]
Kind = Literal["server", "client", "producer", "consumer", "internal"]
_Attributes = Mapping[str, str | int]

_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_CHECK_SECONDS = 3.0
_tracer: "Tracer | None" = None
_together: "ContextVar[Sequence[Span]]" = ContextVar("_together", default=())
"""The spans of the messages that are being handled together."""
_send_the_last: Callable[[], None] | None = None


def is_asked_for() -> bool:
    """Whether the environment says where traces go to."""
    return any(os.environ.get(name) for name in _VARIABLES)


def start(service: str) -> None:
    """Send the spans of this process from now on, if that is asked for.

    Args:
        service: its name in traces is this after `clearhouse-`; OTEL_SERVICE_NAME says another.

    Raises:
        SettingsError: OpenTelemetry is not installed (tracing_missing).
    """
    global _tracer, _send_the_last
    if is_asked_for() and _tracer is None:
        _check_installed()
        from clearhouse.core.tracing_export import exporting_tracer

        _tracer, _send_the_last = exporting_tracer(service)


def stop() -> None:
    """Send the last spans; a collector that is down is waited for a short time.

    A process that ends as Python does, by itself, sends them then. One that a signal ends does not.
    """
    global _tracer, _send_the_last
    send, _tracer, _send_the_last = _send_the_last, None, None
    if send is not None:
        send()


def tracer() -> "Tracer | None":
    """What makes spans in this process; None where traces are off."""
    return _tracer


def span(
    name: str, kind: Kind, attributes: _Attributes | None = None
) -> AbstractContextManager[Headers]:
    """A span of a new trace, or of the current one, for as long as the block lasts.

    What is done for several messages that are handled together is a trace of its own, with a link
    to the span of each.

    Yields:
        The headers that carry the trace on; none where traces are off.
    """
    if _tracer is None:
        return _OFF
    return _span(_tracer, name, kind, attributes)


@contextmanager
def handled(
    name: str,
    carried: Sequence[Headers],
    attributes: _Attributes | None = None,
    *,
    kind: Kind = "consumer",
) -> Iterator[Sequence[Headers]]:
    """A span for each of several messages that are handled together, in the trace of each.

    Args:
        name: of the spans.
        carried: the headers of each message. One that carries no trace gets no span.
        attributes: of all the spans.
        kind: of all the spans.

    Yields:
        For each message, the headers that carry its trace on. Where traces are off, its own.
    """
    if _tracer is None or not any(carried):
        yield carried
        return
    spans = [_child(_tracer, name, kind, headers, attributes) for headers in carried]
    together = _together.set([each for each in spans if each is not None])
    try:
        yield [
            _carrying(span) if span is not None else headers
            for span, headers in zip(spans, carried, strict=True)
        ]
    except Exception as error:
        for each in spans:
            _note(each, error)
        raise
    finally:
        _together.reset(together)
        for each in spans:
            if each is not None:
                each.end()


def current() -> Headers:
    """The headers that carry the current trace on; none where there is none, or traces are off."""
    if _tracer is None:
        return ()
    from opentelemetry.trace import get_current_span

    return _carrying(get_current_span())


def within(headers: Headers) -> AbstractContextManager[None]:
    """What is done in the block belongs to the trace that some headers carry."""
    if _tracer is None or not headers:
        return nullcontext()
    return _within(headers)


def check() -> Answer:
    """Whether the collector takes traces.

    Raises:
        SettingsError: OpenTelemetry is not installed (tracing_missing).
        ServerError: the collector does not take any.
    """
    if not is_asked_for():
        return Answer("OTEL_EXPORTER_OTLP_ENDPOINT is not set: no traces are sent.")
    _check_installed()
    from clearhouse.core.tracing_export import collector_answers

    if not collector_answers(_CHECK_SECONDS):
        raise ServerError(
            "The collector at OTEL_EXPORTER_OTLP_ENDPOINT takes no traces: see that it runs and "
            "takes OTLP over HTTP there, most often at port 4318. Services go on without."
        )
    return Answer("The collector takes traces.")


def _check_installed() -> None:
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: F401
    except ImportError:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: install "
            "Clearhouse with the extra `tracing`, or unset it.",
            "tracing_missing",
        ) from None


class _Off:
    """A span that is none."""

    def __enter__(self) -> Headers:
        return ()

    def __exit__(self, *_error: object) -> None:
        return None


_OFF = _Off()


@contextmanager
def _span(
    tracer: "Tracer", name: str, kind: Kind, attributes: _Attributes | None
) -> Iterator[Headers]:
    from opentelemetry.trace import Link, SpanKind

    with tracer.start_as_current_span(
        name,
        kind=SpanKind[kind.upper()],
        attributes=attributes,
        links=[Link(each.get_span_context()) for each in _together.get()],
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield _carrying(current)
        except Exception as error:
            _note(current, error)
            raise


@contextmanager
def _within(headers: Headers) -> Iterator[None]:
    from opentelemetry import context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    token = context.attach(TraceContextTextMapPropagator().extract(dict(headers)))
    try:
        yield
    finally:
        context.detach(token)


def _child(
    tracer: "Tracer", name: str, kind: Kind, headers: Headers, attributes: _Attributes | None
) -> "Span | None":
    """A span in the trace that headers carry; None where they carry none."""
    from opentelemetry.trace import SpanKind, get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    if not headers:
        return None
    parent = TraceContextTextMapPropagator().extract(dict(headers))
    if not get_current_span(parent).get_span_context().is_valid:
        return None
    return tracer.start_span(name, parent, SpanKind[kind.upper()], attributes)


def _carrying(span: "Span") -> Headers:
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span))
    return tuple(carrier.items())


def _note(span: "Span | None", error: Exception) -> None:
    """Mark a span as failed, by the code of what it failed with."""
    from opentelemetry.trace import Status, StatusCode

    if span is not None:
        code = error.code if isinstance(error, ClearhouseError) else type(error).__name__
        span.set_attribute("error.type", code)
        span.set_status(Status(StatusCode.ERROR))
