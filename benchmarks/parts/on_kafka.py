"""A log of its own on the Kafka that `LOG_URL` names, for as long as it is measured."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from confluent_kafka.admin import AdminClient

from benchmarks.jobs import BenchmarkError
from clearhouse.log.log import PARTITION_SPAN, Log, Record
from clearhouse.log.places import LogPlace
from clearhouse.log.preparing import prepare_log
from clearhouse.payments.log_opening import declared_topics, open_payment_log

PARTITIONS = 4
_AT_ONCE = 10_000


@dataclass(frozen=True)
class KafkaLog:
    """A log whose topics are new.

    Attributes:
        servers: of Kafka, as its clients are told.
        prefix: before the names of all its topics.
    """

    log: Log
    place: LogPlace
    servers: str
    prefix: str

    def name(self, topic: str) -> str:
        """The name of a topic on the server."""
        return f"{self.prefix}.{topic}"

    def records(self, topic: str) -> Iterator[Record]:
        """All records of a topic, one partition after the other."""
        for partition in range(self.log.partitions(topic)):
            position = partition * PARTITION_SPAN
            while found := self.log.read(topic, position, _AT_ONCE):
                yield from found
                position = found[-1].position + 1


@contextmanager
def kafka_log(partitions: int = PARTITIONS) -> Iterator[KafkaLog]:
    """A new log, whose topics are removed at the end.

    Raises:
        BenchmarkError: no Kafka is named.
    """
    server = os.environ.get("LOG_URL", "")
    if not server.startswith("kafka://"):
        raise BenchmarkError("LOG_URL names no Kafka: run `make bench-stack`.")
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    servers = server.removeprefix("kafka://").partition("/")[0]
    place = LogPlace(f"kafka://{servers}/{prefix}", partitions=partitions)
    prepare_log(place, declared_topics())
    log = open_payment_log(place)
    try:
        yield KafkaLog(log, place, servers, prefix)
    finally:
        log.close()
        _remove(servers, prefix)


def _remove(servers: str, prefix: str) -> None:
    client = AdminClient({"bootstrap.servers": servers})
    names = [name for name in client.list_topics(timeout=10).topics if name.startswith(prefix)]
    for removed in client.delete_topics(names).values():
        removed.result()
