"""Opening the log of payments."""

from clearhouse.log.log import Log
from clearhouse.log.opening import LogPlace, Topic, open_log
from clearhouse.payments.topics import OUTBOX_SOURCE, TOPICS
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


def payment_topics() -> list[Topic]:
    """Every topic of payments, and the source whose progress the log keeps."""
    declared = [Topic(each.name, None if each.is_read_by_us else each.days) for each in TOPICS]
    return [*declared, Topic(OUTBOX_SOURCE, is_source=True)]


def open_payment_log(place: LogPlace) -> Log:
    """The log, with all topics of payments declared. See `log.opening.open_log`."""
    return open_log(place, payment_topics())
