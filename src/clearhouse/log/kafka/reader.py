"""Reading a partition from an offset on, without a consumer group."""

import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from clearhouse.log.kafka.connection import SECONDS, Connection
from clearhouse.log.log import LogError

GROUP = "reader"
"""Never joined. A client has to name a group, which its user has to be allowed to see."""
_MOST_BYTES_READ = 32 << 20
_WAIT_SECONDS = 0.2


class Reader:
    """One client, which threads take turns with. It goes on where it was, if that is asked for."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._one_at_a_time = threading.Lock()
        self._consumer: Consumer | None = None
        self._known: set[str] = set()
        self._next: tuple[str, int, int] | None = None
        """Topic, partition and offset that the client gives next."""

    def read(self, name: str, partition: int, offset: int, end: int, limit: int) -> list[Message]:
        """Records from an offset on up to one that is known to be the end, or so many.

        It gives less where they are large, and at least one.

        Raises:
            LogError: the cluster does not give them; or an offset is not there any more (aged_out).
        """
        with self._one_at_a_time:
            try:
                return self._read(name, partition, offset, end, limit)
            except KafkaException as error:
                raise self._connection.told(error) from None
            finally:
                if self._next is None and self._consumer is not None:
                    self._consumer.unassign()  # or it would go on fetching what nobody wants

    def close(self) -> None:
        """Close the client."""
        with self._one_at_a_time:
            if self._consumer is not None:
                self._consumer.close()
            self._consumer = None
            self._next = None

    def _read(self, name: str, partition: int, offset: int, end: int, limit: int) -> list[Message]:
        consumer = self._at(name, partition, offset)
        self._next = None
        found: list[Message] = []
        size, give_up_at = 0, time.monotonic() + SECONDS
        while offset < end and len(found) < limit and size < _MOST_BYTES_READ:
            first = consumer.poll(_WAIT_SECONDS)
            if first is None:
                if time.monotonic() > give_up_at:
                    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
                continue
            for message in (first, *consumer.consume(limit - len(found) - 1, 0)):
                error = message.error()
                if error is None:
                    if size >= _MOST_BYTES_READ:
                        return found  # the rest is fetched again
                    found.append(message)
                    size += len(message)
                    offset = int(message.offset() or 0) + 1
                elif error.code() == KafkaError._PARTITION_EOF:
                    return found
                else:
                    raise self._told(error, name, partition, offset)
        if limit > 1 and offset < end:
            self._next = (name, partition, offset)
        return found

    def _at(self, name: str, partition: int, offset: int) -> Consumer:
        if self._consumer is None:
            settings = {
                "group.id": self._connection.names.of(GROUP),
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,  # of an empty answer, by which the end is seen
            }
            self._consumer = Consumer(self._connection.consumer_settings(settings))
        if name not in self._known:
            self._consumer.list_topics(name, SECONDS)  # or it would look for it only once a second
            self._known.add(name)
        if self._next != (name, partition, offset):
            self._consumer.assign([TopicPartition(name, partition, offset)])
        return self._consumer

    def _told(self, error: KafkaError, name: str, partition: int, offset: int) -> LogError:
        if error.code() == KafkaError._AUTO_OFFSET_RESET:
            return aged_out(name, partition, offset)
        return self._connection.told(error)


def aged_out(name: str, partition: int, offset: int) -> LogError:
    """What is asked for has been deleted."""
    return LogError(
        f"The records of {name} at {offset} of partition {partition} have been aged out.",
        "aged_out",
    )
