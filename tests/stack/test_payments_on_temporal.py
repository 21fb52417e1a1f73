"""Payments on a real Temporal server: each event in a run of its own, recorded once."""

import datetime as dt
import os
import sys
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from payment_lives import an_event

from clearhouse.log.log import Message
from clearhouse.payments.event import EventType as T
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.retry_due import RetryDue
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.tables import decision, payment_event, retry_attempt
from clearhouse.payments.topics import EVENTS, RECORDED, REDRIVEN, RETRIES, WORKER_DEAD
from clearhouse.payments.worker.loop import Worker
from clearhouse.payments.workflows.asking import running
from clearhouse.payments.workflows.messages import REDRIVE, plan_id
from stack.payment_runs import Payments, Service, numbered, until

OLD_WORKER = Path(__file__).with_name("worker_of_version_1.py")
KILLS = 6
AHEAD = dt.timedelta(seconds=5)
"""How far away a planned time is when its failure is sent."""


@pytest.fixture
def payments(stack, server, tmp_path):
    made = Payments(stack.settings, server, tmp_path)
    assert made.prepare() != []
    return made


def decisions(payments):
    return sorted(payments.rows(sa.select(decision)), key=repr)


def test_events_become_runs_and_rows_once_and_what_breaks_a_rule_a_failed_run(payments):
    assert payments.prepare() == []
    sent = payments.send(*(an_event(T.CAPTURED, payment_id=f"p{n}") for n in range(20)))
    (broken,) = payments.send(an_event(T.CAPTURED, amount_minor=None, currency=None))
    with payments.serving("starter", "worker") as (starter, worker):
        payments.until_outcomes({**numbered(sent), broken.webhook_position: "dead_letter"})
        until(lambda: len(payments.read(RECORDED.name)) == len(sent))
        assert worker.metric('worker_outcomes_total{outcome="recorded"}') == len(sent)
        until(lambda: starter.metric('starter_events_total{result="started"}') == len(sent) + 1)
        assert starter.metric('payments_lag{partition="0",topic="payments.events"}') == 0
        until(lambda: payments.status(broken) == "FAILED")
        # Mended, it is tried again under the same id.
        payments.append(
            msgspec.structs.replace(broken, amount_minor=1, currency="USD"), topic=REDRIVEN.name
        )
        payments.until_outcomes(numbered([*sent, broken]))
        until(lambda: payments.status(broken) == "COMPLETED")
        assert [starter.end(), worker.end()] == [0, 0]
    assert {payments.status(event) for event in sent} == {"COMPLETED"}
    (letter,) = payments.letters(WORKER_DEAD.name)
    assert (letter.event_id, letter.attempt) == (broken.event_id, 1)
    described = payments.described(sent[0].event_id)
    assert described.search_attributes["PaymentId"] == [sent[0].payment_id]
    assert described.raw_description.workflow_execution_info.state_transition_count == 3


def test_another_delivery_is_a_duplicate_whether_its_run_is_under_way_over_or_forgotten(payments):
    (first,) = payments.send(an_event(T.CAPTURED))
    with payments.serving("starter") as (starter,):
        until(lambda: payments.status(first) == "RUNNING")
        (second,) = payments.send(first)
        until(lambda: starter.metric('starter_events_total{result="signalled"}') == 1)
        with payments.serving("worker"):
            expected = {first.webhook_position: "recorded", second.webhook_position: "duplicate"}
            payments.until_outcomes(expected)
            until(lambda: payments.status(first) == "COMPLETED")
            (third,) = payments.send(first)
            expected[third.webhook_position] = "duplicate"
            payments.until_outcomes(expected)
            payments.forget(first)
            (fourth,) = payments.send(first)
            expected[fourth.webhook_position] = "duplicate"
            payments.until_outcomes(expected)
    assert payments.rows(sa.select(payment_event.c.webhook_position)) == [(1,)]


def test_while_the_store_is_out_a_run_waits_and_goes_on_by_itself_or_when_it_is_redriven(payments):
    with payments.serving("starter", "worker") as (_, worker):
        with payments.outage():
            sent = payments.send(an_event(T.CAPTURED), an_event(T.CAPTURED, payment_id="b"))
            for event in sent:
                until(lambda: payments.status(event) == "RUNNING")  # noqa: B023
                until(lambda: payments.state(event).phase == "waiting")  # noqa: B023
            assert payments.state(sent[0]).reason == "server_failed"
            ids = {each.event_id for each in sent}
            assert running(payments.settings, [*ids, "stripe:never_sent"]) == ids
            answer = worker.get("/health/ready")
            assert (answer.status_code, answer.json()["code"]) == (503, "server_failed")
        payments.signal(sent[0], REDRIVE)
        payments.until_outcomes(numbered(sent))
        until(lambda: {payments.status(event) for event in sent} == {"COMPLETED"})
        assert running(payments.settings, ids) == set()
        worker.until_ready()
    assert payments.letters(WORKER_DEAD.name) == []


