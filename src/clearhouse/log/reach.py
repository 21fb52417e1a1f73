"""How far a consumer has come with a topic, over all of its partitions."""

from collections.abc import Sequence

from clearhouse.log.log import PARTITION_SPAN, Log, Reached


def progress_of(log: Log, consumer: str, topic: str, made: Sequence[str] = ()) -> Reached:
    """Where a consumer whose progress is in the log reads on.

    Args:
        log: holds the progress.
        consumer: whose.
        topic: that it reads.
        made: topics in which what it appended up to there can be read when this returns.

    Raises:
        LogError: the log can't be read, or not in time (log_unsettled).
    """
    reached = Reached(log.progress(consumer, topic, p) for p in range(log.partitions(topic)))
    log.settle(made)
    return reached


def waiting_of(log: Log, topic: str, reached: Reached) -> int:
    """How many records are behind a place: none, or at most so many."""
    return sum(log.waiting(topic, reached.of(p)) for p in range(log.partitions(topic)))


def positions_used(log: Log, topic: str) -> int:
    """How many records a topic has ever taken, at most: on a server, gaps between them count."""
    return sum(log.end(topic, p) - p * PARTITION_SPAN for p in range(log.partitions(topic)))
