"""Forgetting in the log what has been read by all, is kept elsewhere, and is old enough."""

import datetime as dt
from collections.abc import Mapping

from clearhouse.log.log import Log, Reached
from clearhouse.payments.topics import Topic

EVERY = dt.timedelta(hours=1)
"""How often a service does so."""


def age_out(log: Log, today: dt.date, read_to: Mapping[Topic, Reached]) -> int:
    """Forget records whose topic's days are over and that all who read the topic have read.

    Args:
        log: to forget in.
        today: the UTC day.
        read_to: by topic, up to where all that read it have come.

    Returns:
        How many records were forgotten, at most.
    """
    limits = {}
    for topic, read in read_to.items():
        day = today - dt.timedelta(days=topic.days)
        partitions = range(log.partitions(topic.name))
        first_kept = [log.positions_of(topic.name, day, each)[0] for each in partitions]
        limits[topic.name] = [min(first_kept[each], read.of(each)) for each in partitions]
    return log.age_out(limits)
