"""One webhook on Kafka: its spans are of one trace, from the gateway to what is published of it."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from otlp_receiver import Collector, ReceivedSpan, collecting
from payment_lives import an_event
from payment_services import is_ready, until

from clearhouse.log.log import Log, Message, Record
from clearhouse.log.preparing import prepare_log
from clearhouse.log.scan import scan
from clearhouse.payments.event import EventType, encode_event
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.letters import Letters, Wanted
from clearhouse.payments.log_opening import declared_topics, log_place, open_payment_log
from clearhouse.payments.store.database import open_store
from clearhouse.payments.topics import EVENTS, RECORDED, REDRIVEN, WORKER_DEAD
from clearhouse.payments.worker.loop import Worker
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


def test_a_webhook_is_one_trace_from_its_request_to_what_is_published(
    variables: dict[str, str],
) -> None:
    with collecting() as collector:
        traced = {**variables, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with (
            serving("inference", traced) as inference,
            serving("worker", {**traced, "INFERENCE_URL": inference}),
            serving("normalizer", traced),
            serving("gateway", traced, "--sandbox") as gateway,
        ):
            body = post_one(gateway)
            until(lambda: named(collector, "publish"))
        (taken,) = named(collector, "take webhook")
        (normalized,) = named(collector, "normalize")
        (recorded,) = named(collector, "record event")
        (published,) = named(collector, "publish")

    (asked,) = named(collector, "ask inference")
    (judged,) = [s for s in named(collector, "judge") if s.parent_id == asked.span_id]
    assert asked.links == (recorded.span_id,), "a question may be of several events"
    assert (judged.service, judged.trace_id) == ("clearhouse-inference", asked.trace_id)
    spans = [taken, normalized, recorded, published]
    assert {each.trace_id for each in spans} == {taken.trace_id}
    assert taken.parent_id == ""
    assert normalized.parent_id == taken.span_id
    assert recorded.parent_id == normalized.span_id
    assert published.parent_id == recorded.span_id
    assert [each.service for each in spans] == [
        "clearhouse-gateway",
        "clearhouse-normalizer",
        "clearhouse-worker",
        "clearhouse-worker",
    ]
    with opened_log(variables) as log:
        (told,) = scan(log, RECORDED.name)
    assert carried_by(told) == (published.trace_id, published.span_id)
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
            until(lambda: named(collector, "publish"))
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
    (recorded,) = [span for span in of_trace if span.name == "RunActivity:record_event"]
    (published,) = [span for span in of_trace if span.name == "publish"]
    assert published.parent_id == recorded.span_id
    known = {span.span_id for span in of_trace}
    assert [span.name for span in of_trace if span.parent_id not in known] == ["take webhook"]
    assert not any(body[:40] in sent for sent in collector.bodies)


def test_a_dead_letter_and_its_redrive_are_of_the_trace_of_their_event(
    variables: dict[str, str], tmp_path: Path
) -> None:
    traceparent = ("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")
    unsound = an_event(EventType.CAPTURED, amount_minor=None, currency=None)
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    with closing(store), opened_log(variables) as log:
        log.append([Message(EVENTS.name, "k", encode_event(unsound), [traceparent])])
        Worker(log, store, InProcess()).step()
        letters = Letters(log, store, lambda: dt.datetime.now(dt.UTC))
        letters.redrive(letters.find(Wanted()))
        (letter,) = scan(log, WORKER_DEAD.name)
        (redriven,) = scan(log, REDRIVEN.name)

    assert [tuple(each.headers) for each in (letter, redriven)] == [(traceparent,)] * 2


@contextmanager
def opened_log(variables: dict[str, str]) -> Iterator[Log]:
    settings = load_settings(_env_file=None, log_url=variables["LOG_URL"])
    with closing(open_payment_log(log_place(settings))) as log:
        yield log


def carried_by(record: Record) -> tuple[str, str]:
    """The trace and the span that a message says it belongs to."""
    _, trace_id, span_id, _ = dict(record.headers)["traceparent"].split("-")
    return trace_id, span_id


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
