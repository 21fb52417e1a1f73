"""Making the topics of a log on a server, as they are declared."""

from collections.abc import Iterable

from clearhouse.log.opening import is_on_kafka, open_log
from clearhouse.log.places import LogPlace, Prepared, Topic


def prepare_log(place: LogPlace, topics: Iterable[Topic]) -> list[Prepared]:
    """Make what is missing of a log. A second time, it makes nothing.

    Args:
        place: where the log is.
        topics: every topic that will be named.

    Returns:
        Each topic; none of a local log, which makes its own when it is opened.

    Raises:
        SettingsError: the place can't be used.
        LogError: topics can't be made.
    """
    declared = tuple(topics)
    if is_on_kafka(place):
        from clearhouse.log.kafka.preparing import prepare_topics

        return prepare_topics(place, declared)
    open_log(place, declared).close()
    return []
