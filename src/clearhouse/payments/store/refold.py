"""Writing anew what follows from the events of payments and payouts.

A few statements for all that a batch touches; nothing is asked for event by event. Rows are put and
not only added: ids of two objects that a provider gives the same key must not stop the worker.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import sqlalchemy as sa

from clearhouse.core.sql_values import delete_in, select_in
from clearhouse.payments.event import PaymentEvent, decode_event
from clearhouse.payments.fold import Folded, fold_payment, fold_payout, fold_unlinked
from clearhouse.payments.keys import hint_of_reversal, payout_key, reversal_hint, scope_of
from clearhouse.payments.store.linking import Placed
from clearhouse.payments.store.sql import Row, add_missing, put
from clearhouse.payments.store.tables import (
    dispute,
    journal_line,
    payment,
    payment_event,
    payment_hint,
    payout,
    refund,
)

Rows = Mapping[sa.Table, Sequence[Row]]
"""Rows that follow from events, by their table."""
Known = Mapping[str, PaymentEvent]
"""Recorded events at hand, by their ids: their lines are not decoded again."""
_NONE: Known = {}
_UNLINKED = (
    (refund.c.refund_key, refund.c.payment_key.is_(None)),
    (dispute.c.dispute_key, dispute.c.payment_key.is_(None)),
)
_BY_HINT = sa.select(payment_hint.c.hint, payment_hint.c.payment_key)
_BY_KEY = {
    column: sa.select(column, payment_event.c.event_id, payment_event.c.line)
    for column in (payment_event.c.payment_key, payment_event.c.payout_key)
}


def refold_payments(connection: sa.Connection, placed: Placed, known: Known = _NONE) -> None:
    """Fold the payments that events have touched, and write them in the place of what stood."""
    keys = placed.touched | placed.gone
    for table in (payment, refund, dispute):
        delete_in(connection, table.c.payment_key, keys)
    delete_in(connection, journal_line.c.subject_key, keys | placed.objects)
    for own, is_unlinked in _UNLINKED:
        delete_in(connection, own, placed.objects, is_unlinked)
    for table, rows in payment_rows(connection, placed.touched, known).items():
        put(connection, table, rows)
    _write_unlinked(connection, unlinked_rows(placed.unlinked))


def payment_rows(connection: sa.Connection, keys: Collection[str], known: Known = _NONE) -> Rows:
    """What the events of payments come to now."""
    events = _by_key(connection, payment_event.c.payment_key, keys, known)
    return _rows_of([fold_payment(of_one) for of_one in events.values()])


def unlinked_rows(unlinked: Mapping[str, Sequence[PaymentEvent]]) -> Rows:
    """What the events of disputes and refunds of no known payment come to (`Placed.unlinked`)."""
    return _rows_of([fold_unlinked(of_one) for of_one in unlinked.values()])


def _rows_of(folded: Sequence[Folded]) -> Rows:
    return {
        payment: [each.payment for each in folded if each.payment is not None],
        refund: [row for each in folded for row in each.refunds],
        dispute: [row for each in folded for row in each.disputes],
        journal_line: [line for each in folded for line in each.lines],
    }


def _write_unlinked(connection: sa.Connection, rows: Rows) -> None:
    """Write the disputes and refunds of no known payment; what a payment says of one holds."""
    add_missing(connection, refund, rows[refund])
    add_missing(connection, dispute, rows[dispute])
    put(connection, journal_line, rows[journal_line])


def refold_payouts(connection: sa.Connection, events: Sequence[PaymentEvent]) -> None:
    """Fold the payouts that events are about, and those that they take back."""
    of_payouts = [event for event in events if payout_key(event) is not None]
    if not of_payouts:
        return
    said = [
        {"hint": hint, "payment_key": payout_key(event)}
        for event in of_payouts
        if (hint := reversal_hint(event)) is not None
    ]
    add_missing(connection, payment_hint, said)
    touched = {key for event in of_payouts if (key := payout_key(event)) is not None}
    touched |= {
        f"{scope_of(event)}:{event.is_reversal_of}"
        for event in of_payouts
        if event.is_reversal_of is not None
    }
    rewrite_payouts(connection, touched)


def rewrite_payouts(connection: sa.Connection, keys: Collection[str]) -> None:
    """Fold payouts, and write them in the place of what stood."""
    delete_in(connection, journal_line.c.subject_key, keys)
    for table, rows in payout_rows(connection, keys).items():
        put(connection, table, rows)


def payout_rows(connection: sa.Connection, keys: Collection[str]) -> Rows:
    """What the events of payouts, and of those that take them back, come to now."""
    reversals = _reversals(connection, keys)
    others = {key for found in reversals.values() for key in found}
    events_of = _by_key(connection, payment_event.c.payout_key, others.union(keys))
    folded = [
        fold_payout(
            events_of[key],
            [event for other in reversals[key] for event in events_of.get(other, ())],
        )
        for key in sorted(events_of.keys() & keys)
    ]
    return {
        payout: [each.payout for each in folded],
        journal_line: [line for each in folded for line in each.lines],
    }


def _reversals(connection: sa.Connection, payouts: Iterable[str]) -> dict[str, set[str]]:
    """The payouts that take back each of some payouts."""
    by_hint = {hint_of_reversal(key): key for key in payouts}
    found: dict[str, set[str]] = {key: set() for key in by_hint.values()}
    for hint, key in select_in(connection, _BY_HINT, payment_hint.c.hint, by_hint):
        found[by_hint[hint]].add(key)
    return found


def _by_key(
    connection: sa.Connection,
    column: sa.Column[str],
    keys: Collection[str],
    known: Known = _NONE,
) -> dict[str, list[PaymentEvent]]:
    found: dict[str, list[PaymentEvent]] = defaultdict(list)
    for key, event_id, line in select_in(connection, _BY_KEY[column], column, keys):
        found[key].append(known.get(event_id) or decode_event(line))
    return found
