"""What was known of a payment before each of its events, for inference."""

from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from clearhouse.payments.event import EventType, PaymentEvent, decode_event
from clearhouse.payments.inference.model import History
from clearhouse.payments.keys import linked_key, own_key
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import select_in
from clearhouse.payments.store.tables import payment_event

_COUNTED = {
    EventType.FAILED: ("failures", "capture_id"),
    EventType.REFUNDED: ("refunds", "refund_id"),
    EventType.DISPUTE_OPENED: ("disputes", "dispute_id"),
}
"""By type of event: what is counted of it, and the object that it is counted by. Several events can
tell of one object; what names none is counted by itself."""

_Told = dict[tuple[str, EventType], set[str]]


def new_with_history(
    store: PaymentStore, events: Sequence[PaymentEvent]
) -> list[tuple[PaymentEvent, History]]:
    """The events that are not recorded yet, each with what earlier ones said of its payment.

    Earlier ones of the same batch count as those in the store do, so that where batches begin and
    end makes no difference.
    """
    keys = {key for event in events if (key := known_by(event)) is not None}
    columns = payment_event.c
    told: _Told = defaultdict(set)
    with store.reading() as connection:
        read = sa.select(columns.event_id)
        ids = {event.event_id for event in events}
        known = {event_id for (event_id,) in select_in(connection, read, columns.event_id, ids)}
        lines = sa.select(columns.payment_key, columns.line).where(
            columns.event_type.in_([kind.value for kind in _COUNTED])
        )
        for key, line in select_in(connection, lines, columns.payment_key, keys):
            _count(told, key, decode_event(line))
    found = []
    for event in events:
        if event.event_id in known:
            continue
        known.add(event.event_id)
        key = known_by(event)
        found.append((event, _history(told, key, event)))
        if key is not None:
            _count(told, key, event)
    return found


def known_by(event: PaymentEvent) -> str | None:
    """The payment under which an event is counted; None where it names none."""
    return linked_key(event) or own_key(event)


def _count(told: _Told, key: str, event: PaymentEvent) -> None:
    if event.event_type in _COUNTED:
        told[key, event.event_type].add(_object_of(event, event.event_type))


def _object_of(event: PaymentEvent, kind: EventType) -> str:
    return getattr(event, _COUNTED[kind][1]) or event.event_id


def _history(told: _Told, key: str | None, event: PaymentEvent) -> History:
    """What is told of objects other than the event's own."""
    if key is None:
        return History()
    counts = {
        name: len(told[key, kind] - {_object_of(event, kind)})
        for kind, (name, _) in _COUNTED.items()
    }
    return History(**counts)
