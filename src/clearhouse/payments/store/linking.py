"""Which payment each event belongs to, whatever order events come in.

An event names its payment by an id, and may link that id to another one
(`PaymentEvent.linked_id`). What events say is kept and only grows (`payment_link`, `payment_hint`),
and from it follows to which payment each event belongs: a link that comes late joins what stood
apart before. An event that names no payment is linked by a hint, such as its dispute or the
merchant's reference, where exactly one payment has it. Where several have, it belongs to none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from clearhouse.core.sql_values import each_of, one_parameter, select_in
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.keys import (
    OF_PAYOUTS,
    REFERENCE,
    hints_of,
    linked_key,
    object_keys,
    own_key,
    root_of,
)
from clearhouse.payments.store.sql import add_missing
from clearhouse.payments.store.tables import (
    payment_event,
    payment_hint,
    payment_link,
    unlinked_event,
)

MOST_IDS_OF_A_HINT = 16
"""A hint that more ids have is taken for one of many payments ("none", "order"): it links nothing,
and is not read at all."""

_LINKS = sa.select(payment_link.c.alias, payment_link.c.payment_key)
_HINTS = sa.select(payment_hint.c.hint)
_BY_HINT = sa.select(payment_hint.c.hint, payment_hint.c.payment_key)
_OF_FEW = _HINTS.group_by(payment_hint.c.hint).having(sa.func.count() <= MOST_IDS_OF_A_HINT)
_WAITING = sa.select(unlinked_event.c.event_id)
_LINES = sa.select(payment_event.c.line, payment_event.c.payment_key)


@dataclass(slots=True)
class Placed:
    """Where events belong.

    Attributes:
        keys: of each event given, by its id, the payment; None where it is not known.
        touched: payments that are to be folded again.
        gone: keys under which payments are known no more.
        objects: keys of the disputes and refunds whose events may have moved.
        idle: hints that linked nothing before these events, as too many payments have them.
        unlinked: events whose payment is not known, by the dispute or refund that they are about.
    """

    keys: dict[str, str | None] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    idle: set[str] = field(default_factory=set)
    unlinked: dict[str, list[PaymentEvent]] = field(default_factory=dict)


def place(connection: sa.Connection, events: Sequence[PaymentEvent]) -> Placed:
    """Keep what new events say of links, and find where they and earlier ones belong.

    Earlier events that belong elsewhere now are moved; the new ones are still to be inserted.
    """
    placed = Placed()
    named: dict[str, str] = {}
    links, hints = set[tuple[str, str]](), set[tuple[str, str]]()
    for event in events:
        own = own_key(event)
        if own is not None:
            named[event.event_id] = own
            hints.update((hint, own) for hint in hints_of(event))
            if to := linked_key(event):
                links.add((own, to))
    unnamed = [e for e in events if e.event_id not in named and e.event_type not in OF_PAYOUTS]
    said = {hint for hint, _ in hints}
    placed.idle = idle(connection, said | {hint for e in unnamed for hint in hints_of(e)})
    add_missing(connection, payment_link, [{"alias": a, "payment_key": k} for a, k in links])
    add_missing(connection, payment_hint, [{"hint": h, "payment_key": k} for h, k in hints])
    waiting = [{"hint": h, "event_id": e.event_id} for e in unnamed for h in hints_of(e)]
    add_missing(connection, unlinked_event, waiting)

    roots = _roots(connection, {*named.values(), *(to for _, to in links)})
    placed.keys = {event_id: roots.get(key, key) for event_id, key in named.items()}
    placed.touched.update(key for key in placed.keys.values() if key is not None)
    _move(connection, roots, placed)
    _link_unnamed(connection, unnamed, said, roots, placed)
    return placed


def _move(connection: sa.Connection, roots: dict[str, str], placed: Placed) -> None:
    """Put earlier events under the key that their payment has now."""
    moves = [{"was": key, "now": root} for key, root in roots.items() if key != root]
    placed.gone.update(move["was"] for move in moves)
    if moves:
        connection.execute(
            sa.update(payment_event)
            .where(payment_event.c.payment_key == sa.bindparam("was"))
            .values(payment_key=sa.bindparam("now")),
            moves,
        )


def _link_unnamed(
    connection: sa.Connection,
    unnamed: Sequence[PaymentEvent],
    said: set[str],
    roots: dict[str, str],
    placed: Placed,
) -> None:
    """Find the payments of events that name none: new ones, and earlier ones that hints reach.

    Of what idle hints reach nothing changes.
    """
    hints = (said | {hint for event in unnamed for hint in hints_of(event)}) - placed.idle
    if roots:  # what were several payments of a hint may be one now
        rows = select_in(connection, _HINTS, payment_hint.c.payment_key, roots)
        others = {hint for (hint,) in rows} - hints - placed.idle
        hints |= others - idle(connection, others)
    was: dict[str, str | None] = {}
    found = {event.event_id: event for event in unnamed}
    reached = _waiting(connection, hints)
    for event, key in _events(connection, reached):
        was[event.event_id], found[event.event_id] = key, event
    mates = {hint for event in found.values() for hint in hints_of(event)} - hints - placed.idle
    mates -= idle(connection, mates)
    if mates:
        for event, key in _events(connection, _waiting(connection, mates) - reached):
            was[event.event_id], found[event.event_id] = key, event
    if found:
        _decide(connection, found, was, placed)


def _decide(
    connection: sa.Connection,
    events: dict[str, PaymentEvent],
    was: dict[str, str | None],
    placed: Placed,
) -> None:
    """Say where events without a payment's id belong, and move those that were elsewhere."""
    payments = payments_of(connection, {h for event in events.values() for h in hints_of(event)})
    moves = []
    for event_id, event in events.items():
        known = [payments[hint] for hint in hints_of(event) if hint in payments]
        key = next((next(iter(keys)) for keys in known if len(keys) == 1), None)
        placed.objects.update(object_keys(event))
        if event_id not in was:
            placed.keys[event_id] = key
        elif was[event_id] != key:
            moves.append({"of": event_id, "now": key})
            placed.touched.update(k for k in (was[event_id],) if k is not None)
        if key is not None:
            placed.touched.add(key)
        else:
            for own in object_keys(event)[:1]:
                placed.unlinked.setdefault(own, []).append(event)
    if moves:
        connection.execute(
            sa.update(payment_event)
            .where(payment_event.c.event_id == sa.bindparam("of"))
            .values(payment_key=sa.bindparam("now")),
            moves,
        )


