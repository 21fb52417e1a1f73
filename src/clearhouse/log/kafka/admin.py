"""What is asked of a cluster beside reading and appending: its topics, their bounds, deletion."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from confluent_kafka import (
    OFFSET_INVALID,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicDescription

from clearhouse.log.kafka.asking import answer
from clearhouse.log.kafka.connection import SECONDS, Connection

T = TypeVar("T")
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Admin:
    """Asks a cluster. Threads share one object; each method raises LogError where it can't."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        try:
            self.client = AdminClient(connection.settings({}))
        except KafkaException as error:
            raise connection.told(error) from None

    def topics(self, names: Sequence[str]) -> dict[str, TopicDescription | None]:
        """What topics are; None of those that are not there."""
        asked = self.client.describe_topics(TopicCollection(list(names)), request_timeout=SECONDS)
        return {name: self._known(future) for name, future in asked.items()}

    def cluster_id(self) -> str:
        """Given to the cluster when it was made."""
        asked = self.client.describe_cluster
        return str(self.answer(lambda: asked(request_timeout=SECONDS)).cluster_id)

    def bounds(self, name: str, partition: int) -> tuple[int, int]:
        """First offset that is kept of a partition, and that after its last committed record."""
        first = self._offset(name, partition, _EARLIEST)
        return first, self._offset(name, partition, _LATEST)

    def written(self, name: str, partition: int) -> int:
        """Offset after a partition's last record, be its transaction open or at an end."""
        return self._offset(name, partition, _LATEST, IsolationLevel.READ_UNCOMMITTED)

    def offset_at(self, name: str, partition: int, milliseconds: int) -> int | None:
        """Offset of the first record of a time or a later one; None: there is none yet."""
        found = self._offset(name, partition, OffsetSpec.for_timestamp(milliseconds))
        return None if found < 0 else found

    def delete_before(self, name: str, partition: int, offset: int) -> None:
        """Delete the records of a partition before an offset."""
        limit = TopicPartition(name, partition, offset)
        self.answer(lambda: self.client.delete_records([limit], request_timeout=SECONDS)[limit])

    def answer(self, ask: "Callable[[], Future[T]]") -> T:
        """What is answered.

        Args:
            ask: asks, once more for each time that it is called.

        Raises:
            LogError: it can't be had.
        """
        return answer(self._connection, self.client, lambda: ask().result())

    def result(self, future: "Future[T]") -> T:
        """What was asked for already; raises as `answer` does."""
        try:
            return future.result()
        except KafkaException as error:
            raise self._connection.told(error) from None

    def _offset(
        self,
        name: str,
        partition: int,
        spec: OffsetSpec,
        isolation: IsolationLevel = IsolationLevel.READ_COMMITTED,
    ) -> int:
        place = TopicPartition(name, partition)

        def ask() -> int:
            asked = self.client.list_offsets(
                {place: spec},
                isolation_level=isolation,
                request_timeout=SECONDS,
            )
            offset = int(asked[place].result().offset)
            if offset == OFFSET_INVALID:  # which librdkafka 2.16 gives when its time is over
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            return offset

        return answer(self._connection, self.client, ask)

    def _known(self, future: "Future[TopicDescription]") -> TopicDescription | None:
        try:
            return future.result()
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                return None
            self.client.poll(0)
            raise self._connection.told(error) from None
