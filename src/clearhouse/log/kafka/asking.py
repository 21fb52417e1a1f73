"""Asking a cluster, and once more while it moves partitions or groups between its brokers."""

import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from clearhouse.log.kafka.connection import SECONDS, Connection

T = TypeVar("T")
_PAUSE_SECONDS = 0.02
_UNSETTLED_SECONDS = 15.0
"""In which leaders are chosen anew."""
TRANSACTION_SECONDS = 40.0
"""More than a transaction can be open: its own limit, and the time between a broker's looks."""
_OTHER_LEADERS = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
}
"""What a client knows of the leaders is old, which it may believe for minutes."""
_PASSING = {
    *_OTHER_LEADERS,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.UNSTABLE_OFFSET_COMMIT,
}


def answer(
    connection: Connection,
    client: AdminClient | Consumer,
    ask: Callable[[], T],
    patience_seconds: float = _UNSETTLED_SECONDS,
) -> T:
    """What a cluster answers, as soon as it is settled.

    Args:
        connection: of the cluster.
        client: that asks. It is polled, so that it says what its connections suffer from.
        ask: asks, each time that it is called.
        patience_seconds: that it may take to settle.

    Raises:
        LogError: there is no answer.
    """
    give_up_at = time.monotonic() + patience_seconds
    while True:
        try:
            return ask()
        except KafkaException as error:
            client.poll(0)
            code = error.args[0].code()
            if code not in _PASSING or time.monotonic() > give_up_at:
                raise connection.told(error) from None
            if code in _OTHER_LEADERS:
                _learn_leaders(connection, client)
        time.sleep(_PAUSE_SECONDS)


def _learn_leaders(connection: Connection, client: AdminClient | Consumer) -> None:
    try:
        client.list_topics(timeout=SECONDS)
    except KafkaException as error:
        raise connection.told(error) from None


def committed(
    connection: Connection, consumer: Consumer, name: str, partition: int
) -> TopicPartition | None:
    """Offset that a consumer's group has committed, with its metadata; None: it has not begun.

    It waits until transactions that commit another one have ended; one of a killed process stays
    open for some seconds. A consumer is asked: the admin client of librdkafka 2.16 ends the process
    when a group's coordinator is just being moved.

    Raises:
        LogError: there is no answer, or a transaction does not end (log_unsettled).
    """

    def ask() -> TopicPartition:
        try:
            (found,) = consumer.committed([TopicPartition(name, partition)], SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._TIMED_OUT:
                raise
            # The client waits for an open transaction by itself, and gives a time-out as if nobody
            # answered. Where somebody does, it is that.
            consumer.list_topics(name, SECONDS)
            raise KafkaException(KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)) from None
        if found.error is not None:
            raise KafkaException(found.error)
        return found

    found = answer(connection, consumer, ask, TRANSACTION_SECONDS)
    return None if found.offset < 0 else found


def first(connection: Connection, consumer: Consumer, name: str, partition: int) -> int:
    """First offset that is kept of a partition.

    Raises:
        LogError: there is no answer.
    """
    place = TopicPartition(name, partition)
    return answer(connection, consumer, lambda: consumer.get_watermark_offsets(place, SECONDS)[0])
