"""Forgetting in the log what has been read by all, is kept elsewhere, and is old enough."""

import datetime as dt
from collections.abc import Mapping

from clearhouse.log.log import Log
from clearhouse.payments.normalizer import archive, loop
from clearhouse.payments.topics import TOPICS, WEBHOOKS


def age_out(log: Log, today: dt.date, read_to: Mapping[str, int]) -> int:
    """Forget records whose topic's days are over and that all who read the topic have read.

    Webhooks are known to be read by the normalizer and the archive, whose progress is in the log.
    Of other topics the caller says how far they were read; what is not named is not forgotten.

    Args:
        log: to forget in.
        today: the UTC day.
        read_to: by topic, the position up to which its readers outside the log have come, such as
            the worker's of `payments.events`, and who reads letters.

    Returns:
        How many records were forgotten.
    """
    readers = (loop.CONSUMER, archive.CONSUMER)
    webhooks = min(log.progress(reader, WEBHOOKS.name) for reader in readers)
    read = {**read_to, WEBHOOKS.name: min(webhooks, read_to.get(WEBHOOKS.name, webhooks))}
    limits = {}
    for topic in TOPICS:
        if topic.name in read:
            first_kept, _ = log.positions_of(topic.name, today - dt.timedelta(days=topic.days))
            limits[topic.name] = min(first_kept, read[topic.name])
    return log.age_out(limits)
