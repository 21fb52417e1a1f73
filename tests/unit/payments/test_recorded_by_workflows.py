"""Events that workflows record: what runs may still do is on no side, what is lost is missing."""

import datetime as dt
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from payment_lives import an_event

from clearhouse.books.model import Side
from clearhouse.landing import Landing
from clearhouse.log.log import Message, Progress, Record
from clearhouse.log.opening import LogPlace
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.event import EventType, encode_event
from clearhouse.payments.flow import worker_lag
from clearhouse.payments.recorded import RecordedStore
from clearhouse.payments.store.database import PaymentStore, open_store
from clearhouse.payments.store.tables import delivery, worker_letter
from clearhouse.payments.streams import Streams
from clearhouse.payments.topics import EVENTS, REDRIVEN, TOPICS, WEBHOOKS
from clearhouse.payments.unrecorded import RUNNING_FOR, STARTER

SENT, LOST, RECORDED, RUNNING, WAITING = 5, 0, 1, 2, 3


@pytest.fixture
def now() -> dt.datetime:
    """The time of this test, not of when the tests were collected: a run has a time-out."""
    return dt.datetime.now(dt.UTC)


@pytest.fixture
def long_ago(now: dt.datetime) -> dt.datetime:
    return now - RUNNING_FOR - dt.timedelta(minutes=5)


@pytest.fixture
def log(tmp_path: Path, now: dt.datetime, long_ago: dt.datetime) -> SqliteLog:
    """One event each that is lost, recorded, in a run, and not started; one more is recorded."""
    at = [long_ago]
    log = SqliteLog(tmp_path / "log.db", [t.name for t in TOPICS], clock=lambda: at[0])
    log.append(
        [Message(WEBHOOKS.name, "k", b"{}")] * SENT, Progress("normalizer", WEBHOOKS.name, 0)
    )
    log.append([], Progress("normalizer", WEBHOOKS.name, SENT))
    for position in range(SENT):
        at[0] = long_ago if position == LOST else now
        event = an_event(
            EventType.CAPTURED,
            event_id=f"stripe:e{position}",
            webhook_position=position,
            book_date=long_ago.date(),
        )
        log.append([Message(EVENTS.name, "k", encode_event(event))])
    log.progress(STARTER, EVENTS.name)
    log.append([], Progress(STARTER, EVENTS.name, WAITING))
    return log


@pytest.fixture
def store(tmp_path: Path, now: dt.datetime, long_ago: dt.datetime) -> PaymentStore:
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    for position in (RECORDED, SENT - 1):
        row = {
            "webhook_position": position, "event_id": "e", "outcome": "recorded",
            "book_date": long_ago.date(), "amount_minor": 1, "currency": "USD", "body_sha256": "",
            "attempt": 1, "first_at": now.replace(tzinfo=None),
        }  # fmt: skip
        with store.writing() as connection:
            connection.execute(sa.insert(delivery), row)
    return store


def streams(tmp_path: Path, running: Collection[str] = ()) -> Streams:
    return Streams(
        LogPlace(f"sqlite:///{tmp_path}/log.db"),
        RecordedStore(f"sqlite:///{tmp_path}/payments.db"),
        Landing.from_url(f"file://{tmp_path}/landing"),
        running={*running}.intersection,
    )


@pytest.mark.usefixtures("log", "store")
def test_a_lost_event_is_missing_and_one_in_a_run_waits(
    tmp_path: Path, now: dt.datetime, long_ago: dt.datetime
) -> None:
    of = streams(tmp_path)
    days = [long_ago.date(), now.date()]

    assert of.recorded_to.of(0) == RUNNING
    sides = of.recording(days)
    assert keys(sides[Side.IN]) == [LOST, RECORDED]
    assert keys(sides[Side.OUT]) == [RECORDED]


@pytest.mark.usefixtures("log", "store")
def test_an_old_event_whose_run_goes_on_is_not_lost_and_holds_up_its_day(
    tmp_path: Path, long_ago: dt.datetime
) -> None:
    day = long_ago.date()
    of = streams(tmp_path, running=[f"stripe:e{LOST}"])

    sides = of.recording([day])
    assert keys(sides[Side.IN]) == keys(sides[Side.OUT]) == []
    assert of.reached(of.recorded_to_of, "recorded", [day])[day].covers == WEBHOOKS.name


def test_runs_that_go_on_are_still_to_be_done(log: SqliteLog, store: PaymentStore) -> None:
    assert worker_lag(log, store.engine, has_workflows=True) == SENT - WAITING  # to be started

    log.progress(STARTER, EVENTS.name)
    log.append([], Progress(STARTER, EVENTS.name, SENT))

    assert worker_lag(log, store.engine, has_workflows=True) == 2  # RUNNING and WAITING


def test_of_a_long_day_only_the_latest_events_are_read(
    log: SqliteLog, store: PaymentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.progress(STARTER, EVENTS.name)
    log.append([], Progress(STARTER, EVENTS.name, SENT))
    begun: list[int] = []
    read = SqliteLog.read

    def noting(self: SqliteLog, topic: str, position: int, limit: int = 500) -> Sequence[Record]:
        begun.append(position)
        return read(self, topic, position, limit)

    monkeypatch.setattr(SqliteLog, "read", noting)
    assert worker_lag(log, store.engine, has_workflows=True) == 2
    assert min(begun) == LOST + 1


@pytest.mark.parametrize("end", ["recorded", "dead letter again"])
def test_a_redriven_event_is_to_be_done_until_its_own_run_has_ended(
    log: SqliteLog, store: PaymentStore, now: dt.datetime, end: str
) -> None:
    log.progress(STARTER, EVENTS.name)
    log.append([], Progress(STARTER, EVENTS.name, SENT))
    others = worker_lag(log, store.engine, has_workflows=True)
    of_it = delivery.c.webhook_position == RECORDED
    with store.writing() as connection:
        connection.execute(sa.update(delivery).where(of_it).values(outcome="dead_letter"))
    event = an_event(EventType.CAPTURED, webhook_position=RECORDED, book_date=now.date())
    (position,) = log.append([Message(REDRIVEN.name, "k", encode_event(event))])
    log.progress(STARTER, REDRIVEN.name)
    log.append([], Progress(STARTER, REDRIVEN.name, position + 1))

    assert worker_lag(log, store.engine, has_workflows=True) == others + 1

    own = {
        "letter_id": f"worker:{REDRIVEN.name}:{position}",
        "written_at": now.replace(tzinfo=None),
    }
    with store.writing() as connection:
        if end == "recorded":
            connection.execute(sa.update(delivery).where(of_it).values(outcome="recorded"))
        else:
            connection.execute(sa.insert(worker_letter), own)
    assert worker_lag(log, store.engine, has_workflows=True) == others


def keys(rows: object) -> list[int]:
    return [int(key.split("|")[1]) for key in rows["_record_key"].to_pylist()]
