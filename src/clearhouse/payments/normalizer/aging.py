"""What the log may forget, as far as the log itself tells who has read it."""

from collections.abc import Mapping

from clearhouse.log.log import Log, Reached
from clearhouse.log.reach import progress_of
from clearhouse.payments.normalizer import archive
from clearhouse.payments.topics import (
    GATEWAY_DEAD,
    NORMALIZER,
    NORMALIZER_DEAD,
    RECORDED,
    UNMAPPED,
    WEBHOOKS,
    WORKER_DEAD,
    Topic,
)

_KEPT_BY_DAYS = (UNMAPPED, RECORDED, GATEWAY_DEAD, NORMALIZER_DEAD, WORKER_DEAD)
"""Topics that nothing of ours has to have read: their days alone count."""


def read_by_all(log: Log) -> Mapping[Topic, Reached]:
    """Up to where topics have been read by all who must read them.

    Webhooks by the normalizer and the archive, whose progress is in the log. The topics that the
    worker reads are not named: it forgets them itself.
    """
    readers = [progress_of(log, each, WEBHOOKS.name) for each in (NORMALIZER, archive.CONSUMER)]
    partitions = range(log.partitions(WEBHOOKS.name))
    webhooks = Reached(min(reader.of(each) for reader in readers) for each in partitions)
    return {WEBHOOKS: webhooks, **{topic: _ends(log, topic) for topic in _KEPT_BY_DAYS}}


def _ends(log: Log, topic: Topic) -> Reached:
    return Reached(log.end(topic.name, each) for each in range(log.partitions(topic.name)))
