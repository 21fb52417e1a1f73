"""What runs do outside of their definitions: it can be done again, and is done once."""

import asyncio
import datetime as dt

import msgspec
import pytest
import sqlalchemy as sa
from payment_lives import NOON, an_event
from temporalio.exceptions import ApplicationError

from clearhouse.log.log import Record
from clearhouse.payments.activities import PLAN_RETRY
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import encode_event
from clearhouse.payments.problem import Problem
from clearhouse.payments.retry_due import Attempt, RetryDue
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.recorder import Handled, Outcomes, Recorder
from clearhouse.payments.store.retries import decide, planned
from clearhouse.payments.store.tables import outbox
from clearhouse.payments.topics import EVENTS, RECORDED, RETRIES, WORKER_DEAD
from clearhouse.payments.workflows.messages import workflow_id
from clearhouse.payments.workflows.recording import Recording

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def store(tmp_path):
    opened = open_store(f"sqlite:///{tmp_path}/payments.db")
    yield opened
    opened.close()


def handled(event, position, problems=(), decisions=()):
    record = Record(EVENTS.name, position, "k", encode_event(event), NOON)
    return Handled(event, record, problems, decisions)


def topics(store):
    with store.reading() as connection:
        return list(connection.scalars(sa.select(outbox.c.topic).order_by(outbox.c.number)))


def test_a_batch_that_is_recorded_again_leaves_nothing_a_second_time(store):
    good, bad = an_event(T.CAPTURED), an_event(T.CAPTURED, payment_id="b")
    batch = [handled(good, 0), handled(bad, 1, [Problem("broken", "", "It is.")])]
    no_event = Record(EVENTS.name, 2, "stripe:x", b"{", NOON)
    recorder = Recorder(store, lambda: NOON)

    first = recorder.record(batch, None, unreadable=[no_event])
    again = recorder.record(batch, None, unreadable=[no_event])

    assert (first, first.of_each) == (
        Outcomes(recorded=1, dead_letter=1),
        ["recorded", "dead_letter"],
    )
    assert (again, again.of_each) == (Outcomes(known=2), first.of_each)
    assert topics(store) == [WORKER_DEAD.name, WORKER_DEAD.name, RECORDED.name]
    redriven = recorder.record([handled(bad, 7)], None)
    assert (redriven.recorded, redriven.of_each) == (1, ["recorded"])


class _Defective(Recorder):
    """Can't record events of some payments, as if no column took what they say."""

    def record(self, handled, progress, began_at=0, unreadable=()):
        if any(each.event.payment_id == "defect" and not each.problems for each in handled):
            raise TypeError
        return super().record(handled, progress, began_at, unreadable)


def record_all(recording, batch):
    async def ask():
        return await asyncio.gather(*map(recording.record, batch), return_exceptions=True)

    return asyncio.run(ask())


def test_one_event_that_can_not_be_recorded_does_not_keep_others_of_its_batch_from_it(store):
    events = [an_event(T.CAPTURED, payment_id="defect" if n == 5 else f"p{n}") for n in range(9)]
    batch = [handled(event, n) for n, event in enumerate(events)]
    seen = []
    recording = Recording(_Defective(store, lambda: NOON), seen.append, lambda _: None)

    answers = record_all(recording, batch)

    refused = answers.pop(5)
    assert isinstance(refused, ApplicationError)
    assert (refused.type, refused.non_retryable) == ("record_failed", True)
    assert answers == ["recorded"] * 8
    assert sum(each.recorded for each in seen) == 8


def test_many_that_can_not_be_recorded_are_a_defect_of_ours_and_no_dead_letters(store):
    batch = [handled(an_event(T.CAPTURED, payment_id="defect"), n) for n in range(25)]
    recording = Recording(_Defective(store, lambda: NOON), lambda _: None, lambda _: None)

    answers = record_all(recording, batch)

    assert [type(each) for each in answers] == [ApplicationError] * 20 + [TypeError] * 5


