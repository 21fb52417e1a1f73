"""Events of the log of which the store does not say yet what became of them.

The worker records events, and its progress is in the store with what it has recorded. Or workflows
of a server do: then the starter's progress is in the log, and runs that it has started go on.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterator
from itertools import islice

from clearhouse.log.log import Log, Reached, Record
from clearhouse.log.scan import records
from clearhouse.payments.became import became
from clearhouse.payments.topics import EVENTS

STARTER = "starter"
"""Who reads events where workflows record them."""

RUNNING_FOR = dt.timedelta(minutes=15)
"""An event that was appended before this and that nothing has become of is lost, for the books."""

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
    since = now - RUNNING_FOR
    first, _ = log.positions_of(EVENTS.name, since.date(), partition)
    started = records(log, EVENTS.name, first, started_to.of(partition))
    latest = _webhooks(record for record in started if record.appended_at > since)
    while some := list(islice(latest, _AT_ONCE)):
        known = delivered(some)
        yield from (position for position in some if position not in known)


def _webhooks(events: Iterator[Record]) -> Iterator[int]:
    return (said.webhook_position for event in events if (said := became(event)) is not None)
