"""Prometheus scrapes the Temporal server: what rules and panels ask of it, it tells."""

import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from payment_lives import an_event
from watched import TEMPORAL, alerts, metrics_in, panels, query_of

from clearhouse.payments.event import EventType
from stack.commands import Stack
from stack.payment_runs import Payments, numbered, until
from stack.server import Server

Ask = Callable[[str], Any]


@pytest.fixture
def ask(stack: Stack) -> Ask:
    def asked(query: str) -> Any:
        parameters = urllib.parse.urlencode({"query": query})
        url = f"{stack.settings['PROMETHEUS_URL']}/api/v1/query?{parameters}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)["data"]["result"]

    return asked


@pytest.fixture
def payments(stack: Stack, server: Server, tmp_path: Path) -> Payments:
    made = Payments(stack.settings, server, tmp_path)
    made.prepare()
    return made


def test_a_queue_without_a_worker_and_a_database_that_fails_are_told(
    ask: Ask, payments: Payments, server: Server
) -> None:
    namespace = payments.database.replace("-", "_")  # as labels have it
    with payments.serving("starter"):
        sent = payments.send(an_event(EventType.CAPTURED))
        no_worker = rule("TemporalNoWorker")
        until(lambda: namespace in {each["metric"]["namespace"] for each in ask(no_worker)})
        with payments.serving("worker"):
            payments.until_outcomes(numbered(sent))
            until(lambda: ask(f'task_schedule_to_start_latency_bucket{{namespace="{namespace}"}}'))
            until(lambda: ask(f'workflow_success{{namespace="{namespace}"}} >= 1'))
    server.kill()
    until(lambda: ask(rule("TemporalStoreFails")))
    server.start()

    assert not ask(rule("TemporalDown"))
    names = ask('group by (__name__) ({job="temporal", __name__!~"up|scrape_.*"})')
    kept = {each["metric"]["__name__"].removesuffix("_bucket") for each in names}
    assert kept == TEMPORAL, "no more than what is asked for"
    for panel in [each for each in panels() if metrics_in(each.query) & TEMPORAL]:
        until(lambda panel=panel: ask(query_of(panel)))


def rule(name: str) -> str:
    """The expression of an alert."""
    (found,) = (each["expr"] for each in alerts() if each["alert"] == name)
    return str(found)
