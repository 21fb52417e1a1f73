"""Spine rows of the hops that the services of payments fill, from what a log and a store hold."""

import datetime as dt
import hashlib
from collections.abc import Iterable

import pyarrow as pa

from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.money import NO_CURRENCY
from clearhouse.payments.became import Became
from clearhouse.payments.webhook import StoredWebhook

Row = tuple[dt.date, str, str, int, str]
"""Book date, record id, key, minor units and currency."""


def hash_of(webhook: StoredWebhook | None) -> str:
    """That of the body; "" for a record that holds no webhook, as its dead letter has it."""
    return "" if webhook is None else webhook.body_sha256


def of_webhook(day: dt.date, position: int, body_sha256: str) -> Row:
    """The spine row of a webhook."""
    key = f"webhook|{position}"
    return day, _md5(f"{key}|{body_sha256}"), key, 0, NO_CURRENCY


def of_event(each: Became) -> Row:
    """The spine row of an event, with its money."""
    key = f"event|{each.webhook_position}|{each.event_id}"
    record_id = _md5(f"{key}|{each.body_sha256}")
    if each.amount_minor is None:
        return each.book_date, record_id, key, 0, NO_CURRENCY
    return each.book_date, record_id, key, each.amount_minor, each.currency or NO_CURRENCY


def spine_table(rows: Iterable[Row]) -> pa.Table:
    """Spine rows as `SPINE_SCHEMA`."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SPINE_SCHEMA)
    arrays = [pa.array(c, field.type) for c, field in zip(columns, SPINE_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SPINE_SCHEMA)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
