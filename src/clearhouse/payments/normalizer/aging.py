"""Forgetting in the log what has been read by all, is kept elsewhere, and is old enough."""

import datetime as dt
from collections.abc import Mapping

from clearhouse.log.log import Log
from clearhouse.payments.normalizer import archive, loop
from clearhouse.payments.topics import (
    GATEWAY_DEAD,
    NORMALIZER_DEAD,
    RECORDED,
    TOPICS,
    UNMAPPED,
    WEBHOOKS,
    WORKER_DEAD,
)

_KEPT_BY_DAYS = (UNMAPPED, RECORDED, GATEWAY_DEAD, NORMALIZER_DEAD, WORKER_DEAD)
"""Topics that nothing of ours has to have read: their days alone count."""


def age_out(log: Log, today: dt.date, read_to: Mapping[str, int]) -> int:
    """Forget records whose topic's days are over and that all who read the topic have read.

    Webhooks are known to be read by the normalizer and the archive, whose progress is in the log.
    Of topics that the worker reads the caller says how far; what is not named is not forgotten.

    Args:
        log: to forget in.
        today: the UTC day.
        read_to: by topic, the position up to which its readers outside the log have come, such as
            the worker's of `payments.events`.

    Returns:
        How many records were forgotten.
    """
    readers = (loop.CONSUMER, archive.CONSUMER)
    webhooks = min(log.progress(reader, WEBHOOKS.name) for reader in readers)
    by_days = {topic.name: log.end(topic.name) for topic in _KEPT_BY_DAYS}
    read = {**by_days, WEBHOOKS.name: webhooks, **read_to}
    limits = {}
    for topic in TOPICS:
        if topic.name in read:
            first_kept, _ = log.positions_of(topic.name, today - dt.timedelta(days=topic.days))
            limits[topic.name] = [min(first_kept, read[topic.name])]
    return log.age_out(limits)
