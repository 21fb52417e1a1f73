"""Reading a topic in a consumer group, whose progress is committed with what follows from it."""

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

import structlog
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka import (
    Message as Delivery,
)

from clearhouse.log.kafka.admin import Admin
from clearhouse.log.kafka.asking import committed
from clearhouse.log.kafka.connection import Connection
from clearhouse.log.kafka.messages import check, place_of, records_of
from clearhouse.log.kafka.reader import aged_out
from clearhouse.log.kafka.transactions import Unsettled, Writer
from clearhouse.log.log import LogError, Message, Record, StaleProgress, partition_of

_WAIT_SECONDS = 0.05
"""For a first record, where there is none."""
_GONE_SECONDS = 10
"""Without a sign of life, after which a process's partitions are given to others."""
_log = structlog.get_logger()


class KafkaSubscription:
    """See `Subscription`. Partitions come and go only within `read`.

    A transaction is written by a thread of its own. It was begun with the generation of the group
    that its records were read in: the cluster refuses it once they are given to another process,
    and has that one wait while it is not ended. So partitions may go while it is under way.

    Args:
        connection: of the cluster.
        admin: of the same.
        consumer: as its callers name it.
        topic: the same.
        topics: names on the server, by topic.
    """

    def __init__(
        self,
        connection: Connection,
        admin: Admin,
        consumer: str,
        topic: str,
        topics: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._admin = admin
        self._group = connection.names.of(consumer)
        self._topic = topic
        self._name = topics[topic]
        self._topics = topics
        # An id of its own: which process may commit is said by the generation of the group.
        self._id = f"{self._group}.{uuid.uuid4().hex}"
        self._consumer: Consumer | None = None
        self._writer: Writer | None = None
        self._mine: set[int] = set()
        self._given: list[Record] = []
        """What was read, and no commit of it was begun."""
        self._ending: list[Record] = []
        """What is given again if the commit that is under way fails."""
        self._writes = ThreadPoolExecutor(1, thread_name_prefix=self._group)
        self._under_way: Future[None] | None = None
        self._member: object = None
        """The group's generation that the given records were read in; None: no member of it."""
        self._is_in_doubt = False
        """Whether an empty answer may mean that the cluster is down."""

    def read(self, limit: int) -> Sequence[Record]:
        """See `Subscription.read`."""
        try:
            self._read(limit)
        except KafkaException as error:
            self._leave()
            raise self._connection.told(error) from None
        except LogError:
            self._leave()  # what was read with the error is to be given all the same
            raise
        if not self._given and self._is_in_doubt:
            self._admin.topics([self._name])
            self._is_in_doubt = False
        return tuple(self._given[:limit])

    def commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """See `Subscription.commit`."""
        self.begin_commit(handled, messages)
        self.end_commit()

    def begin_commit(self, handled: Sequence[Record], messages: Sequence[Message]) -> None:
        """See `Subscription.begin_commit`."""
        check(messages, self._topics)
        reached = dict(place_of(each.position) for each in handled)
        if self._member is None or not self._mine.issuperset(reached):
            raise StaleProgress("Other processes of the consumer have these partitions now.")
        offsets = [TopicPartition(self._name, at, last + 1) for at, last in reached.items()]
        count = len(handled)
        self._ending, self._given = self._given[:count], self._given[count:]
        self._under_way = self._writes.submit(self._write, messages, offsets, self._member)

    def end_commit(self) -> None:
        """See `Subscription.end_commit`."""
        if self._under_way is None:
            return
        try:
            self._under_way.result()
        except Unsettled as unsettled:
            self._leave()  # what the cluster has of it is seen when it is joined again
            raise unsettled.error from None
        except Exception:
            self._given = self._ending + self._given
            raise
        finally:
            self._under_way, self._ending = None, []

    def close(self) -> None:
        """See `Subscription.close`."""
        self._leave()
        self._writes.shutdown(cancel_futures=True)  # a writer is not made for nobody

    def _read(self, limit: int) -> None:
        consumer = self._consumer or self._join()
        if len(self._given) >= 2 * limit:
            self._rewind(consumer)
        # At least one is asked for: it is how partitions come and go, and how the group sees that
        # this process lives while what it was given can't be committed.
        deliveries = self._take(consumer, max(1, limit - len(self._given)))
        mine = [each for each in deliveries if each.partition() in self._mine]
        self._given += records_of(self._topic, mine)
        self._note_member(consumer)

    def _join(self) -> Consumer:
        settings = {
            "group.id": self._group,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.wait.max.ms": 200,  # of an empty answer, for which a partition that came waits
            "session.timeout.ms": _GONE_SECONDS * 1000,
            "error_cb": self._doubt,
        }
        self._consumer = Consumer(self._connection.consumer_settings(settings))
        self._consumer.subscribe([self._name], self._assigned, self._revoked, self._revoked)
        # A writer takes up to half a second to start. If that fails, the first commit tries again.
        self._writes.submit(self._usable_writer)
        return self._consumer

    def _leave(self) -> None:
        if self._under_way is not None:
            wait([self._under_way])  # how it ended is told by `end_commit`
        consumer, self._consumer, self._writer = self._consumer, None, None
        self._mine.clear()
        self._given, self._ending = [], []
        self._member = None
        if consumer is not None:
            consumer.close()

    def _write(
        self, messages: Sequence[Message], offsets: Sequence[TopicPartition], member: object
    ) -> None:
        """Write a transaction. It is the only one of this subscription until it is ended."""
        self._usable_writer().commit(messages, offsets, member)

    def _usable_writer(self) -> Writer:
        """Called in the thread that writes."""
        if self._writer is None:
            self._writer = Writer(self._connection, self._id, self._topics, tells_positions=False)
        return self._writer

    def _take(self, consumer: Consumer, most: int) -> list[Delivery]:
        """What has come, up to a number, once partitions that come and go are taken note of."""
        first = consumer.poll(0 if self._given else _WAIT_SECONDS)
        if first is None:
            return []
        found = [first, *(consumer.consume(most - 1, 0) if most > 1 else ())]
        for each in found:
            error = each.error()
            if error is not None:
                self._see_to(consumer, error, each.partition())
        return [each for each in found if each.error() is None]

    def _see_to(self, consumer: Consumer, error: KafkaError, partition: int | None) -> None:
        """Go on after an error, if there is a way."""
        if error.code() == KafkaError._MAX_POLL_EXCEEDED:
            return  # the partitions are lost, which was told; the group is joined again by itself
        if error.code() != KafkaError._AUTO_OFFSET_RESET or partition is None:
            raise self._connection.told(error)
        found = committed(self._connection, consumer, self._name, partition)
        if found is not None:
            raise aged_out(self._name, partition, found.offset)
        consumer.incremental_unassign([TopicPartition(self._name, partition)])
        consumer.incremental_assign([TopicPartition(self._name, partition, OFFSET_BEGINNING)])

    def _rewind(self, consumer: Consumer) -> None:
        """Have what was given and not committed be read again, so that no more is kept of it."""
        first = dict(place_of(each.position) for each in reversed(self._given))
        self._given.clear()
        for partition, offset in first.items():
            consumer.seek(TopicPartition(self._name, partition, offset))

    def _note_member(self, consumer: Consumer) -> None:
        """Keep as what this process may commit.

        A process that is cast out of its group has neither a member's id nor a generation, and the
        cluster takes offsets of one who has none without a question.
        """
        member = consumer.consumer_group_metadata()
        self._member = member if consumer.memberid() else None

    def _assigned(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._mine |= {each.partition for each in partitions}
        _log.debug("partitions_assigned", group=self._group, now=sorted(self._mine))

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._mine -= {each.partition for each in partitions}
        # If they come back, it is from where they are committed: nothing is kept of them.
        self._given, self._ending = map(self._of_mine, (self._given, self._ending))
        _log.debug("partitions_revoked", group=self._group, now=sorted(self._mine))

    def _of_mine(self, records: Sequence[Record]) -> list[Record]:
        return [each for each in records if partition_of(each.position) in self._mine]

    def _doubt(self, error: KafkaError) -> None:
        self._connection.note(error)
        self._is_in_doubt = True
