"""Spine rows of the hops that the services of payments fill, from what a log and a store hold."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.columnar import query
from clearhouse.core.money import NO_CURRENCY
from clearhouse.payments.became import Became
from clearhouse.payments.webhook import StoredWebhook

FOUND_SCHEMA = pa.schema(
    [
        ("webhook_position", pa.int64()),
        ("book_date", pa.date32()),
        ("body_sha256", pa.string()),
        ("event_id", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
    ]
)
"""What is found of webhooks (`Became`). Of a webhook itself, the first three are known."""

_WEBHOOKS = f"""
    SELECT book_date AS _book_date, md5(key || '|' || body_sha256) AS _record_id,
        key AS _record_key, 0::BIGINT AS amount_minor, '{NO_CURRENCY}' AS currency
    FROM (SELECT *, 'webhook|' || webhook_position AS key FROM found)"""
_EVENTS = f"""
    SELECT book_date AS _book_date, md5(key || '|' || body_sha256) AS _record_id,
        key AS _record_key, coalesce(amount_minor, 0) AS amount_minor,
        CASE WHEN amount_minor IS NULL THEN '{NO_CURRENCY}'
            ELSE coalesce(nullif(currency, ''), '{NO_CURRENCY}') END AS currency
    FROM (
        SELECT *, 'event|' || webhook_position || '|' || coalesce(event_id, '') AS key FROM found
    )"""


def hash_of(webhook: StoredWebhook | None) -> str:
    """That of the body; "" for a record that holds no webhook, as its dead letter has it."""
    return "" if webhook is None else webhook.body_sha256


def found_of(rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Rows as `FOUND_SCHEMA`; a shorter one has no value for the last columns."""
    columns = list(zip(*rows, strict=True))
    length = len(columns[0]) if columns else 0
    columns += [(None,) * length] * (len(FOUND_SCHEMA) - len(columns))
    arrays = [pa.array(c, field.type) for c, field in zip(columns, FOUND_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=FOUND_SCHEMA)


def found_of_messages(messages: Iterable[Became]) -> pa.Table:
    """What messages say, as `FOUND_SCHEMA`."""
    return found_of(
        (m.webhook_position, m.book_date, m.body_sha256, m.event_id, m.amount_minor, m.currency)
        for m in messages
    )


def webhook_rows(found: pa.Table) -> pa.Table:
    """The spine rows of webhooks: they have no money yet.

    Args:
        found: `FOUND_SCHEMA`.
    """
    return query(_WEBHOOKS, found=found).cast(SPINE_SCHEMA)


def event_rows(found: pa.Table) -> pa.Table:
    """The spine rows of events, with their money.

    Args:
        found: `FOUND_SCHEMA`.
    """
    return query(_EVENTS, found=found).cast(SPINE_SCHEMA)
