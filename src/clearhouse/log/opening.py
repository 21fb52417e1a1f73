"""Opening the log that a URL names, and making what it needs on a server."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from clearhouse.core.errors import SettingsError
from clearhouse.log.log import Log
from clearhouse.log.places import LogPlace, Topic
from clearhouse.log.sqlite import SqliteLog

__all__ = ["LogPlace", "Topic", "open_log"]

_SQLITE = "sqlite:///"
_KAFKA = ("kafka://", "kafka+ssl://")


def open_log(place: LogPlace, topics: Iterable[Topic]) -> Log:
    """The log, with its topics declared.

    Args:
        place: where it is.
        topics: every topic that will be named.

    Raises:
        SettingsError: no log has such a URL, or what reaches it is not installed.
        LogError: it can't be opened; or its server lacks topics (log_not_prepared).
    """
    if is_on_kafka(place):
        from clearhouse.log.kafka.kafka_log import KafkaLog

        return KafkaLog(place, topics)
    if not place.url.startswith(_SQLITE):
        raise SettingsError("LOG_URL names no log: write sqlite:///path/to/log.db or kafka://….")
    path = Path(place.url.removeprefix(_SQLITE))
    names = [topic.name for topic in topics if not topic.is_source]
    return SqliteLog(path, names, place.max_bytes)


def is_on_kafka(place: LogPlace) -> bool:
    """Whether a place is on Kafka, and what reaches it is there.

    Raises:
        SettingsError: it is, and that is not installed.
    """
    if not place.url.startswith(_KAFKA):
        return False
    if find_spec("confluent_kafka") is None:
        raise SettingsError(
            "LOG_URL names Kafka: install Clearhouse with the extra `kafka`, as in "
            "`pip install 'clearhouse[kafka]'`."
        )
    return True
