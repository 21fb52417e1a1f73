"""Appending and moving progress at once: what a transaction's end means for who began it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import confluent_kafka as ck
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from clearhouse.log.kafka.connection import SECONDS, Connection
from clearhouse.log.kafka.messages import delivered_position, produce
from clearhouse.log.log import LogError, Message, StaleProgress

_MILLISECONDS = 10_000
"""After which the cluster ends a transaction whose process was killed. Until then nobody else reads
on where it was, and readers of its topics see nothing later."""
_FENCED = {
    KafkaError._FENCED,
    KafkaError.PRODUCER_FENCED,
    KafkaError.INVALID_PRODUCER_EPOCH,
    KafkaError.INVALID_PRODUCER_ID_MAPPING,
}
_NO_LONGER_A_MEMBER = {
    KafkaError.ILLEGAL_GENERATION,
    KafkaError.UNKNOWN_MEMBER_ID,
    KafkaError.FENCED_INSTANCE_ID,
    KafkaError.REBALANCE_IN_PROGRESS,
}


class Unsettled(Exception):  # noqa: N818
    """A transaction whose end is not known here, or a producer that can't be used any more.

    Attributes:
        error: for the caller of the log.
    """

    def __init__(self, error: LogError) -> None:
        super().__init__(error.message)
        self.error = error


class Writer:
    """A producer of transactions. The cluster lets one of an id write: the last that was made.

    Args:
        connection: of the cluster.
        transactional_id: on the server.
        topics: names on the server, by topic.
        tells_positions: whether `commit` returns where messages are, which costs a call each.

    Raises:
        LogError: the cluster does not answer.
    """

    def __init__(
        self,
        connection: Connection,
        transactional_id: str,
        topics: Mapping[str, str],
        *,
        tells_positions: bool,
    ) -> None:
        self._connection = connection
        self._topics = topics
        self._tells_positions = tells_positions
        settings = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": _MILLISECONDS,
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "delivery.report.only.error": not tells_positions,
        }
        try:
            self._producer = Producer(connection.producer_settings(settings))
            self._producer.init_transactions(SECONDS)
        except KafkaException as error:
            raise connection.told(error) from None

    def commit(
        self, messages: Sequence[Message], offsets: Sequence[TopicPartition], group: Any
    ) -> list[int]:
        """Append messages and commit offsets of a group: all of it or nothing.

        Args:
            messages: of declared topics.
            offsets: that the group has come to.
            group: metadata of a consumer in it.

        Returns:
            The position of each message, if they are told.

        Raises:
            StaleProgress: another process writes in our place, or has the partitions now. Nothing
                has happened.
            LogError: nothing has happened.
            Unsettled: it may have been committed; this writer is not to be used again.
        """
        producer, told = self._producer, self._tells_positions
        positions = [-1] * len(messages) if told else []
        try:
            producer.begin_transaction()
            for at, message in enumerate(messages):
                note = partial(_note, positions, at) if told else None
                produce(producer, self._topics[message.topic], message, note)
            producer.send_offsets_to_transaction(list(offsets), group, SECONDS)
            producer.commit_transaction(2 * SECONDS)
        except KafkaException as error:
            raise self._aborted(error.args[0]) from None
        return positions

    def _aborted(self, error: KafkaError) -> LogError:
        """What to raise for a transaction that could not be committed, once it is aborted.

        Raises:
            Unsettled: it can't be.
        """
        told = self._told(error)
        if not error.txn_requires_abort():  # a time-out, after which some calls never return
            raise Unsettled(told)
        try:
            self._producer.abort_transaction(2 * SECONDS)
        except KafkaException as failed:
            # Kafka 4.3 gives an unknown error to a commit that comes while another process is just
            # taking our place; that it has taken it is said now.
            code = failed.args[0].code()
            raise Unsettled(self._told(failed.args[0]) if code in _FENCED else told) from None
        return told

    def _told(self, error: KafkaError) -> LogError:
        if error.code() in _FENCED:
            return StaleProgress("Another process goes on with what this one wrote.")
        if error.code() in _NO_LONGER_A_MEMBER:
            return StaleProgress("Partitions are being given to other processes of the consumer.")
        return self._connection.told(error)


def _note(positions: list[int], at: int, error: KafkaError | None, message: ck.Message) -> None:
    if error is None:  # else the transaction can't be committed
        positions[at] = delivered_position(message)
