"""The log of payments as the books read it: by day, beside the services that write it."""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from clearhouse.core.errors import StoreError
from clearhouse.log.log import PARTITION_SPAN, Log, LogError, Reached, Record
from clearhouse.log.opening import LogPlace
from clearhouse.log.scan import records
from clearhouse.payments.became import Became, became
from clearhouse.payments.log_opening import log_exists, open_payment_log
from clearhouse.payments.topics import WEBHOOKS, Topic


@contextmanager
def opened(place: LogPlace) -> Iterator[Log | None]:
    """The log, or None where there is none yet: no service ever ran.

    Raises:
        StoreError: it can't be read.
    """
    if not log_exists(place):
        yield None
        return
    try:
        log = open_payment_log(place)
        try:
            yield log
        finally:
            log.close()
    except LogError as error:
        raise StoreError(error.message, error.code) from error


def webhooks(log: Log, days: Sequence[dt.date], read_to: Reached) -> Iterator[Record]:
    """The webhooks that the log took on some days, as far as they have been read."""
    for day in days:
        for partition in range(log.partitions(WEBHOOKS.name)):
            first, end = log.positions_of(WEBHOOKS.name, day, partition)
            yield from records(log, WEBHOOKS.name, first, min(end, read_to.of(partition)))


def of_days(log: Log, topic: Topic, days: Sequence[dt.date]) -> Iterator[Became]:
    """What a topic still holds of the webhooks of days.

    Nothing is written of a webhook before the log took it. Afterwards it may take any time.
    """
    wanted = {*days}
    for partition in range(log.partitions(topic.name)) if wanted else ():
        first, _ = log.positions_of(topic.name, min(wanted), partition)
        kept = log.first(topic.name, partition)
        for record in records(log, topic.name, max(first, kept)):
            each = became(record)
            if each is not None and each.book_date in wanted:
                yield each


def is_kept(log: Log, topic: Topic, day: dt.date, today: dt.date) -> bool:
    """Whether a day can be measured in a topic: the log has forgotten no record of it.

    What is written of a day's webhooks is of that day or a later one. Of the topic's last days the
    log may not have forgotten anything: they are measured, so that what is gone is missing.
    """
    if day >= today - dt.timedelta(days=topic.days):
        return True
    partitions = range(log.partitions(topic.name))
    forgotten = (log.forgotten_through(topic.name, each) for each in partitions)
    return all(each is None or each < day for each in forgotten)


@dataclass(frozen=True)
class Covered:
    """What of a day's webhooks has been dealt with.

    Attributes:
        ranges: the topic and, by partition that has any, the first and the last offset.
        waiting: how many webhooks of the day have not.
    """

    ranges: str
    waiting: int


def covered(log: Log, day: dt.date, read_to: Reached) -> Covered:
    """What of a day's webhooks has been read up to a place."""
    ranges = [WEBHOOKS.name]
    waiting = 0
    for partition in range(log.partitions(WEBHOOKS.name)):
        first, end = log.positions_of(WEBHOOKS.name, day, partition)
        come_to = min(end, max(first, read_to.of(partition)))
        if first < come_to:
            start = partition * PARTITION_SPAN
            ranges.append(f"{partition}:{first - start}-{come_to - 1 - start}")
        waiting += sum(1 for _ in records(log, WEBHOOKS.name, come_to, end))
    return Covered(" ".join(ranges), waiting)
