"""Reading many records of a topic, over all of its partitions."""

from collections.abc import Iterator

from clearhouse.log.log import Log, Record, partition_of

_AT_ONCE = 5_000


def records(log: Log, topic: str, position: int, end: int | None = None) -> Iterator[Record]:
    """The records of a partition from a position on, in order.

    Args:
        log: holds them.
        topic: of which.
        position: where reading begins; it says which partition.
        end: where it ends; None: where the partition ends now. Later records are not waited for.

    Raises:
        LogError: they can't be read, or were aged out (aged_out).
    """
    until = log.end(topic, partition_of(position)) if end is None else end
    while position < until:
        found = log.read(topic, position, _AT_ONCE)
        yield from (record for record in found if record.position < until)
        if not found:
            return
        position = found[-1].position + 1


def scan(log: Log, topic: str) -> Iterator[Record]:
    """Every record that a topic has now, one partition after the other."""
    for partition in range(log.partitions(topic)):
        yield from records(log, topic, log.first(topic, partition))
