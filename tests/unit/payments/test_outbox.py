"""The outbox: what it publishes, once, and in the trace of what it tells of."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from otlp_receiver import Collector, collecting
from payment_lives import NOON, an_event

from clearhouse.core import tracing
from clearhouse.log.log import Message, Progress, Record
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments.event import EventType, PaymentEvent, encode_event
from clearhouse.payments.flow import outbox_now
from clearhouse.payments.keys import own_key
from clearhouse.payments.problem import Problem
from clearhouse.payments.retry_due import DUE, Attempt
from clearhouse.payments.store import outbox, tables
from clearhouse.payments.store.database import SCHEMA, PaymentStore, open_store
from clearhouse.payments.store.recorder import Handled, Recorder
from clearhouse.payments.store.retries import decide
from clearhouse.payments.topics import EVENTS, OUTBOX, RECORDED, RETRIES, TOPICS, WORKER_DEAD

Headers = Sequence[tuple[str, str]]
SPAN_ID = "b7ad6b7169203331"
CARRIED = [
    (("traceparent", f"00-{trace * 32}-{SPAN_ID}-01"), ("tracestate", "vendor=1"))
    for trace in "abc"
]
RECORDED_ONE, DEAD, UNREADABLE = CARRIED


class ListenedLog(SqliteLog):
    """A log in a file, which keeps no headers; what it was given is remembered with them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, [*(topic.name for topic in TOPICS), OUTBOX])
        self.given: list[Message] = []

    def append(
        self, messages: Sequence[Message], progress: Progress | None = None
    ) -> Sequence[int]:
        positions = super().append(messages, progress)
        self.given += messages
        return positions


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ListenedLog]:
    opened = ListenedLog(tmp_path / "log.db")
    yield opened
    opened.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[PaymentStore]:
    opened = open_store(f"sqlite:///{tmp_path}/payments.db")
    yield opened
    opened.close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Traces of this process are on."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        tracing.start("worker")
        yield collector
        tracing.stop()


def test_each_message_carries_the_trace_of_its_own_event(
    store: PaymentStore, log: ListenedLog
) -> None:
    record_one_of_each(store)

    assert outbox.publish(store, log) == 4

    assert {(each.topic, tuple(each.headers)) for each in log.given} == {
        (RECORDED.name, RECORDED_ONE),
        (RECORDED.name, ()),
        (WORKER_DEAD.name, DEAD),
        (WORKER_DEAD.name, UNREADABLE),
    }


def test_nothing_is_stored_of_an_event_without_a_trace(store: PaymentStore) -> None:
    record_one_of_each(store)

    with store.reading() as connection:
        stored = list(connection.scalars(sa.select(tables.outbox.c.headers)))

    assert stored.count(None) == 1
    assert len(stored) == 4


def test_the_events_of_a_batch_are_one_row_and_published_from_where_they_are_recorded(
    store: PaymentStore, log: ListenedLog
) -> None:
    captured, sent = an_event(EventType.CAPTURED), an_event(EventType.PAYOUT_SENT)
    record(store, captured, sent)

    with store.reading() as connection:
        (row,) = connection.execute(sa.select(tables.outbox)).all()
        assert outbox.waiting(connection) == 2
    assert (row.value, row.headers) == (b"", None)
    assert outbox_now(store.engine) == (2, row.number)

    assert outbox.publish(store, log) == 2
    assert [(each.topic, each.key, each.value) for each in log.given] == [
        (RECORDED.name, own_key(captured), encode_event(captured)),
        (RECORDED.name, sent.event_id, encode_event(sent)),
    ]
    assert outbox_now(store.engine) == (0, 0)


def test_a_row_is_published_whole_and_each_once(store: PaymentStore, log: ListenedLog) -> None:
    lives = [an_event(EventType.CAPTURED, payment_id=name) for name in "abcdefg"]
    for batch in (lives[:3], lives[3:5], lives[5:]):
        record(store, *batch)

    assert [outbox.publish(store, log, limit=4) for _ in range(3)] == [5, 2, 0]
    assert [each.value for each in log.given] == list(map(encode_event, lives))


