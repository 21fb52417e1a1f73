"""How far a consumer is behind: what waits for it, and since when the oldest of it does."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from clearhouse.log.log import Log
from clearhouse.log.reach import progress_of


@dataclass(frozen=True, slots=True)
class Lag:
    """What waits in one partition.

    Attributes:
        waiting: records that the consumer has still to read.
        oldest_at: when the log took the first of them; None where none waits, or none can be read
            yet (see `Log.settle`).
    """

    topic: str
    partition: int
    waiting: int
    oldest_at: dt.datetime | None

    def age_seconds(self, now: dt.datetime) -> float:
        """For how long the oldest has been waiting; 0 where none does."""
        return max(0.0, (now - self.oldest_at).total_seconds()) if self.oldest_at else 0.0


def lag_of(log: Log, topic: str, read_to: Callable[[int], int]) -> list[Lag]:
    """What waits in each partition of a topic.

    Args:
        log: not the object that the consumer moves its progress with: who asks beside it would
            hide from it that another process has come further.
        topic: that is read.
        read_to: the position at which the consumer reads on, by partition.

    Raises:
        LogError: the log can't be read.
    """
    found = []
    for partition in range(log.partitions(topic)):
        position = read_to(partition)
        waiting = log.waiting(topic, position)
        first = log.read(topic, position, 1) if waiting else ()
        oldest = first[0].appended_at if first else None
        found.append(Lag(topic, partition, waiting, oldest))
    return found


def kept_lag(log: Log, consumer: str, topic: str) -> list[Lag]:
    """The same of a consumer whose progress is in the log. See `lag_of`."""
    return lag_of(log, topic, progress_of(log, consumer, topic).of)
