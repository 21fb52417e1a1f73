"""One webhook on Kafka: its spans of gateway, normalizer and worker are of one trace."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from otlp_receiver import Collector, ReceivedSpan, collecting
from payment_services import is_ready, until

from clearhouse.log.preparing import prepare_log
from clearhouse.payments.log_opening import declared_topics, log_place
from clearhouse.payments.workflows.messages import PAYMENT_EVENT
from clearhouse.sandbox.payments.delivery import Signed
from clearhouse.sandbox.payments.world import World
from clearhouse.sandbox.server import free_port
from clearhouse.settings import load_settings
from stack.commands import Stack
from stack.payment_runs import Payments
from stack.server import Server


@pytest.fixture
def variables(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """Settings of services whose log is on Kafka, in topics of their own."""
    url = f"{stack.settings['LOG_URL']}/traced-{uuid.uuid4().hex[:12]}"
    settings = load_settings(_env_file=None, log_url=url, kafka_partitions=1)
    prepare_log(log_place(settings), declared_topics())
    return {"CLEARHOUSE_HOME": str(tmp_path), "LOG_URL": url, "WORKFLOWS_URL": "inline://"}


@contextmanager
def serving(name: str, variables: dict[str, str], *options: str) -> Iterator[str]:
    """A service as a process, once it is ready; its URL."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "clearhouse", "serve", name),
            *("--port", str(port), *options),
        ],
        env={**os.environ, **variables},
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: is_ready(f"http://127.0.0.1:{port}"))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(60) in (0, -signal.SIGTERM)  # the gateway ends by it


def test_a_webhook_is_one_trace_from_its_request_to_its_row(variables: dict[str, str]) -> None:
    with collecting() as collector:
        traced = {**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with (
            serving("inference", traced) as inference,
            serving("worker", {**traced, "INFERENCE_URL": inference}),
            serving("normalizer", traced),
            serving("gateway", traced, "--sandbox") as gateway,
        ):
            body = post_one(gateway)
            until(lambda: named(collector, "record event"))
        (taken,) = named(collector, "take webhook")
        (normalized,) = named(collector, "normalize")
        (recorded,) = named(collector, "record event")

    (asked,) = named(collector, "ask inference")
    (judged,) = [s for s in named(collector, "judge") if s.parent_id == asked.span_id]
    assert asked.links == (recorded.span_id,), "a question may be of several events"
    assert (judged.service, judged.trace_id) == ("clearhouse-inference", asked.trace_id)
    assert {taken.trace_id, normalized.trace_id, recorded.trace_id} == {taken.trace_id}
    assert taken.parent_id == ""
    assert normalized.parent_id == taken.span_id
    assert recorded.parent_id == normalized.span_id
    assert [each.service for each in (taken, normalized, recorded)] == [
        "clearhouse-gateway",
        "clearhouse-normalizer",
        "clearhouse-worker",
    ]
    assert not any(body[:40] in sent for sent in collector.bodies)


def test_on_temporal_the_trace_goes_on_into_the_run_and_its_activities(
    stack: Stack, server: Server, tmp_path: Path
) -> None:
    payments = Payments(stack.settings, server, tmp_path)
    payments.prepare()
    with collecting() as collector:
        traced = {**payments.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with (
            serving("worker", traced),
            serving("starter", traced),
            serving("normalizer", traced),
            serving("gateway", traced, "--sandbox") as gateway,
        ):
            body = post_one(gateway)
            until(payments.outcomes)
            until(lambda: named(collector, "RunActivity:record_event"))
        (taken,) = named(collector, "take webhook")

    of_trace = [span for span in collector.spans if span.trace_id == taken.trace_id]
    names = {(span.service.removeprefix("clearhouse-"), span.name) for span in of_trace}
    assert names >= {
        ("gateway", "take webhook"),
        ("normalizer", "normalize"),
        ("starter", "start run"),
        ("starter", f"StartWorkflow:{PAYMENT_EVENT}"),
        ("worker", f"RunWorkflow:{PAYMENT_EVENT}"),
        ("worker", "RunActivity:validate_business_rules"),
        ("worker", "RunActivity:record_event"),
    }
    known = {span.span_id for span in of_trace}
    assert [span.name for span in of_trace if span.parent_id not in known] == ["take webhook"]
    assert not any(body[:40] in sent for sent in collector.bodies)


def post_one(gateway: str) -> bytes:
    """Send a genuine webhook of Stripe's, whose signature is of now; its body."""
    told = (b'"type":"charge.succeeded"', b'"type":"charge.captured"')
    delivery = next(
        each
        for each in World(7, 300).deliveries
        if each.signed is Signed.STRIPE and any(kind in each.body for kind in told)
    )
    answer = httpx.post(
        f"{gateway}{delivery.path}", headers=delivery.headers(time.time()), content=delivery.body
    )
    assert answer.status_code == 200
    return delivery.body


def named(collector: Collector, name: str) -> list[ReceivedSpan]:
    return [span for span in collector.spans if span.name == name]
