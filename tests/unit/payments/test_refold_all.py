"""Folding again what an earlier version of the fold has left in the operational store."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from databases import Databases
from payment_desk import DERIVED, Desk
from payment_lives import an_event

from clearhouse.payments.event import EventType as T
from clearhouse.payments.store import tables
from clearhouse.payments.store.refold_all import refold_all


@pytest.fixture
def filled(databases: Databases) -> Iterator[Desk]:
    """A store with two payments, a payout that another takes back, and what is of no payment."""
    made = Desk(databases.bare())
    made.record(
        an_event(T.CAPTURED),
        an_event(T.REFUNDED, at=1, amount_minor=400),
        an_event(T.DISPUTE_OPENED, at=2),
        an_event(T.CAPTURED, payment_id="other", capture_id="c2"),
        an_event(T.PAYOUT_PAID, at=3),
        an_event(T.PAYOUT_PAID, at=4, payout_id="back", is_reversal_of="po"),
        an_event(T.FUNDS_WITHDRAWN, payment_id=None, dispute_id="unknown"),
        an_event(T.REFUNDED, payment_id=None, refund_id="of_none"),
    )
    yield made
    made.store.close()


def fold_otherwise(filled: Desk) -> None:
    """Leave rows as an earlier fold might have: some missing, some other, some that are none."""
    row: dict[str, Any] = {**filled.rows(tables.journal_line)[0], "posting": "of_earlier:1"}
    with filled.store.writing() as connection:
        connection.execute(sa.update(tables.payment).values(captured_minor=7))
        connection.execute(sa.delete(tables.refund))
        connection.execute(sa.update(tables.dispute).values(status="closed"))
        connection.execute(sa.update(tables.payout).values(status="sent"))
        connection.execute(sa.insert(tables.journal_line).values(row))


def changed(filled: Desk, *, applies: bool = True) -> Counter[str]:
    """The rows that differ, in batches as small as they can be."""
    return sum(
        (each.changed for each in refold_all(filled.store, applies=applies, batch=1)), Counter()
    )


def test_what_another_fold_has_left_is_folded_again_and_counted(filled: Desk) -> None:
    sound = filled.derived()
    assert all(sound[table.name] for table in DERIVED)
    fold_otherwise(filled)
    differing = {"payment": 2, "refund": 2, "dispute": 2, "payout": 2, "journal_line": 1}
    assert changed(filled) == differing
    assert filled.derived() == sound


def test_what_is_only_asked_writes_nothing(filled: Desk) -> None:
    fold_otherwise(filled)
    left = filled.derived()
    assert changed(filled, applies=False).total() == 9
    assert filled.derived() == left


def test_rows_that_are_as_they_should_be_are_not_written(filled: Desk) -> None:
    statements: list[str] = []
    sa.event.listen(
        filled.store.engine, "before_cursor_execute", lambda *said: statements.append(said[2])
    )
    assert not changed(filled).total()
    assert statements
    assert not [each for each in statements if not each.startswith("SELECT") and each != "BEGIN"]


def test_an_event_that_comes_between_two_batches_is_folded_as_well(filled: Desk) -> None:
    fold_otherwise(filled)
    batches = refold_all(filled.store, batch=1)
    next(batches)
    filled.record(an_event(T.REFUNDED, at=9, amount_minor=100, refund_id="late"))
    filled.record(an_event(T.CAPTURED, payment_id="before", capture_id="c3"))  # of a key passed
    assert [*batches]
    assert not changed(filled, applies=False).total()
    assert len(filled.rows(tables.refund)) == 3
