"""The worker: events of the log become rows of the store and messages of the log, each once."""

import datetime as dt
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from payment_lives import NOON, an_event

from clearhouse.core.errors import StoreError
from clearhouse.log.log import Log, LogError, Message
from clearhouse.log.opening import LogPlace
from clearhouse.payments.dead_letter import DeadLetter
from clearhouse.payments.event import EventType as T
from clearhouse.payments.event import PaymentEvent, encode_event
from clearhouse.payments.flow import worker_lags
from clearhouse.payments.inference.client import InProcess
from clearhouse.payments.log_opening import open_payment_log
from clearhouse.payments.store import recorder, tables
from clearhouse.payments.store.database import open_store
from clearhouse.payments.store.log_binding import Bound
from clearhouse.payments.topics import EVENTS, RECORDED, REDRIVEN, WORKER_DEAD
from clearhouse.payments.worker.loop import Worker

UNSOUND = {"amount_minor": None, "currency": None}


class Bench:
    """A log, a store and a worker between them."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.log: Log = open_payment_log(LogPlace(f"sqlite:///{folder}/log.db"))
        self.store = open_store(f"sqlite:///{folder}/payments.db")
        self.worker = self.new_worker(**options)

    def new_worker(self, inference: Any = None, **options: Any) -> Worker:
        return Worker(self.log, self.store, inference or InProcess(), clock=lambda: NOON, **options)

    def send(self, *values: PaymentEvent | bytes, topic: str = EVENTS.name) -> None:
        self.log.append([
            Message(topic, "stripe:k", v if isinstance(v, bytes) else encode_event(v))
            for v in values
        ])  # fmt: skip

    def rows(self, table: sa.Table, *columns: str) -> list[Any]:
        read = sa.select(*(table.c[name] for name in columns)).order_by(*table.primary_key.columns)
        with self.store.reading() as connection:
            return [tuple(row) for row in connection.execute(read)]

    def said(self, topic: str) -> list[bytes]:
        return [record.value for record in self.log.read(topic, 0, 10_000)]

    def letters(self) -> list[DeadLetter]:
        return [msgspec.json.decode(v, type=DeadLetter) for v in self.said(WORKER_DEAD.name)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_store_goes_on_with_its_own_log_and_with_no_other(bench: Bench, tmp_path: Path) -> None:
    bench.send(an_event(T.AUTHORIZED))
    assert bench.worker.step() == 1

    another = Bench(tmp_path / "another")
    another.send(an_event(T.CAPTURED), an_event(T.REFUNDED))
    another.store = bench.store
    with pytest.raises(StoreError) as refused:
        another.new_worker().step()
    assert refused.value.code == "another_log"

    bench.send(an_event(T.CAPTURED))
    assert bench.new_worker().step() == 1


def test_topics_that_are_made_anew_beside_a_worker_are_noticed(
    bench: Bench, tmp_path: Path
) -> None:
    bench.worker.step()
    now = 0.0
    bound = Bound(bench.store, bench.log, clock=lambda: now)
    bound.check()
    bound.log = Bench(tmp_path / "another").log
    now = 2.0
    with pytest.raises(StoreError) as refused:
        bound.check()
    assert refused.value.code == "another_log"


def test_a_store_that_is_behind_its_log_tells_of_what_it_records(
    bench: Bench, tmp_path: Path
) -> None:
    early = [an_event(T.AUTHORIZED, webhook_position=n) for n in range(3)]
    for event in early:
        bench.send(event)
        assert bench.worker.step() == 1
    bench.store = open_store(f"sqlite:///{tmp_path}/anew.db")  # its own was lost, or is a copy

    late = an_event(T.CAPTURED, webhook_position=3)
    worker = bench.new_worker()
    assert worker.step() == 3
    bench.send(late, an_event(T.CAPTURED, **UNSOUND, webhook_position=4))
    assert worker.step() == 2

    told = [encode_event(event) for event in (*early, *early, late)]
    assert bench.said(RECORDED.name) == told
    assert len(bench.letters()) == 1


def test_a_new_store_begins_at_what_the_log_still_holds(bench: Bench, tmp_path: Path) -> None:
    bench.send(an_event(T.AUTHORIZED, webhook_position=0))
    bench.worker.step()
    bench.log.age_out({EVENTS.name: [1]})
    bench.store = open_store(f"sqlite:///{tmp_path}/anew.db")  # its own was lost

    worker = bench.new_worker()
    assert worker.step() == 0
    assert [lag.waiting for lag in worker_lags(bench.log, bench.store.engine)] == [0, 0]
    bench.send(an_event(T.CAPTURED, webhook_position=1))
    assert [worker.step(), worker.step()] == [1, 0]
    assert bench.rows(tables.delivery, "webhook_position") == [(1,)]


def test_events_are_recorded_and_told_of(bench: Bench) -> None:
    events = [an_event(T.AUTHORIZED), an_event(T.CAPTURED, at=1)]
    bench.send(*events, events[0])
    assert bench.worker.step() == 3
    assert bench.worker.step() == 0
    assert bench.rows(tables.payment, "status", "events") == [("captured", 2)]
    assert bench.said(RECORDED.name) == [encode_event(event) for event in events]
    assert bench.rows(tables.outbox, "number") == []


def test_what_can_t_be_recorded_is_a_dead_letter_whole(bench: Bench) -> None:
    broken = an_event(T.CAPTURED, **UNSOUND)
    bench.send(b'{"event_id":"\xff"}', broken, an_event(T.CAPTURED, payment_id="sound"))
    assert bench.worker.step() == 3
    unreadable, unsound = sorted(bench.letters(), key=lambda letter: letter.source_position or 0)
    assert (unreadable.code, unreadable.body_base64) == (
        "event_malformed",
        "eyJldmVudF9pZCI6Iv8ifQ==",
    )
    assert (unsound.code, bytes(unsound.message)) == ("amount_missing", encode_event(broken))
    assert bench.rows(tables.delivery, "outcome") == [("dead_letter",), ("recorded",)]
    assert bench.rows(tables.payment, "payment_id") == [("sound",)]


def test_one_event_that_the_store_refuses_takes_no_other_with_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = recorder.place

    def refuses(connection: sa.Connection, events: Sequence[PaymentEvent]) -> Any:
        if any(event.payment_id == "bad" for event in events):
            raise ValueError("no room for it")
        return inner(connection, events)

    monkeypatch.setattr(recorder, "place", refuses)
    payments = ["one", "two", "bad", "three", "four"]
    bench.send(*(an_event(T.CAPTURED, payment_id=name) for name in payments))
    bench.worker.step()
    assert len(bench.rows(tables.payment, "payment_id")) == 4
    assert [letter.code for letter in bench.letters()] == ["record_failed"]


def test_a_redriven_letter_is_recorded_in_its_place(bench: Bench) -> None:
    event = an_event(T.CAPTURED, **UNSOUND)
    bench.send(event)
    bench.worker.step()
    mended = msgspec.structs.replace(event, amount_minor=5, currency="USD")
    bench.send(mended, topic=REDRIVEN.name)
    bench.worker.step()
    assert bench.rows(tables.delivery, "outcome", "attempt") == [("recorded", 2)]
    assert bench.rows(tables.payment, "captured_minor") == [(5,)]


def test_failures_get_a_plan_and_payments_a_score(bench: Bench) -> None:
    bench.send(an_event(T.FAILED, failure_code="insufficient_funds", method="card"))
    bench.worker.step()
    rows = bench.rows(tables.decision, "activity", "is_fallback")
    assert rows == [("plan_retry", False), ("predict_churn", False), ("score_fraud", False)]


class Silent(InProcess):
    """Inference that never answers."""

    def __init__(self) -> None:
        self.asked = threading.Event()

    def score_fraud(self, *_: Any) -> Any:
        self.asked.wait(60)

    def predict_churn(self, *_: Any) -> Any:
        raise StoreError("It is broken.", "broken")


def test_a_payment_is_recorded_without_the_advice_of_a_silent_service(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearhouse.payments import activities

    monkeypatch.setattr(
        activities,
        "SCORE_FRAUD",
        activities.Activity("score_fraud", 0.01, can_be_left=True),
    )
    silent = Silent()
    worker = bench.new_worker(silent)
    bench.send(an_event(T.FAILED))
    assert worker.step() == 1
    silent.asked.set()
    decisions = bench.rows(tables.decision, "activity", "outcome", "reasons", "is_fallback")
    assert ("score_fraud", "unknown", "activity_too_slow", True) in decisions
    assert ("predict_churn", "unknown", "broken", True) in decisions
    assert bench.rows(tables.payment, "status") == [("failed",)]


def test_advice_does_not_depend_on_where_batches_end(tmp_path: Path) -> None:
    events = [
        an_event(T.FAILED, at=n, payment_id=f"p{n % 3}", failure_code="declined") for n in range(12)
    ]
    found = []
    for batch in (1, 5, 100):
        folder = tmp_path / str(batch)
        folder.mkdir()
        bench = Bench(folder, batch=batch)
        bench.send(*events, *events)
        while bench.worker.step():
            pass
        found.append(bench.rows(tables.decision, "event_id", "activity", "outcome", "reasons"))
    assert found[0] == found[1] == found[2]
    assert found[0]


def test_two_workers_record_each_event_once(bench: Bench) -> None:
    other = bench.new_worker()
    bench.send(an_event(T.CAPTURED))
    assert (bench.worker.step(), other.step()) == (1, 0)
    bench.send(an_event(T.CAPTURED, payment_id="next"))
    assert other.step() == 1
    assert bench.worker.step() in (0, 1)  # it is told that the other one has come further
    assert bench.worker.step() == 0
    assert len(bench.rows(tables.payment_event, "event_id")) == 2
    assert len(bench.said(RECORDED.name)) == 2


def test_what_the_log_does_not_take_is_published_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.send(an_event(T.CAPTURED))
    inner = bench.log.append
    monkeypatch.setattr(bench.log, "append", _full)
    with pytest.raises(LogError):
        bench.new_worker(workflows=_Once()).step()
    assert len(bench.rows(tables.outbox, "number")) == 1
    monkeypatch.setattr(bench.log, "append", inner)
    bench.worker.step()
    assert len(bench.said(RECORDED.name)) == 1


def _full(*_: Any) -> Any:
    raise LogError("The log is full.", "log_full")


class _Once:
    """Workflows that try once."""

    def run(self, _activity: Any, work: Any) -> Any:
        return work()

    def close(self) -> None: ...


def test_the_log_forgets_events_that_are_recorded_and_old(bench: Bench) -> None:
    bench.send(an_event(T.AUTHORIZED), an_event(T.CAPTURED))
    for days, first in ((EVENTS.days, 0), (EVENTS.days + 1, 2)):
        then = dt.datetime.now(dt.UTC) + dt.timedelta(days=days)
        worker = Worker(bench.log, bench.store, InProcess(), clock=lambda then=then: then)
        stop = threading.Event()
        worker.run_until(stop, lambda _, stop=stop: stop.set())
        assert bench.log.first(EVENTS.name) == first


def test_a_message_whose_dead_letter_is_too_large_for_the_log_holds_up_no_other(
    bench: Bench,
) -> None:
    bench.send(b"x" * (7 << 19), an_event(T.CAPTURED))  # base64 makes it a third larger
    assert bench.worker.step() == 2
    (letter,) = bench.letters()
    assert (letter.code, letter.source_position, letter.body_base64) == ("event_malformed", 0, "")
    assert "too large" in letter.reason
    assert len(bench.said(RECORDED.name)) == 1
