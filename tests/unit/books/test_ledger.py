import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals

from clearhouse.books import Books, Side, Status, Totals
from clearhouse.books.ledger import BigInteger38
from clearhouse.store.database import open_database

BALANCED = {Side.IN: totals(1, 5), Side.OUT: totals(1, 5)}
SHORT = {Side.IN: totals(1, 5), Side.OUT: totals(0)}


def test_an_entry_is_open_while_its_work_is_under_way(books: Books) -> None:
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    books.open([key_of(), key_of(NEXT)], "run-1")
    opened = books.open_entries("bnpl", "silver → gold")
    assert [(e.key, e.status, e.run_id) for e in opened] == [
        (key_of(), Status.OPEN, "run-1"),
        (key_of(NEXT), Status.OPEN, "run-1"),
    ]
    assert opened[0].totals == {}
    assert (opened[0].output_ref, opened[0].closed_at) == ("", None)
    assert opened[0].opened_at is not None
    assert opened[0].opened_at.replace(tzinfo=None) >= before
    assert books.current("bnpl") == opened
    assert books.open_entries("bnpl", "gold → readers") == []
    assert books.open_entries("retail", "silver → gold") == []


def test_a_closed_entry_is_current_and_holds_what_was_measured(books: Books) -> None:
    books.open([key_of()], "run-1")
    statuses = books.close({key_of(): BALANCED}, "run-2", output_refs={key_of(): "ref"})
    assert statuses == {key_of(): Status.BALANCED}
    (entry,) = books.current("bnpl")
    assert entry.key == key_of()
    assert entry.status is Status.BALANCED
    assert entry.totals == BALANCED
    assert (entry.output_ref, entry.run_id) == ("ref", "run-1")
    assert entry.closed_at is not None
    assert entry.opened_at is not None
    assert entry.closed_at >= entry.opened_at
    assert books.find(key_of().entry_id) == entry
    assert books.open_entries("bnpl", "silver → gold") == []


def test_an_entry_can_be_closed_that_was_never_opened(books: Books) -> None:
    books.close({key_of(): BALANCED}, "run-1")
    (entry,) = books.current("bnpl")
    assert (entry.run_id, entry.output_ref, entry.status) == ("run-1", "", Status.BALANCED)
    assert entry.opened_at is not None
    assert entry.closed_at is not None
    assert entry.totals == BALANCED


@pytest.mark.parametrize(
    ("measured", "held", "status"),
    [
        (BALANCED, [], Status.BALANCED),
        (BALANCED, [DAY], Status.HELD),
        (BALANCED, [NEXT], Status.BALANCED),
        (SHORT, [], Status.UNBALANCED),
        (SHORT, [DAY], Status.UNBALANCED),
        ({Side.OUT: totals(1, 5)}, [], Status.BALANCED),
        ({}, [], Status.BALANCED),
    ],
    ids=["even", "held", "other day held", "short", "short and held", "no count", "nothing"],
)
def test_the_status_says_whether_it_balances(books: Books, measured, held, status) -> None:
    assert books.close({key_of(): measured}, "run-1", held=held) == {key_of(): status}
    (entry,) = books.current("bnpl")
    assert entry.status is status
    assert entry.totals == measured


def test_the_last_entry_closed_is_the_current_one_of_its_hop_and_day(books: Books) -> None:
    other_code, other_hop = key_of(code="new"), key_of(hop="gold → readers")
    other_domain = replace(key_of(), domain="retail")
    for key in (key_of(), key_of(NEXT), other_hop, other_domain, other_code):
        books.close({key: BALANCED}, "run-1")
    assert {e.key for e in books.current("bnpl")} == {other_code, key_of(NEXT), other_hop}
    assert [e.key for e in books.current("retail")] == [other_domain]
    assert books.find(key_of().entry_id) is not None
    books.close({key_of(): SHORT}, "run-2")
    assert [e.key for e in books.current("bnpl", "silver → gold", [DAY])] == [key_of()]
    assert books.domains() == ["bnpl", "retail"]


