"""Progress of a consumer that one process moves, and no group shares the partitions of."""

import threading
from collections.abc import Mapping, Sequence

from confluent_kafka import Consumer, TopicPartition

from clearhouse.log.kafka.asking import committed, first
from clearhouse.log.kafka.connection import Connection
from clearhouse.log.kafka.messages import place_of, position_of
from clearhouse.log.kafka.transactions import Unsettled, Writer
from clearhouse.log.log import Message, Progress, StaleProgress


class KeptProgress:
    """A consumer's progress, as one object knows it. What another has moved since is stale.

    The first append of an object fences those of all others: they are told that they are stale.

    Args:
        connection: of the cluster.
        consumer: as its callers name it.
        topics: names on the server, by topic, with those of sources.
    """

    def __init__(self, connection: Connection, consumer: str, topics: Mapping[str, str]) -> None:
        self._connection = connection
        self._consumer = consumer
        self._group = connection.names.of(consumer)
        self._topics = topics
        self._asked: dict[tuple[str, int], int] = {}
        """By topic and partition: what this object's caller knows."""
        self._stored: dict[tuple[str, int], int] = {}
        """The same: what the cluster has, which nobody but the writer can change."""
        self._writer: Writer | None = None
        # It never joins the group: it names it to the cluster and to the writer.
        self._client = Consumer(connection.consumer_settings({"group.id": self._group}))
        self._group_metadata = self._client.consumer_group_metadata()
        self._one_at_a_time = threading.Lock()

    def ask(self, topic: str, partition: int) -> int:
        """Where the consumer will read on."""
        with self._one_at_a_time:
            found = self._asked[topic, partition] = self._found(topic, partition)
            return found

    def append(self, messages: Sequence[Message], to: Progress) -> list[int]:
        """Append messages and move the progress: all of it or nothing.

        Returns:
            The position of each message.

        Raises:
            StaleProgress: another object has moved it meanwhile.
            LogError: it could not be done; whether it was done all the same is told by `ask`.
        """
        with self._one_at_a_time:
            partition, offset = place_of(to.position)
            writer = self._writer or self._new_writer()
            self._check(to, partition)
            offsets = [TopicPartition(self._topics[to.topic], partition, offset)]
            try:
                positions = writer.commit(messages, offsets, self._group_metadata)
            except Unsettled as unsettled:
                self._writer = None
                raise unsettled.error from None
            self._asked[to.topic, partition] = self._stored[to.topic, partition] = to.position
            return positions

    def close(self) -> None:
        """Close the clients."""
        with self._one_at_a_time:
            self._writer = None
            self._client.close()

    def _new_writer(self) -> Writer:
        """Fence who wrote before: from here on nobody else moves the progress unseen."""
        self._stored.clear()
        self._writer = Writer(self._connection, self._group, self._topics, tells_positions=True)
        return self._writer

    def _check(self, to: Progress, partition: int) -> None:
        place = (to.topic, partition)
        asked = self._asked.get(place, position_of(partition, 0))
        if self._stored.get(place) != asked:
            # Not known yet, or moved by another writer: where that fenced ours, the commit says so.
            self._stored[place] = self._found(*place)
        stored = self._stored[place]
        if stored != asked or to.position < stored:
            raise StaleProgress(
                f"Another process of {self._consumer} has come to {stored} of {to.topic}: its "
                "progress is to be asked for again."
            )

    def _found(self, topic: str, partition: int) -> int:
        asked = (self._connection, self._client, self._topics[topic], partition)
        found = committed(*asked)
        # None is known of a group that has not begun, and of one that a broker has forgotten: of a
        # topic that is old its beginning is not there any more.
        return position_of(partition, found.offset if found else first(*asked))