def _failed_with_a_plan(store, *attempts, **changes):
    event = an_event(T.FAILED, **changes)
    row = {
        "event_id": event.event_id, "activity": PLAN_RETRY.name, "model": "m", "outcome": "soon",
        "score": None, "reasons": "", "is_fallback": False,
        "plan": msgspec.json.encode(attempts).decode(),
    }  # fmt: skip
    Recorder(store, lambda: NOON).record([handled(event, 0, (), [row])], None)
    return event


def _attempt(event, number, due_at, next_at=None):
    return Attempt(event_id=event.event_id, number=number, due_at=due_at, next_at=next_at)


def test_a_planned_time_is_due_once_unless_the_next_has_come_or_it_was_long_ago(store):
    event = _failed_with_a_plan(store, NOON, NOON + MINUTE)
    times = planned(store, event.event_id, PLAN_RETRY.name)
    assert times == [NOON, NOON + MINUTE]
    first, last = _attempt(event, 1, times[0], times[1]), _attempt(event, 2, times[1])

    assert decide(store, first, NOON + 2 * MINUTE) == "missed"
    assert [decide(store, last, NOON + 2 * MINUTE) for _ in range(2)] == ["due", "due"]
    assert decide(store, _attempt(event, 3, NOON), NOON + dt.timedelta(days=2)) == "missed"

    with store.reading() as connection:
        query = sa.select(outbox.c.value).where(outbox.c.topic == RETRIES.name)
        (message,) = connection.scalars(query)
    due = msgspec.json.decode(message, type=RetryDue)
    assert (due.event_id, due.number, due.due_at) == (event.event_id, 2, NOON + MINUTE)
    assert due.payment_key == "stripe:acct:live:pay"


@pytest.mark.parametrize(
    ("kind", "outcome"), [(T.AUTHORIZED, "paid"), (T.CAPTURED, "paid"), (T.CANCELED, "canceled")]
)
def test_a_payment_that_was_settled_meanwhile_is_not_tried_again(store, kind, outcome):
    event = _failed_with_a_plan(store, NOON)
    Recorder(store, lambda: NOON).record([handled(an_event(kind, 5), 1)], None)
    assert decide(store, _attempt(event, 1, NOON), NOON) == outcome
    assert RETRIES.name not in topics(store)


def _of_order(kind, at=0, **changes):
    return an_event(kind, at, **{"merchant_reference": "order 1", **changes})


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        ([_of_order(T.FAILED, 60)], "superseded"),
        ([_of_order(T.FAILED, event_id="stripe:evt_z")], "superseded"),  # in the same second
        ([_of_order(T.FAILED, -60)], "due"),
        ([_of_order(T.PENDING, 60)], "superseded"),
        ([_of_order(T.PENDING)], "due"),  # of the attempt that failed
        ([_of_order(T.CAPTURED, 60, payment_id="again")], "paid"),
        ([_of_order(T.CAPTURED, -60, payment_id="before")], "due"),  # as by a gift card
        ([_of_order(T.AUTHORIZED, 60, payment_id="again"),
          _of_order(T.CANCELED, 70, payment_id="again")], "due"),
        ([_of_order(T.FAILED, 60, payment_id="again")], "superseded"),
        ([an_event(T.CAPTURED, 60, payment_id="other")], "due"),
        ([_of_order(T.CAPTURED, 60, payment_id="other", livemode=False)], "due"),
        ([_of_order(T.CAPTURED, 60, payment_id=f"p{n}") for n in range(17)], "due"),  # no order's
    ],
)  # fmt: skip
def test_an_order_is_tried_again_by_the_plan_of_its_latest_attempt_alone(store, later, outcome):
    event = _failed_with_a_plan(store, NOON, event_id="stripe:evt_m", merchant_reference="order 1")
    batch = [handled(each, each.webhook_position) for each in later]
    Recorder(store, lambda: NOON).record(batch, None)

    assert decide(store, _attempt(event, 1, NOON), NOON) == outcome
    assert topics(store).count(RETRIES.name) == (outcome == "due")


def test_ids_that_no_server_takes_are_known_by_their_digest():
    assert workflow_id("stripe:evt_1") == "stripe:evt_1"
    odd = [workflow_id(text) for text in ("stripe:\0", "stripe:é", "", "x" * 301)]
    assert len({*odd}) == 4
    assert all(text.startswith("sha256:") and len(text) == 71 for text in odd)