def test_current_entries_are_found_by_hop_and_day_in_order_of_day(books: Books) -> None:
    third = dt.date(2024, 3, 11)
    books.close({key_of(d): BALANCED for d in (third, DAY, NEXT)}, "run-1")
    books.close({key_of(hop="gold → readers"): BALANCED}, "run-1")

    def days(found):
        return [e.key.book_date for e in found]

    assert days(books.current("bnpl", "silver → gold")) == [DAY, NEXT, third]
    assert days(books.current("bnpl", "silver → gold", [third, DAY])) == [DAY, third]
    assert days(books.current("bnpl", days=[DAY])) == [DAY, DAY]
    assert books.current("bnpl", days=[]) == []
    assert books.find("nothing") is None


def test_an_entry_opened_again_forgets_what_it_held(books: Books) -> None:
    books.close({key_of(): SHORT, key_of(NEXT): BALANCED}, "run-1")
    books.open([key_of()], "run-2")
    entry = books.find(key_of().entry_id)
    assert entry is not None
    assert (entry.status, entry.totals, entry.run_id) == (Status.OPEN, {}, "run-2")
    assert books.current("bnpl") == [entry, books.find(key_of(NEXT).entry_id)]
    books.open([], "run-3")
    assert len(books.open_entries("bnpl", "silver → gold")) == 1


def test_what_is_current_stays_so_while_its_successor_is_under_way(books: Books) -> None:
    books.close({key_of(): BALANCED}, "run-1")
    successor = key_of(code="new")
    books.open([successor, key_of(NEXT, code="new")], "run-2")
    assert [e.key for e in books.current("bnpl")] == [key_of(), key_of(NEXT, code="new")]
    books.close({successor: BALANCED}, "run-2")
    assert [e.key for e in books.current("bnpl", days=[DAY])] == [successor]


def test_closing_again_replaces_the_totals(books: Books) -> None:
    first = {**BALANCED, Side.REJECTED: totals(0)}
    books.close({key_of(): first}, "run-1")
    books.close({key_of(): BALANCED}, "run-2", output_refs={key_of(): "second"})
    (entry,) = books.current("bnpl")
    assert entry.totals == BALANCED
    assert entry.output_ref == "second"


def test_a_gate_can_hold_an_entry_and_let_it_go(books: Books) -> None:
    books.close({key_of(): BALANCED, key_of(NEXT): BALANCED}, "run-1")
    books.set_status([key_of().entry_id], Status.HELD)
    assert [e.status for e in books.current("bnpl")] == [Status.HELD, Status.BALANCED]


def test_hashes_beyond_64_bits_are_kept_to_the_last_digit(books: Books, tmp_path) -> None:
    huge = totals(10**7, -(10**30), hash_sum=2**100 + 1)
    books.close({key_of(): {Side.IN: huge, Side.OUT: huge}}, "run-1")
    books.engine.dispose()
    again = Books(open_database(f"sqlite:///{tmp_path / 'books.db'}"))
    (entry,) = again.current("bnpl")
    assert entry.totals[Side.OUT]["hash"] == 2**100 + 1
    assert entry.totals[Side.OUT]["minor:USD"] == -(10**30)
    assert entry.status is Status.BALANCED
    again.engine.dispose()


def test_other_stores_keep_totals_as_numbers() -> None:
    from sqlalchemy.dialects import postgresql, sqlite

    kind = BigInteger38()
    assert kind.compile(dialect=sqlite.dialect()) == "VARCHAR(40)"
    assert kind.compile(dialect=postgresql.dialect()) == "NUMERIC(38, 0)"
    assert kind.process_bind_param(7, postgresql.dialect()) == 7


def test_books_that_are_there_are_opened_and_not_made_anew(
    books: Books, database: sa.Engine
) -> None:
    books.close({key_of(): {Side.OUT: Totals({"records": 1})}}, "run-1")
    assert [e.key for e in Books(database).current("bnpl")] == [key_of()]
