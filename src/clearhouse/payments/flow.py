"""How far payments have come on their way, as the log and the operational store say.

Nothing here is counted on the way: every figure is a position or a count of rows, so that it is
right after any crash too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from clearhouse.log.log import Log, Reached
from clearhouse.payments import topics
from clearhouse.payments.lag import Lag, lag_of
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
        read_to = _read_to(connection)
        # After the worker's progress: what it had done by then has its rows here, or published.
        waiting = _count(connection, tables.outbox)
        recorded = _count(connection, tables.payment_event)
    normalizer = log.progress("normalizer", topics.WEBHOOKS.name)
    accepted = log.end(topics.WEBHOOKS.name)
    return Flow(
        accepted=accepted,
        normalized=log.end(topics.EVENTS.name),
        unmapped=log.end(topics.UNMAPPED.name),
        dead_letters={stage: log.end(topic.name) for stage, topic in topics.DEAD_LETTERS.items()},
        recorded=recorded,
        normalizer_lag=accepted - normalizer,
        worker_lag=_beyond(log, read_to),
        to_publish=waiting,
    )


def worker_lags(log: Log, store: sa.Engine) -> list[Lag]:
    """What waits for the worker, by topic and partition."""
    with store.connect() as connection:
        read_to = _read_to(connection)
    names = (topics.EVENTS.name, topics.REDRIVEN.name)
    reached = {name: Reached([read_to.get(name, 0)]) for name in names}
    return [lag for name in names for lag in lag_of(log, name, reached[name].of)]


def outbox_now(store: sa.Engine) -> tuple[int, int]:
    """How many messages the outbox holds, and the number of the first; 0 where there is none."""
    number = tables.outbox.c.number
    with store.connect() as connection:
        found = connection.execute(sa.select(sa.func.count(), sa.func.min(number))).one()
    return found[0], found[1] or 0


def _read_to(connection: sa.Connection) -> Mapping[str, int]:
    """Where the worker reads on, by topic."""
    progress = tables.consumer_progress.c
    found = connection.execute(
        sa.select(progress.topic, progress.position).where(progress.consumer == "worker")
    )
    return dict(found.tuples().all())


def _beyond(log: Log, read_to: Mapping[str, int]) -> int:
    """How many events stand behind where the worker reads on."""
    names = (topics.EVENTS.name, topics.REDRIVEN.name)
    return sum(log.end(name) - read_to.get(name, 0) for name in names)


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
