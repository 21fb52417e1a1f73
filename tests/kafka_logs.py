"""Logs on a Kafka of the tests', each with a prefix of its own."""

import uuid
from collections.abc import Iterable

from clearhouse.log.opening import LogPlace, Topic
from clearhouse.log.preparing import prepare_log

PARTITIONS = 3


def new_place(url: str, topics: Iterable[Topic] = (), **more) -> LogPlace:
    """Where a log is that nobody else uses, with its topics made."""
    place = LogPlace(f"{url}/test-{uuid.uuid4().hex[:12]}", partitions=PARTITIONS, **more)
    if topics:
        prepare_log(place, topics)
    return place
