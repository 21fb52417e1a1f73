"""The one order that the events of a payment are read in, and what is read off it.

Ties in time are broken by the object's version, then by the type of event, then by the amount
(partial captures in one second say what they come to together), then by the event's id.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from clearhouse.payments.event import EventType, PaymentEvent
from clearhouse.payments.journal import Row, naive_utc

_RANK = {kind: rank for rank, kind in enumerate(EventType)}
NO_CURRENCY = "XXX"

ByType = dict[EventType, list[PaymentEvent]]


def in_order(events: Iterable[PaymentEvent]) -> list[PaymentEvent]:
    """The events, each once, in the one order that all agree on."""
    distinct = {event.event_id: event for event in events}
    if len(distinct) == 1:
        return [*distinct.values()]
    return sorted(
        distinct.values(),
        key=lambda e: (
            e.object_version or 0,
            e.occurred_at,
            _RANK[e.event_type],
            e.amount_minor or 0,
            e.event_id,
        ),
    )


def by_type(ordered: Iterable[PaymentEvent]) -> ByType:
    """Events by what they say happened, in their order."""
    kinds: ByType = {}
    for event in ordered:
        kinds.setdefault(event.event_type, []).append(event)
    return kinds


def by_id(events: Iterable[PaymentEvent], name: str) -> dict[str, list[PaymentEvent]]:
    """Events by the id of an object, in their order; those that name none are left out."""
    found: dict[str, list[PaymentEvent]] = {}
    for event in events:
        own = getattr(event, name)
        if own is not None:
            found.setdefault(own, []).append(event)
    return found


def latest(ordered: Sequence[PaymentEvent], name: str) -> Any:
    """The newest value that is known of a field; None where none is."""
    for event in reversed(ordered):
        value = getattr(event, name)
        if value is not None:
            return value
    return None


def latest_of_each(
    ordered: Sequence[PaymentEvent], fields: Callable[[PaymentEvent], Sequence[Any]]
) -> list[Any]:
    """The newest value that is known of each of several fields; at least one event is given."""
    found = [*fields(ordered[-1])]
    for event in ordered[-2::-1]:
        if None not in found:
            break
        said = fields(event)
        found = [own if new is None else new for new, own in zip(found, said, strict=True)]
    return found


def of_provider(event: PaymentEvent) -> Row:
    """The columns that say whose an object is."""
    return {
        "provider": event.provider.value,
        "account": event.account,
        "livemode": event.livemode,
    }


def times(events: Iterable[PaymentEvent]) -> Row:
    """When an object was first and last heard of, by its provider."""
    moments = [event.occurred_at for event in events]
    return {"first_at": naive_utc(min(moments)), "last_at": naive_utc(max(moments))}
