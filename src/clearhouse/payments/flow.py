"""How far payments have come on their way, as the log and the operational store say.

Nothing here is counted on the way: every figure is a position or a count of rows, so that it is
right after any crash too.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import sqlalchemy as sa

from clearhouse.log.log import PARTITION_SPAN, Log, Reached
from clearhouse.log.reach import positions_used, progress_of, waiting_of
from clearhouse.log.scan import scan
from clearhouse.payments.lag import Lag, lag_of
from clearhouse.payments.store import outbox, tables
from clearhouse.payments.store.progress import delivered_of, read_progress
from clearhouse.payments.topics import (
    DEAD_LETTERS,
    EVENTS,
    NORMALIZER,
    REDRIVEN,
    UNMAPPED,
    WEBHOOKS,
    Topic,
)
from clearhouse.payments.unrecorded import STARTER, in_flight, redriven_in_flight


@dataclass(frozen=True, slots=True)
class Flow:
    """Webhooks and what became of them, since the log and the store were made.

    On a server, gaps between positions count too in the first four, until `counted`.

    Attributes:
        accepted: webhooks that the gateway has answered with success, by notification.
        normalized: events made of them.
        unmapped: those of which no fact follows.
        dead_letters: by stage, those of which nothing could be made; later redrives included.
        recorded: events in the store.
        normalizer_lag: webhooks that the normalizer has still to read.
        worker_lag: events that the worker has still to read, redriven ones among them; with
            workflows of a server, those that runs have still to be started for, or else the runs
            of the last minutes that have not recorded theirs.
        to_publish: messages of the outbox that are not in the log yet.
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


def measure(log: Log, store: sa.Engine, *, has_workflows: bool = False) -> Flow:
    """The flow as it is now. What moves meanwhile can be in one figure and not yet in another.

    Args:
        log: holds what is on its way.
        store: what has been recorded.
        has_workflows: events are recorded by workflows of a server, and not by the worker.
    """
    # In the order of the way: what had left a place by then is seen at a later one.
    normalizer = progress_of(log, NORMALIZER, WEBHOOKS.name)
    normalizer_lag = waiting_of(log, WEBHOOKS.name, normalizer)
    left = worker_lag(log, store, has_workflows=has_workflows)
    with store.connect() as connection:
        waiting = outbox.waiting(connection)
        recorded = _count(connection, tables.payment_event)
    return Flow(
        accepted=positions_used(log, WEBHOOKS.name),
        normalized=positions_used(log, EVENTS.name),
        unmapped=positions_used(log, UNMAPPED.name),
        dead_letters={
            stage: positions_used(log, topic.name) for stage, topic in DEAD_LETTERS.items()
        },
        recorded=recorded,
        normalizer_lag=normalizer_lag,
        worker_lag=left,
        to_publish=waiting,
    )


def counted(flow: Flow, log: Log) -> Flow:
    """The flow with what the log holds counted record by record, which takes its time."""
    return replace(
        flow,
        accepted=_records(log, WEBHOOKS),
        normalized=_records(log, EVENTS),
        unmapped=_records(log, UNMAPPED),
        dead_letters={stage: _records(log, topic) for stage, topic in DEAD_LETTERS.items()},
    )


def worker_lag(log: Log, store: sa.Engine, *, has_workflows: bool = False) -> int:
    """See `Flow`."""
    if has_workflows:
        read_to = {each: progress_of(log, STARTER, each.name) for each in _READ}
        return _beyond(log, read_to) or _in_flight(log, store, read_to)
    return _beyond(log, _worker_read_to(store))


def worker_lags(log: Log, store: sa.Engine) -> list[Lag]:
    """What waits for a worker that reads the log by itself, by topic and partition."""
    return [
        lag
        for topic, reached in _worker_read_to(store).items()
        for lag in lag_of(log, topic.name, reached.of)
    ]


def _worker_read_to(store: sa.Engine) -> dict[Topic, Reached]:
    with store.connect() as connection:
        return {each: read_progress(connection, "worker", each.name) for each in _READ}


def outbox_now(store: sa.Engine) -> tuple[int, int]:
    """How many messages the outbox holds, and the number of the first; 0 where there is none."""
    with store.connect() as connection:
        first = connection.scalar(sa.select(sa.func.min(tables.outbox.c.number)))
        return outbox.waiting(connection), first or 0


_READ = (EVENTS, REDRIVEN)


def _beyond(log: Log, read_to: Mapping[Topic, Reached]) -> int:
    """How many events stand behind where the worker or the starter reads on."""
    return sum(waiting_of(log, topic.name, reached) for topic, reached in read_to.items())


def _in_flight(log: Log, store: sa.Engine, started_to: Mapping[Topic, Reached]) -> int:
    """How many runs were started and go on, of new events and of redriven ones."""
    now = dt.datetime.now(dt.UTC)
    with store.connect() as connection:
        delivered = partial(delivered_of, connection)
        new = sum(
            1
            for partition in range(log.partitions(EVENTS.name))
            for _ in in_flight(log, started_to[EVENTS], partition, delivered, now)
        )
        return new + sum(
            redriven_in_flight(log, started_to[REDRIVEN], partition, connection, now)
            for partition in range(log.partitions(REDRIVEN.name))
        )


def _records(log: Log, topic: Topic) -> int:
    partitions = range(log.partitions(topic.name))
    forgotten = sum(log.first(topic.name, p) - p * PARTITION_SPAN for p in partitions)
    return forgotten + sum(1 for _ in scan(log, topic.name))


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
