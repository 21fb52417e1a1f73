"""A log on Kafka. Each topic of it is a topic there, with the log's prefix before its name.

Messages are durable when all replicas that are in sync have them (acks=all). How many that are, and
whether they are on disks, is the cluster's affair.
"""

import datetime as dt
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from weakref import WeakSet

import confluent_kafka as ck
from confluent_kafka import KafkaException, Producer

from clearhouse.log.kafka.admin import Admin
from clearhouse.log.kafka.appender import KafkaAppender
from clearhouse.log.kafka.asking import TRANSACTION_SECONDS
from clearhouse.log.kafka.connection import Connection
from clearhouse.log.kafka.forgotten import Forgotten
from clearhouse.log.kafka.kept_progress import KeptProgress
from clearhouse.log.kafka.messages import (
    call_back,
    check,
    delivered_position,
    name_of,
    place_of,
    position_of,
    produce,
    records_of,
)
from clearhouse.log.kafka.moments import milliseconds_of, milliseconds_of_day
from clearhouse.log.kafka.reader import Reader, aged_out
from clearhouse.log.kafka.subscription import KafkaSubscription
from clearhouse.log.log import LogError, Message, Progress, Record
from clearhouse.log.places import LogPlace, Topic

_ONE_DAY = dt.timedelta(days=1)
_PAUSE_SECONDS = 0.02


