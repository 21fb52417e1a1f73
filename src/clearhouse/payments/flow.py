"""How far payments have come on their way, as the log and the operational store say.

Nothing here is counted on the way: every figure is a position or a count of rows, so that it is
right after any crash too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from clearhouse.log.log import Log
from clearhouse.payments import topics
from clearhouse.payments.store import tables


@dataclass(frozen=True, slots=True)
class Flow:
    """Webhooks and what became of them, since the log and the store were made.

    Attributes:
        accepted: webhooks that the gateway has answered with success, by notification.
        normalized: events made of them.
        unmapped: those of which no fact follows.
        dead_letters: by stage, those of which nothing could be made; later redrives included.
        recorded: events in the store.
        normalizer_lag: webhooks that the normalizer has still to read.
        worker_lag: events that the worker has still to read, redriven ones among them.
        to_publish: rows of the outbox that are not in the log yet.
    """

    accepted: int
    normalized: int
    unmapped: int
    dead_letters: Mapping[str, int]
    recorded: int
    normalizer_lag: int
    worker_lag: int
    to_publish: int

    @property
    def is_settled(self) -> bool:
        """Whether everything that was accepted has come to its end."""
        return not (self.normalizer_lag or self.worker_lag or self.to_publish)


def measure(log: Log, store: sa.Engine) -> Flow:
    """The flow as it is now. What moves meanwhile can be in one figure and not yet in another."""
    with store.connect() as connection:
        progress = tables.consumer_progress.c
        found = connection.execute(
            sa.select(progress.topic, progress.position).where(progress.consumer == "worker")
        )
        read_to: dict[str, int] = dict(found.tuples().all())
        # After the worker's progress: what it had done by then has its rows here, or published.
        to_publish = _count(connection, tables.outbox)
        recorded = _count(connection, tables.payment_event)
    normalizer = log.progress("normalizer", topics.WEBHOOKS.name)
    accepted = log.end(topics.WEBHOOKS.name)
    ends = {topic.name: log.end(topic.name) for topic in (topics.EVENTS, topics.REDRIVEN)}
    return Flow(
        accepted=accepted,
        normalized=ends[topics.EVENTS.name],
        unmapped=log.end(topics.UNMAPPED.name),
        dead_letters={stage: log.end(topic.name) for stage, topic in topics.DEAD_LETTERS.items()},
        recorded=recorded,
        normalizer_lag=accepted - normalizer,
        worker_lag=sum(end - read_to.get(topic, 0) for topic, end in ends.items()),
        to_publish=to_publish,
    )


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
