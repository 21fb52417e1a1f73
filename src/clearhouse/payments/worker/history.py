"""What was known of a payment before each of its events, for inference."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from clearhouse.core.sql_values import select_in
from clearhouse.payments.event import EventType, PaymentEvent, decode_event
from clearhouse.payments.inference.model import NO_HISTORY, History
from clearhouse.payments.keys import linked_key, own_key, reference_hint
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.linking import MOST_IDS_OF_A_HINT, idle, payments_of
from clearhouse.payments.store.tables import payment_event

_COUNTED = {
    EventType.FAILED: ("failures", "capture_id"),
    EventType.REFUNDED: ("refunds", "refund_id"),
    EventType.DISPUTE_OPENED: ("disputes", "dispute_id"),
}
"""By type of event: what is counted of it, and the object that it is counted by. Several events can
tell of one object; what names none is counted by itself."""
_IDS = sa.select(payment_event.c.event_id)
_LINES = sa.select(payment_event.c.payment_key, payment_event.c.line).where(
    payment_event.c.event_type.in_([kind.value for kind in _COUNTED])
)
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
    named = [_Named(event, known_by(event), reference_hint(event)) for event in events]
    with store.reading() as connection:
        ids = {event.event_id for event in events}
        known = {own for (own,) in select_in(connection, _IDS, payment_event.c.event_id, ids)}
        told = _Told(connection, named)
    found = []
    for each in named:
        event_id = each.event.event_id
        if event_id in known:
            continue
        known.add(event_id)
        if each.key is None:
            found.append((each.event, NO_HISTORY))
        else:
            found.append((each.event, told.history_of(each, each.key)))
            told.take(each, each.key)
    return found


def known_by(event: PaymentEvent) -> str | None:
    """The payment under which an event is counted; None where it names none."""
    return linked_key(event) or own_key(event)


class _Named(msgspec.Struct, frozen=True, gc=False):
    """An event with the payment and the reference that it names."""

    event: PaymentEvent
    key: str | None
    reference: str | None


class _Told:
    """What is told of the payments of some events, and of other payments of their orders."""

    def __init__(self, connection: sa.Connection, named: Sequence[_Named]) -> None:
        self._objects: dict[str, dict[EventType, dict[str, dt.datetime]]] = {}
        references = {each.reference for each in named if each.reference is not None}
        self._orders = defaultdict(set, payments_of(connection, references))
        self._idle = idle(connection, references)
        keys = {each.key for each in named if each.key is not None}
        read = keys.union(*self._orders.values())
        for key, line in select_in(connection, _LINES, payment_event.c.payment_key, read):
            self._count(key, decode_event(line))

    def take(self, named: _Named, key: str) -> None:
        """Count an event for those after it."""
        self._count(key, named.event)
        reference = named.reference
        if reference is not None:
            self._orders[reference].add(key)
            if len(self._orders[reference]) > MOST_IDS_OF_A_HINT:
                self._idle.add(reference)

    def history_of(self, named: _Named, key: str) -> History:
        """What is told of objects other than the event's own."""
        of_payment = self._objects.get(key, {})
        failed_of_order = self._failed_of_order(named)
        if not (of_payment or failed_of_order):
            return NO_HISTORY
        counts = {}
        for kind, (name, _) in _COUNTED.items():
            objects = {*of_payment.get(kind, ())}
            if kind is EventType.FAILED:
                objects |= failed_of_order
            if objects:
                counts[name] = len(objects - {_object_of(named.event, kind)})
        return History(**counts)

    def _failed_of_order(self, named: _Named) -> set[str]:
        if named.reference is None or named.reference in self._idle:
            return set()
        since = named.event.occurred_at - _OF_ONE_ORDER
        return {
            own
            for key in self._orders[named.reference]
            for own, at in self._objects.get(key, {}).get(EventType.FAILED, {}).items()
            if at >= since
        }

    def _count(self, key: str, event: PaymentEvent) -> None:
        if event.event_type in _COUNTED:
            own = _object_of(event, event.event_type)
            of_payment = self._objects.setdefault(key, {})
            of_payment.setdefault(event.event_type, {})[own] = event.occurred_at


def _object_of(event: PaymentEvent, kind: EventType) -> str:
    return getattr(event, _COUNTED[kind][1]) or event.event_id