def test_rows_that_are_back_after_the_machine_has_failed_are_not_published_again(
    store: PaymentStore, log: ListenedLog
) -> None:
    record(store, an_event(EventType.CAPTURED))
    with store.reading() as connection:
        row = dict(connection.execute(sa.select(tables.outbox)).one()._mapping)
    outbox.publish(store, log)
    with store.writing() as connection:
        connection.execute(sa.insert(tables.outbox), row)

    assert outbox.publish(store, log) == 1
    assert len(log.given) == 1
    assert outbox_now(store.engine) == (0, 0)


def test_what_an_earlier_version_has_left_is_published(tmp_path: Path, log: ListenedLog) -> None:
    url = f"sqlite:///{tmp_path}/before.db"
    with sa.create_engine(url).begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(SCHEMA.migrations))
        command.upgrade(config, "0006")
        connection.exec_driver_sql(
            "INSERT INTO outbox (topic, message_key, value) VALUES (?, 'key', ?)",
            (RECORDED.name, b"{}"),
        )
    store = open_store(url)

    assert outbox.publish(store, log) == 1
    assert [(each.key, each.value) for each in log.given] == [("key", b"{}")]
    store.close()


def test_publishing_is_a_span_in_the_trace_of_each(
    store: PaymentStore, log: ListenedLog, collector: Collector
) -> None:
    record_one_of_each(store)
    outbox.publish(store, log)
    tracing.stop()  # sends the last spans

    spans = {span.trace_id[0]: span for span in collector.spans}
    assert [span.name for span in collector.spans] == ["publish"] * 3
    assert {span.parent_id for span in collector.spans} == {SPAN_ID}
    carried = {dict(each.headers).get("traceparent") for each in log.given}
    assert carried == {
        None,
        *(f"00-{trace * 32}-{span.span_id}-01" for trace, span in spans.items()),
    }


def test_a_retry_that_is_due_goes_on_in_the_trace_in_which_it_was_decided(
    store: PaymentStore, log: ListenedLog, collector: Collector
) -> None:
    failed = an_event(EventType.FAILED)
    record = Record(EVENTS.name, 0, "k", encode_event(failed), NOON)
    Recorder(store, lambda: NOON).record([Handled(failed, record)], None)
    outbox.publish(store, log)

    attempt = Attempt(event_id=failed.event_id, number=1, due_at=NOON, next_at=None)
    with tracing.span("decide", "internal"):
        assert decide(store, attempt, NOON) == DUE
    outbox.publish(store, log)
    tracing.stop()  # sends the last spans

    decided, published = collector.spans
    assert (published.name, published.parent_id) == ("publish", decided.span_id)
    (retry,) = [each for each in log.given if each.topic == RETRIES.name]
    assert published.span_id in dict(retry.headers)["traceparent"]


def record(store: PaymentStore, *events: PaymentEvent) -> None:
    """Record events in one batch, without traces."""
    handled = [
        Handled(event, Record(EVENTS.name, 0, "k", encode_event(event), NOON)) for event in events
    ]
    Recorder(store, lambda: NOON).record(handled, None)


def record_one_of_each(store: PaymentStore) -> None:
    """Two events, of which one has a trace; one that is refused, and a message that is none."""
    events = [an_event(EventType.CAPTURED, payment_id=name) for name in ("a", "b", "c")]
    records = [
        Record(EVENTS.name, at, "k", encode_event(event), NOON, headers)
        for at, (event, headers) in enumerate(zip(events, (RECORDED_ONE, (), DEAD), strict=True))
    ]
    refused: list[Sequence[Problem]] = [(), (), [Problem("broken", "", "It is.")]]
    handled = list(map(Handled, events, records, refused))
    no_event = Record(EVENTS.name, 3, "stripe:x", b"{", NOON, UNREADABLE)
    Recorder(store, lambda: NOON).record(handled, None, unreadable=[no_event])
