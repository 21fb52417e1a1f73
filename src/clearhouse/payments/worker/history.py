"""What was known of a payment before each of its events, for inference."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import sqlalchemy as sa

from clearhouse.payments.event import EventType, PaymentEvent, decode_event
from clearhouse.payments.inference.model import History
from clearhouse.payments.keys import linked_key, own_key, reference_hint
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.linking import MOST_IDS_OF_A_HINT, idle, payments_of
from clearhouse.payments.store.sql import select_in
from clearhouse.payments.store.tables import payment_event

_COUNTED = {
    EventType.FAILED: ("failures", "capture_id"),
    EventType.REFUNDED: ("refunds", "refund_id"),
    EventType.DISPUTE_OPENED: ("disputes", "dispute_id"),
}
"""By type of event: what is counted of it, and the object that it is counted by. Several events can
tell of one object; what names none is counted by itself."""
_OF_ONE_ORDER = dt.timedelta(days=30)
"""How long the attempts at other payments of a reference count: card schemes limit the tries in as
many days, and who takes a fee each month may use one reference for all of them."""


def new_with_history(
    store: PaymentStore, events: Sequence[PaymentEvent]
) -> list[tuple[PaymentEvent, History]]:
    """The events that are not recorded yet, each with what earlier ones said of its payment.

    Earlier ones of the same batch count as those in the store do, so that where batches begin and
    end makes no difference.
    """
    with store.reading() as connection:
        read = sa.select(payment_event.c.event_id)
        ids = {event.event_id for event in events}
        known = {own for (own,) in select_in(connection, read, payment_event.c.event_id, ids)}
        told = _Told(connection, events)
    found = []
    for event in events:
        if event.event_id in known:
            continue
        known.add(event.event_id)
        found.append((event, told.history_of(event)))
        told.take(event)
    return found


def known_by(event: PaymentEvent) -> str | None:
    """The payment under which an event is counted; None where it names none."""
    return linked_key(event) or own_key(event)


class _Told:
    """What is told of the payments of some events, and of other payments of their orders."""

    def __init__(self, connection: sa.Connection, events: Sequence[PaymentEvent]) -> None:
        self._objects: dict[tuple[str, EventType], dict[str, dt.datetime]] = defaultdict(dict)
        references = {hint for event in events if (hint := reference_hint(event)) is not None}
        self._orders = defaultdict(set, payments_of(connection, references))
        self._idle = idle(connection, references)
        keys = {key for event in events if (key := known_by(event)) is not None}
        columns = payment_event.c
        lines = sa.select(columns.payment_key, columns.line).where(
            columns.event_type.in_([kind.value for kind in _COUNTED])
        )
        read = keys.union(*self._orders.values())
        for key, line in select_in(connection, lines, columns.payment_key, read):
            self._count(key, decode_event(line))

    def take(self, event: PaymentEvent) -> None:
        """Count an event for those after it."""
        key, reference = known_by(event), reference_hint(event)
        if key is None:
            return
        self._count(key, event)
        if reference is not None:
            self._orders[reference].add(key)
            if len(self._orders[reference]) > MOST_IDS_OF_A_HINT:
                self._idle.add(reference)

    def history_of(self, event: PaymentEvent) -> History:
        """What is told of objects other than the event's own."""
        key = known_by(event)
        if key is None:
            return History()
        objects = {kind: set(self._objects[key, kind]) for kind in _COUNTED}
        objects[EventType.FAILED] |= self._failed_of_order(event)
        counts = {
            name: len(objects[kind] - {_object_of(event, kind)})
            for kind, (name, _) in _COUNTED.items()
        }
        return History(**counts)

    def _failed_of_order(self, event: PaymentEvent) -> set[str]:
        reference = reference_hint(event)
        if reference is None or reference in self._idle:
            return set()
        since = event.occurred_at - _OF_ONE_ORDER
        return {
            own
            for key in self._orders[reference]
            for own, at in self._objects[key, EventType.FAILED].items()
            if at >= since
        }

    def _count(self, key: str, event: PaymentEvent) -> None:
        if event.event_type in _COUNTED:
            own = _object_of(event, event.event_type)
            self._objects[key, event.event_type][own] = event.occurred_at


def _object_of(event: PaymentEvent, kind: EventType) -> str:
    return getattr(event, _COUNTED[kind][1]) or event.event_id