def test_killed_at_any_time_nothing_is_lost_or_doubled(payments):
    """Starter and worker are killed in turn while events, duplicates and bad ones come."""
    expected = {}
    with payments.serving("starter", "worker") as services:
        for turn in range(KILLS):
            good = [an_event(T.CAPTURED, payment_id=f"{turn}-{n}") for n in range(30)]
            bad = [an_event(T.CAPTURED, payment_id=f"x{turn}", amount_minor=None, currency=None)]
            expected |= numbered(payments.send(*good))
            expected |= numbered(payments.send(*bad), "dead_letter")
            expected |= numbered(payments.send(*good[:5]), "duplicate")
            log = payments.opened_log()
            log.append([Message(EVENTS.name, "stripe:x", b"{")])
            log.close()
            killed = services[turn % 2]
            killed.kill()
            killed.again()
        payments.until_outcomes(expected)
        recorded = list(expected.values()).count("recorded")
        until(lambda: len(payments.read(RECORDED.name)) >= recorded)
        until(lambda: len(payments.letters(WORKER_DEAD.name)) >= 2 * KILLS)
        for each in services:
            each.until_ready()
        assert [each.end() for each in services] == [0, 0]
    letters = payments.letters(WORKER_DEAD.name)
    assert len({each.letter_id for each in letters}) == len(letters) == 2 * KILLS
    assert len(payments.read(RECORDED.name)) == recorded
    assert len(payments.rows(sa.select(payment_event.c.event_id))) == recorded


def test_advice_is_what_a_worker_gives_that_takes_one_event_after_the_other(payments, tmp_path):
    kinds = (T.FAILED, T.FAILED, T.AUTHORIZED, T.FAILED, T.CAPTURED, T.REFUNDED, T.DISPUTE_OPENED)
    sent = payments.send(
        *(an_event(kind, at, payment_id=f"p{n}") for at, kind in enumerate(kinds) for n in range(9))
    )
    with payments.serving("starter", "worker"):
        payments.until_outcomes(numbered(sent))
    with payments.opened() as (log, _):
        store = open_store(f"sqlite:///{tmp_path}/inline.db")
        worker = Worker(log, store, InProcess())
        while worker.step():
            pass
        with store.reading() as connection:
            inline = sorted(
                (tuple(row) for row in connection.execute(sa.select(decision))), key=repr
            )
        store.close()
    assert decisions(payments) == inline


def test_a_failed_payment_is_tried_again_at_its_times_until_it_is_paid(payments):
    """A plan of 15 minutes, 1 hour and 6 hours: a moment before the first time."""
    with payments.serving("starter", "worker"):
        (capture,) = payments.send(_recent(T.CAPTURED, dt.timedelta(minutes=1), payment_id="paid"))
        payments.until_outcomes(numbered([capture]))
        before = dt.timedelta(minutes=15) - AHEAD
        long_ago, paid, open_ = payments.send(
            _failed("old", dt.timedelta(days=9)), _failed("paid", before), _failed("open", before)
        )
        until(lambda: payments.status(long_ago) == "COMPLETED")
        (due,) = until(lambda: [_due(value) for value in payments.read(RETRIES.name)])
        assert (due.event_id, due.number, due.payment_id) == (open_.event_id, 1, "open")
        until(lambda: payments.described(plan_id(paid.event_id)).status.name == "COMPLETED")
        assert payments.state_of(plan_id(open_.event_id)).outcome == "due"
        assert payments.described(plan_id(open_.event_id)).status.name == "RUNNING"
        assert payments.described(plan_id(long_ago.event_id)) is None
    rows = payments.rows(sa.select(retry_attempt.c.event_id, retry_attempt.c.outcome))
    assert sorted(rows) == sorted([(paid.event_id, "paid"), (open_.event_id, "due")])


def test_runs_begun_on_an_old_version_of_the_worker_finish_on_the_new_one(payments):
    with payments.serving("starter"):
        environment = {**payments.environment, "PYTHONPATH": os.pathsep.join(sys.path)}
        old = Service("worker", environment, [sys.executable, str(OLD_WORKER)])
        try:
            old.until_ready()
            (done,) = payments.send(_failed("done", dt.timedelta()))
            until(lambda: payments.status(done) == "COMPLETED")
            with payments.outage():
                (begun,) = payments.send(_failed("begun", dt.timedelta()))
                until(lambda: payments.status(begun) == "RUNNING")
                until(lambda: payments.state(begun).phase == "waiting")
                old.kill()
        finally:
            old.kill()
        with payments.serving("worker"):
            payments.until_outcomes(numbered([done, begun]))
            until(lambda: payments.status(begun) == "COMPLETED")
            assert payments.described(plan_id(begun.event_id)).status.name == "RUNNING"
            assert payments.described(plan_id(done.event_id)) is None


def _failed(payment, ago):
    """A failure of the network, some time ago: it is tried again 15 minutes after it."""
    return _recent(T.FAILED, ago, payment_id=payment, failure_code="processing_error")


def _recent(kind, ago, **changes):
    at = dt.datetime.now(dt.UTC) - ago
    return an_event(kind, occurred_at=at, received_at=at, book_date=at.date(), **changes)


def _due(value):
    return msgspec.json.decode(value, type=RetryDue)
