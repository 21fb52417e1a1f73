"""Events of the log of which the store does not say yet what became of them.

The worker records events, and its progress is in the store with what it has recorded. Or workflows
of a server do: then the starter's progress is in the log, and runs that it has started go on.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from itertools import islice

import sqlalchemy as sa

from clearhouse.log.log import Log, Reached, Record
from clearhouse.log.scan import records
from clearhouse.payments.became import became
from clearhouse.payments.store.progress import settled_of
from clearhouse.payments.store.refusals import letter_id
from clearhouse.payments.topics import EVENTS, REDRIVEN, Topic

STARTER = "starter"
"""Who reads events where workflows record them."""

RUNNING_FOR = dt.timedelta(minutes=15)
"""For which an event that was appended may be in a run. Of an older one, the server is asked."""

_AT_ONCE = 1_000
Delivered = Callable[[Collection[int]], set[int]]
"""Those of some webhook positions of whose events it is recorded what became of them."""


def unread(log: Log, read_to: Reached, partition: int) -> Iterator[int]:
    """The webhook positions of the events of a partition that are still to be read."""
    position = read_to.of(partition)
    # At least one read: another log than the one that was read before refuses it.
    end = max(log.end(EVENTS.name, partition), position + 1)
    return _webhooks(records(log, EVENTS.name, position, end))


def in_flight(
    log: Log, started_to: Reached, partition: int, delivered: Delivered, now: dt.datetime
) -> Iterator[int]:
    """Those of the events that runs were started for a short time ago, and have not recorded."""
    latest = _webhooks(_lately_started(log, EVENTS, started_to, partition, now))
    while some := list(islice(latest, _AT_ONCE)):
        known = delivered(some)
        yield from (position for position in some if position not in known)


def redriven_in_flight(
    log: Log, started_to: Reached, partition: int, connection: sa.Connection, now: dt.datetime
) -> int:
    """How many of the redriven events have runs that were started for a short time ago, and go on.

    The store knows their webhooks already, as dead letters. A run is done with one when it is a
    dead letter no longer, or is one again for this record.
    """
    latest = _lately_started(log, REDRIVEN, started_to, partition, now)
    count = 0
    while some := list(islice(latest, _AT_ONCE)):
        webhooks = {
            letter_id(each): said.webhook_position for each in some if (said := became(each))
        }
        settled = settled_of(connection, webhooks)
        count += len(webhooks) - len(settled)
    return count


def _lately_started(
    log: Log, topic: Topic, started_to: Reached, partition: int, now: dt.datetime
) -> Iterator[Record]:
    since = now - RUNNING_FOR
    first = log.position_at(topic.name, since, partition)
    return records(log, topic.name, first, started_to.of(partition))


def _webhooks(events: Iterator[Record]) -> Iterator[int]:
    return (said.webhook_position for event in events if (said := became(event)) is not None)
