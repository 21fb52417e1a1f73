"""What is asked of a cluster beside reading and appending: bounds, offsets of groups, deletion."""

import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import (
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec, TopicDescription

from clearhouse.log.kafka.connection import SECONDS, Connection
from clearhouse.log.log import LogError

T = TypeVar("T")
_EARLIEST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_LATEST: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]
_PAUSE_SECONDS = 0.01


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
        return str(self.wait(self.client.describe_cluster(request_timeout=SECONDS)).cluster_id)

    def bounds(self, name: str, partition: int) -> tuple[int, int]:
        """First offset that is kept of a partition, and that after its last committed record."""
        first = self._offset(name, partition, _EARLIEST)
        end = self._offset(name, partition, _LATEST)
        return self.wait(first).offset, self.wait(end).offset

    def offset_at(self, name: str, partition: int, milliseconds: int) -> int | None:
        """Offset of the first record of a time or a later one; None: there is none yet."""
        spec = OffsetSpec.for_timestamp(milliseconds)
        found = int(self.wait(self._offset(name, partition, spec)).offset)
        return None if found < 0 else found

    def committed(self, group: str, name: str, partition: int) -> int | None:
        """Offset that a group has committed; None: it has not begun.

        It waits until transactions that commit another one have ended.
        """
        give_up_at = time.monotonic() + 2 * SECONDS  # one of a killed process ends by time-out
        wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(name, partition)])
        while True:
            asked = self.client.list_consumer_group_offsets(
                [wanted], require_stable=True, request_timeout=SECONDS
            )
            (found,) = self.wait(asked[group]).topic_partitions
            if found.error is None:
                return None if found.offset < 0 else int(found.offset)
            is_open = found.error.code() == KafkaError.UNSTABLE_OFFSET_COMMIT
            if not is_open or time.monotonic() > give_up_at:
                raise self._connection.told(found.error)
            time.sleep(_PAUSE_SECONDS)

    def delete_before(self, name: str, partition: int, offset: int) -> None:
        """Delete the records of a partition before an offset."""
        limit = TopicPartition(name, partition, offset)
        (deleted,) = self.client.delete_records([limit], request_timeout=SECONDS).values()
        self.wait(deleted)

    def wait(self, future: "Future[T]") -> T:
        """The answer.

        Raises:
            LogError: there is none.
        """
        try:
            return future.result()
        except KafkaException as error:
            raise self._connection.told(error) from None

    def _offset(self, name: str, partition: int, spec: OffsetSpec) -> "Future[Any]":
        (asked,) = self.client.list_offsets(
            {TopicPartition(name, partition): spec},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=SECONDS,
        ).values()
        return asked

    def _known(self, future: "Future[TopicDescription]") -> TopicDescription | None:
        try:
            return self.wait(future)
        except LogError as error:
            if error.code != "log_not_prepared":
                raise
            return None