def _waiting(connection: sa.Connection, hints: Collection[str]) -> set[str]:
    """Ids of earlier events without a payment's id that have one of the hints."""
    rows = select_in(connection, _WAITING, unlinked_event.c.hint, hints)
    return {event_id for (event_id,) in rows}


def _events(
    connection: sa.Connection, ids: Collection[str]
) -> list[tuple[PaymentEvent, str | None]]:
    """Events that are recorded, each with its payment."""
    rows = select_in(connection, _LINES, payment_event.c.event_id, ids)
    return [(decode_event(line), key) for line, key in rows]


def idle(connection: sa.Connection, hints: Collection[str]) -> set[str]:
    """References among hints that so many ids have that they link nothing.

    No more ids are looked at than it takes to know it.
    """
    references = [hint for hint in hints if hint.startswith(REFERENCE)]
    if not references:
        return set()
    statement = _too_many(connection.dialect.name)
    return {*connection.scalars(statement, one_parameter(connection, references))}


@cache
def _too_many(dialect_name: str) -> sa.Select[Any]:
    """Those of some hints that more ids have than link anything."""
    hint = each_of(payment_hint.c.hint, dialect_name)
    one_too_many = (
        sa.select(payment_hint.c.payment_key)
        .where(payment_hint.c.hint == hint)
        .order_by(payment_hint.c.payment_key)
        .offset(MOST_IDS_OF_A_HINT)
        .limit(1)
        .scalar_subquery()
    )
    return sa.select(hint).where(one_too_many.is_not(None))


def payments_of(connection: sa.Connection, hints: Collection[str]) -> dict[str, set[str]]:
    """The payments that have each of the hints; none of a hint that too many have."""
    hints = {*hints} - idle(connection, hints)
    used = [hint for (hint,) in select_in(connection, _OF_FEW, payment_hint.c.hint, hints)]
    rows = select_in(connection, _BY_HINT, payment_hint.c.hint, used)
    roots = _roots(connection, {key for _, key in rows})
    payments: dict[str, set[str]] = defaultdict(set)
    for hint, key in rows:
        payments[hint].add(roots.get(key, key))
    return payments


def _roots(connection: sa.Connection, keys: Collection[str]) -> dict[str, str]:
    """Of the keys that are linked to any other, and of those others, the one that holds."""
    links: set[tuple[str, str]] = set()
    seen: set[str] = set()
    asked = set(keys)
    while asked:
        for column in (payment_link.c.alias, payment_link.c.payment_key):
            rows = select_in(connection, _LINKS, column, asked)
            links.update((alias, key) for alias, key in rows)
        seen |= asked
        asked = {key for both in links for key in both} - seen
    return {
        key: root
        for joined in _joined(links)
        for root in (root_of(joined),)
        for both in joined
        for key in both
    }


def _joined(links: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Links in groups that have no id in common."""
    group_of: dict[str, list[tuple[str, str]]] = {}
    for link in links:
        own, other = (group_of.setdefault(key, []) for key in link)
        if own is not other:
            own += other
            for key in {key for both in other for key in both} | {link[1]}:
                group_of[key] = own
        own.append(link)
    return list({id(group): group for group in group_of.values()}.values())
