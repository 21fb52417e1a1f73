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
"""In which leaders are chosen anew, and the transaction of a killed process is ended."""
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


def answer(connection: Connection, client: AdminClient | Consumer, ask: Callable[[], T]) -> T:
    """What a cluster answers, as soon as it is settled.

    Args:
        connection: of the cluster.
        client: that asks. It is polled, so that it says what its connections suffer from.
        ask: asks, each time that it is called.

    Raises:
        LogError: there is no answer.
    """
    give_up_at = time.monotonic() + _UNSETTLED_SECONDS
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

    It waits until transactions that commit another one have ended. A consumer is asked: the admin
    client of librdkafka 2.16 ends the process when a group's coordinator is just being moved.

    Raises:
        LogError: there is no answer.
    """

    def ask() -> TopicPartition:
        (found,) = consumer.committed([TopicPartition(name, partition)], SECONDS)
        if found.error is not None:
            raise KafkaException(found.error)
        return found

    found = answer(connection, consumer, ask)
    return None if found.offset < 0 else found
