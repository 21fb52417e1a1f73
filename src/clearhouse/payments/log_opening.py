"""Opening the log of payments."""

from pathlib import Path

from clearhouse.log.log import Log
from clearhouse.log.opening import open_log
from clearhouse.log.places import LogPlace, Prepared, Topic
from clearhouse.log.preparing import prepare_log
from clearhouse.payments.topics import GATEWAY_CHECK, OUTBOX, TOPICS
from clearhouse.settings import Settings


def log_place(settings: Settings) -> LogPlace:
    """Where the settings say that the log is."""
    password = settings.kafka_password
    return LogPlace(
        settings.log_url,
        settings.log_max_bytes,
        settings.kafka_partitions,
        settings.kafka_username,
        password.get_secret_value() if password else None,
        settings.kafka_sasl_mechanism,
        settings.kafka_ca_file,
    )


def open_payment_log(place: LogPlace) -> Log:
    """The log, with all topics of payments declared. See `log.opening.open_log`."""
    return open_log(place, declared_topics())


def prepare_payment_log(place: LogPlace) -> list[Prepared]:
    """Make the topics of payments on a server. See `log.preparing.prepare_log`."""
    return prepare_log(place, declared_topics())


def declared_topics() -> list[Topic]:
    """The topics of payments, as a log is told of them."""
    topics = [Topic(each.name, None if each.is_read_by_us else each.days) for each in TOPICS]
    return [*topics, *(Topic(each, is_source=True) for each in (OUTBOX, GATEWAY_CHECK))]


def log_exists(place: LogPlace) -> bool:
    """Whether a log was ever made there. One on a server is taken to be: without it, that tells."""
    path = place.url.removeprefix("sqlite:///")
    return path == place.url or Path(path).exists()
