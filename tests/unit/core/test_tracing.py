"""Traces: one over several services, sent to a real receiver; and nothing where they are off."""

import subprocess
import sys
from pathlib import Path

from cli_session import environment
from otlp_receiver import ReceivedSpan, collecting

SECRET = "4242424242424242"
FLOW = f"""
from clearhouse.core import tracing
tracing.start("gateway")
with tracing.span("take webhook", "server", {{"provider": "stripe"}}) as first:
    pass
with tracing.span("take webhook", "server") as second:
    pass
noise = (("traceparent", "noise"),)
with tracing.handled("normalize", [first, (), second, noise], {{"topic": "t"}}) as carried:
    pass
assert list(carried[1]) == [] and carried[3] == noise
try:
    with tracing.handled("record", [carried[0]]):
        raise ValueError("{SECRET}")
except ValueError:
    pass
try:
    with tracing.within(carried[2]), tracing.span("start", "client"):
        raise ValueError("{SECRET}")
except ValueError:
    pass
"""
OFF = """
import sys
from clearhouse.core import tracing
import clearhouse.payments.gateway.run
tracing.start("gateway")
with tracing.span("take webhook", "server") as headers:
    assert headers == ()
carried = [(("traceparent", "00-1-2-01"),), ()]
with tracing.handled("normalize", carried) as on:
    assert on is carried
assert not [name for name in sys.modules if name.startswith("opentelemetry.sdk")]
"""


def run(script: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(variables),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_trace_is_carried_on_in_headers_and_errors_are_told_by_their_type(tmp_path: Path) -> None:
    with collecting() as collector:
        run(FLOW, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)

    first, second = by_name(collector.spans, "take webhook")
    assert first.trace_id != second.trace_id
    assert (first.service, first.attributes) == ("clearhouse-gateway", {"provider": "stripe"})
    children = by_name(collector.spans, "normalize")
    assert [(each.trace_id, each.parent_id) for each in children] == [
        (first.trace_id, first.span_id),
        (second.trace_id, second.span_id),
    ], "one that carries no trace has no span"
    (record,) = by_name(collector.spans, "record")
    assert (record.parent_id, record.is_error) == (children[0].span_id, True)
    assert record.attributes == {"error.type": "ValueError"}
    (start,) = by_name(collector.spans, "start")
    assert (start.parent_id, start.is_error) == (children[1].span_id, True)
    assert not any(SECRET.encode() in body for body in collector.bodies)


def test_where_no_collector_is_named_nothing_is_loaded_or_changed(tmp_path: Path) -> None:
    run(OFF, tmp_path)


def test_a_process_works_and_ends_without_its_collector(tmp_path: Path) -> None:
    run(FLOW, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")


def by_name(spans: list[ReceivedSpan], name: str) -> list[ReceivedSpan]:
    return [span for span in spans if span.name == name]
