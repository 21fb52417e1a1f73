"""Payments on a real Temporal server: each event in a run of its own, recorded once."""

import msgspec
import pytest
import sqlalchemy as sa
from payment_lives import an_event

from clearhouse.payments.event import EventType as T
from clearhouse.payments.store.tables import payment_event
from clearhouse.payments.topics import RECORDED, WORKER_DEAD
from stack.payment_runs import Payments, numbered, until


@pytest.fixture
def payments(stack, server, tmp_path):
    made = Payments(stack.settings, server, tmp_path)
    assert made.prepare() != []
    return made


def test_events_become_runs_and_rows_once_and_what_breaks_a_rule_a_failed_run(payments):
    assert payments.prepare() == []
    sent = payments.send(*(an_event(T.CAPTURED, payment_id=f"p{n}") for n in range(20)))
    (broken,) = payments.send(an_event(T.CAPTURED, amount_minor=None, currency=None))
    with payments.serving("starter", "worker") as (starter, worker):
        payments.until_outcomes({**numbered(sent), broken.webhook_position: "dead_letter"})
        until(lambda: len(payments.read(RECORDED.name)) == len(sent))
        assert worker.metric('worker_outcomes_total{outcome="recorded"}') == len(sent)
        assert starter.metric('starter_events_total{result="started"}') == len(sent) + 1
        assert starter.metric("starter_lag") == 0
        assert [starter.end(), worker.end()] == [0, 0]
    assert {payments.status(event) for event in sent} == {"COMPLETED"}
    assert payments.status(broken) == "FAILED"
    (letter,) = payments.letters(WORKER_DEAD.name)
    assert (letter.event_id, letter.attempt) == (broken.event_id, 1)
    described = payments.described(sent[0].event_id)
    assert described.search_attributes["PaymentId"] == [sent[0].payment_id]


def test_another_delivery_is_a_duplicate_whether_its_run_has_ended_or_not(payments):
    (first,) = payments.send(an_event(T.CAPTURED))
    again = msgspec.structs.replace(first)
    with payments.serving("starter") as (starter,):
        until(lambda: payments.status(first) == "RUNNING")
        (second,) = payments.send(again)
        until(lambda: starter.metric('starter_events_total{result="signalled"}') == 1)
        with payments.serving("worker"):
            expected = {first.webhook_position: "recorded", second.webhook_position: "duplicate"}
            payments.until_outcomes(expected)
            until(lambda: payments.status(first) == "COMPLETED")
            (third,) = payments.send(again)
            payments.until_outcomes({**expected, third.webhook_position: "duplicate"})
    assert payments.rows(sa.select(sa.func.count()).select_from(payment_event)) == [(1,)]