class KafkaLog:
    """See `Log`. Threads share one object.

    Args:
        place: of the cluster.
        topics: every topic that can be named.

    Raises:
        SettingsError: the place can't be used.
        LogError: the cluster does not answer, or lacks a topic (log_not_prepared).
    """

    def __init__(self, place: LogPlace, topics: Iterable[Topic]) -> None:
        declared = tuple(topics)
        self._connection = Connection(place)
        names = self._connection.names
        self._names = {each.name: names.of(each.name) for each in declared if not each.is_source}
        self._sources = {
            each.name: names.of_source(each.name) for each in declared if each.is_source
        }
        self._admin = Admin(self._connection)
        self._partitions = self._found()
        self._reader = Reader(self._connection)
        self._forgotten = Forgotten(self._connection, self._admin, self._reader)
        self._aged_out_here = {
            self._names[each.name] for each in declared if not each.is_source and each.days is None
        }
        self._producer: Producer | None = None
        self._one_at_a_time = threading.Lock()
        self._kept: dict[str, KeptProgress] = {}
        self._subscriptions: WeakSet[KafkaSubscription] = WeakSet()

    @property
    def identity(self) -> str:
        """See `Log.identity`: of the cluster, and of the first topic, which dies with it."""
        first = next(iter(self._names.values()))
        topic = self._admin.topics([first])[first]
        if topic is None:
            raise self._lacks([first])
        return f"{self._admin.cluster_id()}:{topic.topic_id}"

    def append(
        self, messages: Sequence[Message], progress: Progress | None = None
    ) -> Sequence[int]:
        """See `Log.append`."""
        check(messages, self._names)
        if progress is not None:
            return self._kept_of(progress.consumer, progress.topic).append(messages, progress)
        return self._append(messages) if messages else ()

    def appender(self) -> KafkaAppender:
        """See `Log.appender`."""
        return KafkaAppender(self._connection, self._names)

    def subscribe(self, consumer: str, topic: str) -> KafkaSubscription:
        """See `Log.subscribe`."""
        self._name(topic)
        made = KafkaSubscription(self._connection, self._admin, consumer, topic, self._names)
        self._subscriptions.add(made)
        return made

    def partitions(self, topic: str) -> int:
        """See `Log.partitions`."""
        return self._partitions[self._name(topic)]

    def read(self, topic: str, position: int, limit: int = 500) -> Sequence[Record]:
        """See `Log.read`. It gives fewer than there are where they are large, and at least one."""
        name = self._name(topic)
        partition, offset = place_of(position)
        first, end = self._admin.bounds(name, partition)
        if offset < first:
            raise aged_out(name, partition, offset)
        if offset > end:
            raise LogError(
                f"Kafka's topic {name} ends at {end} of partition {partition}, and {offset} is "
                "asked for: it is not the log that was read before.",
                "another_log",
            )
        return records_of(topic, self._reader.read(name, partition, offset, end, limit))

    def progress(self, consumer: str, topic: str, partition: int = 0) -> int:
        """See `Log.progress`: what the consumer's group has committed."""
        return self._kept_of(consumer, topic).ask(topic, partition)

    def first(self, topic: str, partition: int = 0) -> int:
        """See `Log.first`."""
        return position_of(partition, self._admin.bounds(self._name(topic), partition)[0])

    def end(self, topic: str, partition: int = 0) -> int:
        """See `Log.end`: what open transactions have written is beyond it."""
        return position_of(partition, self._admin.bounds(self._name(topic), partition)[1])

    def waiting(self, topic: str, position: int) -> int:
        """See `Log.waiting`. Marks of transactions are counted with records, but never alone."""
        name = self._name(topic)
        partition, offset = place_of(position)
        first, end = self._admin.bounds(name, partition)
        offset = max(offset, first)
        hidden = self._admin.written(name, partition) - max(offset, end)
        if offset < end and self._reader.read(name, partition, offset, end, 1):
            return end - offset + max(hidden, 0)
        return max(hidden, 0)

    def settle(self, topics: Iterable[str]) -> None:
        """See `Log.settle`: the cluster ends transactions of killed processes by itself."""
        places = [(self._name(t), p) for t in topics for p in range(self.partitions(t))]
        written = {place: self._admin.written(*place) for place in places}
        give_up_at = time.monotonic() + TRANSACTION_SECONDS
        for (name, partition), end in written.items():
            while self._admin.bounds(name, partition)[1] < end:
                if time.monotonic() > give_up_at:
                    raise LogError(
                        f"Kafka's topic {name} has had an open transaction for more than "
                        f"{TRANSACTION_SECONDS:g} s: what is behind it can't be read. Try again "
                        "later.",
                        "log_unsettled",
                    )
                time.sleep(_PAUSE_SECONDS)

    def positions_of(self, topic: str, day: dt.date, partition: int = 0) -> tuple[int, int]:
        """See `Log.positions_of`. Of what is aged out nothing is known."""
        name = self._name(topic)
        end = self._admin.bounds(name, partition)[1]
        first, after = (
            self._position_at(name, partition, milliseconds_of_day(at), end)
            for at in (day, day + _ONE_DAY)
        )
        return first, after

    def position_at(self, topic: str, moment: dt.datetime, partition: int = 0) -> int:
        """See `Log.position_at`. Records have their times in milliseconds."""
        name = self._name(topic)
        end = self._admin.bounds(name, partition)[1]
        return self._position_at(name, partition, milliseconds_of(moment), end)

    def forgotten_through(self, topic: str, partition: int = 0) -> dt.date | None:
        """See `Log.forgotten_through`. It is exact where nobody else deletes records."""
        return self._forgotten.through(self._name(topic), partition)

    def age_out(self, limits: Mapping[str, Iterable[int]]) -> int:
        """See `Log.age_out`. Marks of transactions are counted too."""
        return sum(
            self._forget(self._name(topic), *place_of(limit))
            for topic, positions in limits.items()
            for limit in positions
        )

    def close(self) -> None:
        """See `Log.close`. It closes what has subscribed, too."""
        self._reader.close()
        self._forgotten.close()
        for subscription in self._subscriptions:
            subscription.close()
        with self._one_at_a_time:
            self._producer = None
            for kept in self._kept.values():
                kept.close()
            self._kept.clear()

    def _found(self) -> dict[str, int]:
        """Partitions of each topic, by its name on the server."""
        found = self._admin.topics([*self._names.values(), *self._sources.values()])
        if lacking := [name for name, topic in found.items() if topic is None]:
            raise self._lacks(lacking)
        return {name: len(topic.partitions) for name, topic in found.items() if topic is not None}

    def _lacks(self, names: Sequence[str]) -> LogError:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return LogError(
            f"Kafka at {self._connection.servers} has no topic {names[0]}{more}: run `clearhouse "
            "payments prepare`.",
            "log_not_prepared",
        )

    def _name(self, topic: str) -> str:
        return name_of(topic, self._names)

    def _kept_of(self, consumer: str, topic: str) -> KeptProgress:
        if topic not in self._sources:
            self._name(topic)
        if consumer not in self._kept:
            both = {**self._names, **self._sources}
            with self._one_at_a_time:
                if consumer not in self._kept:
                    self._kept[consumer] = KeptProgress(self._connection, consumer, both)
        return self._kept[consumer]

    def _append(self, messages: Sequence[Message]) -> list[int]:
        positions = [-1] * len(messages)
        errors: list[ck.KafkaError] = []

        def note(at: int, error: ck.KafkaError | None, delivery: ck.Message) -> None:
            if error is None:
                positions[at] = delivered_position(delivery)
            else:
                errors.append(error)

        with self._one_at_a_time:
            try:
                if self._producer is None:
                    self._producer = Producer(self._connection.producer_settings({}))
                for at, message in enumerate(messages):
                    produce(self._producer, self._names[message.topic], message, partial(note, at))
                call_back(self._producer.flush)
            except KafkaException as error:
                errors.insert(0, error.args[0])
            if errors:
                self._producer = None  # its state is not known
                raise self._connection.told(errors[0])
        return positions

    def _position_at(self, name: str, partition: int, milliseconds: int, end: int) -> int:
        found = self._admin.offset_at(name, partition, milliseconds)
        return position_of(partition, end if found is None else min(found, end))

    def _forget(self, name: str, partition: int, limit: int) -> int:
        first, end = self._admin.bounds(name, partition)
        limit = min(limit, end)
        if limit <= first:
            return 0
        if name in self._aged_out_here:  # of the others the server deletes by itself
            self._forgotten.note(name, partition, limit)
        self._admin.delete_before(name, partition, limit)
        return limit - first
