"""Folding all that is recorded again, by the code as it is now.

The worker folds a payment when an event of it comes. What an earlier version has folded stays as it
was until then, unless it is folded by this.

To which payment an event belongs is left as it is. Workers may go on meanwhile: a batch is compared
without a lock, and only one that differs is written, as the worker writes.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.core.sql_values import select_in
from clearhouse.payments.event import decode_event
from clearhouse.payments.keys import REFERENCE, hints_of, object_keys
from clearhouse.payments.store import outbox
from clearhouse.payments.store.database import PaymentStore
from clearhouse.payments.store.linking import Placed
from clearhouse.payments.store.refold import (
    Rows,
    payment_rows,
    payout_rows,
    refold_payments,
    rewrite_payouts,
    unlinked_rows,
)
from clearhouse.payments.store.sql import Row
from clearhouse.payments.store.tables import (
    dispute,
    journal_line,
    payment,
    payment_event,
    payout,
    refund,
    unlinked_event,
)

TABLES = (payment, refund, dispute, payout, journal_line)
"""What follows from events."""
BATCH = 200
"""Keys at a time: for so many a worker waits while a batch is written."""

_event = payment_event.c


@dataclass(frozen=True, slots=True)
class Refolded:
    """A batch that was folded again.

    Attributes:
        keys: how many payments, payouts, or objects of no known payment.
        changed: by table, the rows that were changed, added or removed, or would be.
    """

    keys: int
    changed: Counter[str]


def refold_all(
    store: PaymentStore, *, applies: bool = True, batch: int = BATCH
) -> Iterator[Refolded]:
    """Fold every payment, payout, and dispute or refund of no known payment again.

    A call that was cut short is called again: what is as it should be is only read.

    Args:
        store: holds the events.
        applies: whether rows are written; without it, what differs is only counted.
        batch: keys at a time.
    """
    for part in (_OF_PAYMENTS, _OF_PAYOUTS, _OF_UNLINKED):
        after = ""
        while keys := _next(store, part, after, batch):
            after = keys[-1]
            yield _refolded(store, part, keys, applies=applies)


@dataclass(frozen=True, slots=True)
class _Part:
    """What is folded by itself.

    Attributes:
        column, where: which values are its keys.
        rows: the rows that are there of some keys, and those that are to be.
        rewrite: folds them, and writes them in the place of what stood.
    """

    column: sa.Column[str]
    where: sa.ColumnElement[bool]
    rows: Callable[[sa.Connection, Collection[str]], tuple[Rows, Rows]]
    rewrite: Callable[[sa.Connection, Collection[str]], None]


def _next(store: PaymentStore, part: _Part, after: str, batch: int) -> list[str]:
    read = sa.select(part.column).distinct().where(part.column > after, part.where)
    with store.reading() as connection:
        return [*connection.scalars(read.order_by(part.column).limit(batch))]


def _refolded(store: PaymentStore, part: _Part, keys: list[str], *, applies: bool) -> Refolded:
    with store.reading() as connection:
        changed = _changed(*part.rows(connection, keys))
    if changed and applies:
        with store.writing() as connection:
            outbox.hold(connection)  # the worker's lock: of these events none comes meanwhile
            changed = _changed(*part.rows(connection, keys))
            part.rewrite(connection, keys)
    return Refolded(len(keys), changed)


def _changed(found: Rows, wanted: Rows) -> Counter[str]:
    counts: Counter[str] = Counter()
    for table, rows in wanted.items():
        before, after = _by_primary_key(table, found[table]), _by_primary_key(table, rows)
        keys = before.keys() | after.keys()
        counts[table.name] += sum(before.get(key) != after.get(key) for key in keys)
    return +counts


def _by_primary_key(table: sa.Table, rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[column.name] for column in table.primary_key): row for row in rows}


def _of_payments(connection: sa.Connection, keys: Collection[str]) -> tuple[Rows, Rows]:
    found: dict[sa.Table, Sequence[Row]] = {
        table: _rows(connection, table.c.payment_key, keys) for table in (payment, refund, dispute)
    }
    found[journal_line] = _rows(connection, journal_line.c.subject_key, keys)
    return found, payment_rows(connection, keys)


def _of_payouts(connection: sa.Connection, keys: Collection[str]) -> tuple[Rows, Rows]:
    found = {
        payout: _rows(connection, payout.c.payout_key, keys),
        journal_line: _rows(connection, journal_line.c.subject_key, keys),
    }
    return found, payout_rows(connection, keys)


def _of_unlinked(connection: sa.Connection, hints: Collection[str]) -> tuple[Rows, Rows]:
    placed = _placed(connection, hints)
    wanted = {**unlinked_rows(placed.unlinked)}
    found: dict[sa.Table, Sequence[Row]] = {
        payment: [],
        journal_line: _rows(connection, journal_line.c.subject_key, placed.objects),
    }
    for own in (refund.c.refund_key, dispute.c.dispute_key):
        rows = _rows(connection, own, placed.objects)
        linked = {row[own.name] for row in rows if row["payment_key"] is not None}
        found[own.table] = [row for row in rows if row["payment_key"] is None]
        # What a payment says of one holds.
        wanted[own.table] = [row for row in wanted[own.table] if row[own.name] not in linked]
    return found, wanted


def _placed(connection: sa.Connection, hints: Collection[str]) -> Placed:
    """The disputes and refunds that hints name, with those of their events of no known payment."""
    placed = Placed()
    read = sa.select(unlinked_event.c.event_id)
    ids = {own for (own,) in select_in(connection, read, unlinked_event.c.hint, hints)}
    lines = sa.select(_event.line).where(_event.payment_key.is_(None))
    for (line,) in select_in(connection, lines, _event.event_id, ids):
        event = decode_event(line)
        if hints_of(event)[0] in hints:  # an event of a dispute and of a refund is the dispute's
            objects = object_keys(event)
            placed.objects.update(objects)
            placed.unlinked.setdefault(objects[0], []).append(event)
    return placed


def _rows(connection: sa.Connection, column: sa.Column[Any], keys: Collection[str]) -> list[Row]:
    rows = select_in(connection, sa.select(column.table), column, keys)
    return [dict(row._mapping) for row in rows]


_OF_PAYMENTS = _Part(
    _event.payment_key,
    sa.true(),
    _of_payments,
    lambda connection, keys: refold_payments(connection, Placed(touched={*keys})),
)
_OF_PAYOUTS = _Part(_event.payout_key, sa.true(), _of_payouts, rewrite_payouts)
_OF_UNLINKED = _Part(
    unlinked_event.c.hint,
    ~unlinked_event.c.hint.startswith(REFERENCE),
    _of_unlinked,
    lambda connection, keys: refold_payments(connection, _placed(connection, keys)),
)
