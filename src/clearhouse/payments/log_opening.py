"""Opening the log of payments."""

from clearhouse.log.log import Log
from clearhouse.log.opening import open_log
from clearhouse.log.sqlite import DEFAULT_MAX_BYTES
from clearhouse.payments.topics import TOPICS


def open_payment_log(url: str, max_bytes: int = DEFAULT_MAX_BYTES) -> Log:
    """The log, with all topics of payments declared. See `log.opening.open_log`."""
    return open_log(url, [topic.name for topic in TOPICS], max_bytes)
