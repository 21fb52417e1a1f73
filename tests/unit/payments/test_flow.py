"""How far payments have come: figures of the log and the store."""

from pathlib import Path

import sqlalchemy as sa

from clearhouse.log.log import Message, Progress
from clearhouse.log.opening import LogPlace
from clearhouse.log.sqlite import SqliteLog
from clearhouse.payments import topics
from clearhouse.payments.flow import measure
from clearhouse.payments.log_opening import declared_topics, open_payment_log
from clearhouse.payments.store import tables
from clearhouse.payments.store.database import open_store


def messages(topic: topics.Topic, count: int) -> list[Message]:
    return [Message(topic.name, "key", b"{}")] * count


def test_the_flow_is_settled_when_everything_has_come_to_its_end(tmp_path: Path) -> None:
    log = open_payment_log(LogPlace(f"sqlite:///{tmp_path}/log.db"))
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    assert measure(log, store.engine).is_settled

    log.append(messages(topics.WEBHOOKS, 4))
    flow = measure(log, store.engine)
    assert (flow.accepted, flow.normalizer_lag, flow.is_settled) == (4, 4, False)

    made = [*messages(topics.EVENTS, 2), *messages(topics.UNMAPPED, 1)]
    made += messages(topics.NORMALIZER_DEAD, 1)
    log.append(made, Progress("normalizer", topics.WEBHOOKS.name, 4))
    flow = measure(log, store.engine)
    assert (flow.normalized, flow.unmapped, flow.dead_letters["normalizer"]) == (2, 1, 1)
    assert (flow.normalizer_lag, flow.worker_lag, flow.is_settled) == (0, 2, False)

    progress = {"consumer": "worker", "topic": topics.EVENTS.name, "partition": 0, "position": 2}
    with store.engine.begin() as connection:
        connection.execute(sa.insert(tables.consumer_progress), progress)
        row = {"topic": topics.RECORDED.name, "message_key": "key", "value": b"{}"}
        connection.execute(sa.insert(tables.outbox), row)
    flow = measure(log, store.engine)
    assert (flow.worker_lag, flow.to_publish, flow.is_settled) == (0, 1, False)

    with store.engine.begin() as connection:
        connection.execute(sa.delete(tables.outbox))
    assert measure(log, store.engine).is_settled


def test_what_the_normalizer_makes_while_the_flow_is_measured_is_not_overlooked(
    tmp_path: Path,
) -> None:
    class Meanwhile(SqliteLog):
        """A log whose normalizer is done just after the events were asked for."""

        def waiting(self, topic: str, position: int) -> int:
            found = super().waiting(topic, position)
            if topic == topics.EVENTS.name:
                done = Progress(topics.NORMALIZER, topics.WEBHOOKS.name, 1)
                self.append(messages(topics.EVENTS, 1), done)
            return found

    names = [topic.name for topic in declared_topics() if not topic.is_source]
    log = Meanwhile(tmp_path / "log.db", names)
    store = open_store(f"sqlite:///{tmp_path}/payments.db")
    log.append(messages(topics.WEBHOOKS, 1))
    assert not measure(log, store.engine).is_settled
