"""What became of each webhook in the log: every position has exactly one end."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeVar

import msgspec
import sqlalchemy as sa

from clearhouse.log.log import Log
from clearhouse.log.scan import scan
from clearhouse.payments import topics
from clearhouse.payments.store import tables


class _Kept(msgspec.Struct):
    body_sha256: str


class _OfWebhook(msgspec.Struct):
    webhook_position: int


_T = TypeVar("_T")


def _values(log: Log, topic: str, kind: type[_T]) -> Iterator[_T]:
    decode = msgspec.json.Decoder(kind).decode
    yield from (decode(record.value) for record in scan(log, topic))


def kept(log: Log) -> Iterator[str]:
    """The hash of the body of each webhook that the gateway has kept."""
    for topic in (topics.WEBHOOKS, topics.GATEWAY_DEAD):
        yield from (each.body_sha256 for each in _values(log, topic.name, _Kept))


def unaccounted(log: Log, store: sa.Engine) -> list[str]:
    """What is wrong with the ends of webhooks; nothing where each has exactly one.

    A webhook ends as an event, as not mapped, or as a dead letter of the normalizer; an event as a
    row of `delivery`, and where that says recorded, of `payment_event` too.
    """
    positions = {record.position for record in scan(log, topics.WEBHOOKS.name)}
    normalized = _positions(log, topics.EVENTS.name)
    ends = normalized + _positions(log, topics.UNMAPPED.name)
    ends += _positions(log, topics.NORMALIZER_DEAD.name)
    with store.connect() as connection:
        delivered = dict(
            connection.execute(
                sa.select(tables.delivery.c.webhook_position, tables.delivery.c.outcome)
            )
            .tuples()
            .all()
        )
        recorded = set(connection.scalars(sa.select(tables.payment_event.c.webhook_position)).all())
    said = {position for position, outcome in delivered.items() if outcome == "recorded"}
    return [
        *(f"webhook {p} has {ends[p]} ends" for p in positions if ends[p] != 1),
        *(f"webhook {p} is in no log" for p in ends if p not in positions),
        *(f"event of webhook {p} was not delivered" for p in normalized.keys() - delivered.keys()),
        *(f"delivery of webhook {p} has no event" for p in delivered.keys() - normalized.keys()),
        *(f"webhook {p} is recorded on one side only" for p in said ^ recorded),
    ]


def _positions(log: Log, topic: str) -> Counter[int]:
    return Counter(each.webhook_position for each in _values(log, topic, _OfWebhook))
