"""Of which days a cluster's records were deleted.

A cluster knows nothing of a record that it has deleted. So before this log deletes records of a
partition, it notes the day of the last of them: as metadata of the offset up to which they go,
committed for a group that nobody joins.
"""

import datetime as dt
import threading
from bisect import bisect_left

from confluent_kafka import Consumer, TopicPartition

from clearhouse.log.kafka.admin import Admin
from clearhouse.log.kafka.asking import answer, committed
from clearhouse.log.kafka.connection import Connection
from clearhouse.log.kafka.messages import records_of
from clearhouse.log.kafka.moments import milliseconds_of_day
from clearhouse.log.kafka.reader import Reader

GROUP = "forgotten"
_FIRST = dt.date(1970, 1, 1)


class Forgotten:
    """Notes days, and knows them again. Threads share one object.

    Args:
        connection: of the cluster.
        admin: asks it for bounds.
        reader: reads what is the oldest now.
    """

    def __init__(self, connection: Connection, admin: Admin, reader: Reader) -> None:
        self._connection = connection
        self._admin = admin
        self._reader = reader
        self._client: Consumer | None = None
        self._one_at_a_time = threading.Lock()

    def note(self, name: str, partition: int, limit: int) -> None:
        """Note of which day the last record before an offset is, before those are deleted.

        Raises:
            LogError: it can't be noted.
        """
        day = self._last_day(name, partition, limit)
        noted = TopicPartition(name, partition, limit, metadata=day.isoformat() if day else "")
        with self._one_at_a_time:
            client = self._opened()
            answer(
                self._connection,
                client,
                lambda: client.commit(offsets=[noted], asynchronous=False),
            )

    def through(self, name: str, partition: int) -> dt.date | None:
        """See `Log.forgotten_through`.

        Where more was deleted than was noted, the records that are left are later ones.

        Raises:
            LogError: the cluster does not answer.
        """
        first, end = self._admin.bounds(name, partition)
        if first == 0:
            return None
        with self._one_at_a_time:
            noted = committed(self._connection, self._opened(), name, partition)
        if noted is not None and noted.offset >= first:
            return dt.date.fromisoformat(noted.metadata) if noted.metadata else None
        oldest = records_of(name, self._reader.read(name, partition, first, end, 1))
        return oldest[0].appended_at.date() if oldest else dt.date.max

    def close(self) -> None:
        """Close the client."""
        with self._one_at_a_time:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _opened(self) -> Consumer:
        if self._client is None:
            settings = {"group.id": self._connection.names.of(GROUP)}
            self._client = Consumer(self._connection.consumer_settings(settings))
        return self._client

    def _last_day(self, name: str, partition: int, limit: int) -> dt.date | None:
        """The day of the last record before an offset; None: there are only marks."""

        def is_behind(days: int) -> bool:
            at = milliseconds_of_day(_FIRST + dt.timedelta(days=days))
            found = self._admin.offset_at(name, partition, at)
            return found is None or found >= limit

        tomorrow = (dt.datetime.now(dt.UTC).date() - _FIRST).days + 1
        after = bisect_left(range(tomorrow + 1), True, key=is_behind)
        return _FIRST + dt.timedelta(days=after - 1) if after else None
