"""What was known of a payment before each of its events, for inference."""

from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.inference.model import History
from clearhouse.payments.keys import linked_key, own_key
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.sql import select_in
from clearhouse.payments.store.tables import payment_event

_COUNTED = {
    EventType.FAILED: "failures",
    EventType.REFUNDED: "refunds",
    EventType.DISPUTE_OPENED: "disputes",
}


def new_with_history(
    store: PaymentStore, events: Sequence[PaymentEvent]
) -> list[tuple[PaymentEvent, History]]:
    """The events that are not recorded yet, each with what earlier ones said of its payment.

    Earlier ones of the same batch count as those in the store do, so that where batches begin and
    end makes no difference.
    """
    keys = {key for event in events if (key := known_by(event)) is not None}
    columns = payment_event.c
    counts: Counter[tuple[str, str]] = Counter()
    with store.reading() as connection:
        read = sa.select(columns.event_id)
        ids = {event.event_id for event in events}
        known = {event_id for (event_id,) in select_in(connection, read, columns.event_id, ids)}
        count = (
            sa.select(columns.payment_key, columns.event_type, sa.func.count())
            .where(columns.event_type.in_([kind.value for kind in _COUNTED]))
            .group_by(columns.payment_key, columns.event_type)
        )
        for key, kind, number in select_in(connection, count, columns.payment_key, keys):
            counts[key, kind] = number
    found = []
    for event in events:
        if event.event_id in known:
            continue
        known.add(event.event_id)
        found.append((event, _history(counts, known_by(event))))
        counts[known_by(event) or "", event.event_type.value] += 1
    return found


def known_by(event: PaymentEvent) -> str | None:
    """The payment under which an event is counted; None where it names none."""
    return linked_key(event) or own_key(event)


def _history(counts: Counter[tuple[str, str]], key: str | None) -> History:
    if key is None:
        return History()
    return History(**{name: counts[key, kind.value] for kind, name in _COUNTED.items()})
