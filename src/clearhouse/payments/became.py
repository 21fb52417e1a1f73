"""What messages and rows say became of a webhook."""

import datetime as dt

import msgspec

from clearhouse.core.not_json import NOT_JSON
from clearhouse.log.log import Record


class Became(msgspec.Struct):
    """What a `PaymentEvent`, a `DeadLetter`, an `Unmapped` and a row of `delivery` all say."""

    webhook_position: int
    book_date: dt.date
    body_sha256: str
    event_id: str | None = None
    amount_minor: int | None = None
    currency: str | None = None


_BECAME = msgspec.json.Decoder(Became)


def became(record: Record) -> Became | None:
    """What a message says became of a webhook.

    One that can't be read says nothing of any webhook: that one is missing then.
    """
    try:
        return _BECAME.decode(record.value)
    except NOT_JSON:
        return None
