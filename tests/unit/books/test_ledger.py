import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals
from databases import opened, url_of

from clearhouse.books import Books, Entry, Side, Status, Totals
from clearhouse.books.ledger import Audited
from clearhouse.books.model import Digests, Measured
from clearhouse.books.schema import (
    BigInteger38,
    audit_table,
    current_table,
    entry_table,
    event_table,
    finding_table,
)

THIRD = dt.date(2024, 3, 11)
HOP = "silver → gold"
BALANCED = Measured(
    {Side.IN: totals(1, 5), Side.OUT: totals(1, 5)}, Digests("5e1", "5e1", ("a", "b"))
)
SHORT = Measured({Side.IN: totals(1, 5), Side.OUT: totals(0)}, Digests("5e1", "0f2"))
NOTHING = Measured({})


def told(entries: list[Entry]) -> list[tuple[object, ...]]:
    return [(e.key, e.status, e.run_id) for e in entries]


def test_an_entry_is_open_while_its_work_is_under_way(books: Books) -> None:
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    books.open([key_of(), key_of(NEXT)], "run-1")
    opened = books.current("bnpl")
    assert told(opened) == [
        (key_of(), Status.OPEN, "run-1"),
        (key_of(NEXT), Status.OPEN, "run-1"),
    ]
    assert (opened[0].totals, opened[0].output_ref) == ({}, "")
    assert opened[0].entered_at is not None
    assert opened[0].entered_at.replace(tzinfo=None) >= before
    assert books.find(key_of().entry_id) == opened[0]
    assert books.current("bnpl", "gold → readers") == []
    assert books.current("retail") == []


def test_a_closed_entry_is_current_and_holds_what_was_measured(books: Books) -> None:
    books.open([key_of()], "run-1")
    statuses = books.close({key_of(): BALANCED}, "run-2")
    assert statuses == {key_of(): Status.BALANCED}
    (entry,) = books.current("bnpl")
    assert told([entry]) == [(key_of(), Status.BALANCED, "run-2")]
    assert entry.measured == BALANCED
    assert entry.output_ref == BALANCED.ref
    assert books.find(key_of().entry_id) == entry


@pytest.mark.parametrize(
    ("measured", "status"),
    [
        (BALANCED, Status.BALANCED),
        (SHORT, Status.UNBALANCED),
        (Measured({Side.OUT: totals(1, 5)}), Status.BALANCED),
        (NOTHING, Status.BALANCED),
    ],
    ids=["even", "short", "no count", "nothing"],
)
def test_the_status_says_whether_it_balances(books: Books, measured, status) -> None:
    """Also of an entry that was never opened."""
    assert books.close({key_of(): measured}, "run-1") == {key_of(): status}
    (entry,) = books.current("bnpl")
    assert (entry.status, entry.measured, entry.output_ref) == (status, measured, measured.ref)


def test_the_last_entry_closed_is_the_current_one_of_its_hop_and_day(books: Books) -> None:
    other_code, other_hop = key_of(code="new"), key_of(hop="gold → readers")
    other_domain = replace(key_of(), domain="retail")
    for key in (key_of(), key_of(NEXT), other_hop, other_domain, other_code):
        books.close({key: BALANCED}, "run-1")
    assert {e.key for e in books.current("bnpl")} == {other_code, key_of(NEXT), other_hop}
    assert [e.key for e in books.current("retail")] == [other_domain]
    assert told([books.find(key_of().entry_id)]) == [(key_of(), Status.BALANCED, "run-1")]
    books.close({key_of(): SHORT}, "run-2")
    assert told(books.current("bnpl", HOP, [DAY])) == [(key_of(), Status.UNBALANCED, "run-2")]


def test_current_entries_are_found_by_hop_and_day_in_order_of_day(books: Books) -> None:
    books.close({key_of(d): BALANCED for d in (THIRD, DAY, NEXT)}, "run-1")
    books.close({key_of(hop="gold → readers"): BALANCED}, "run-1")

    def days(found: list[Entry]) -> list[dt.date]:
        return [e.key.book_date for e in found]

    assert days(books.current("bnpl", HOP)) == [DAY, NEXT, THIRD]
    assert days(books.current("bnpl", HOP, [THIRD, DAY])) == [DAY, THIRD]
    assert days(books.current("bnpl", days=[DAY])) == [DAY, DAY]
    assert books.current("bnpl", days=[]) == []
    assert books.find("nothing") is None
    assert books.days("bnpl") == [DAY, NEXT, THIRD]
    assert books.days("retail") == []


def test_an_entry_opened_again_keeps_what_was_entered_before(books: Books) -> None:
    books.close({key_of(): SHORT, key_of(NEXT): BALANCED}, "run-1")
    books.open([key_of()], "run-2")
    books.fail([key_of()], "run-2")
    books.open([key_of()], "run-3")
    books.close({key_of(): BALANCED}, "run-3")

    history = books.history("bnpl", HOP, DAY)
    assert told(history) == [
        (key_of(), Status.UNBALANCED, "run-1"),
        (key_of(), Status.OPEN, "run-2"),
        (key_of(), Status.FAILED, "run-2"),
        (key_of(), Status.OPEN, "run-3"),
        (key_of(), Status.BALANCED, "run-3"),
    ]
    assert [e.measured for e in history] == [SHORT, NOTHING, NOTHING, NOTHING, BALANCED]
    assert [e.output_ref for e in history] == [SHORT.ref, "", "", "", BALANCED.ref]
    moments = [e.entered_at for e in history]
    assert moments == sorted(moments)
    assert books.current("bnpl", days=[DAY]) == history[-1:]
    assert books.find(key_of().entry_id) == history[-1]


def test_while_it_is_open_again_the_books_say_so(books: Books) -> None:
    books.close({key_of(): BALANCED}, "run-1")
    books.open([key_of()], "run-2")
    assert told(books.current("bnpl")) == [(key_of(), Status.OPEN, "run-2")]
    books.open([], "run-3")
    assert len(books.history("bnpl", HOP, DAY)) == 2


def test_the_history_of_a_day_is_of_its_hop_and_has_all_its_entries(books: Books) -> None:
    newer = key_of(code="new")
    for key in (key_of(), key_of(NEXT), key_of(hop="gold → readers"), newer):
        books.close({key: BALANCED}, "run-1")
    books.close({replace(key_of(), domain="retail"): BALANCED}, "run-1")
    assert [e.key for e in books.history("bnpl", HOP, DAY)] == [key_of(), newer]
    assert books.history("bnpl", HOP, THIRD) == []


def test_what_is_current_stays_so_while_its_successor_is_under_way(books: Books) -> None:
    books.close({key_of(): BALANCED}, "run-1")
    successor = key_of(code="new")
    books.open([successor, key_of(NEXT, code="new")], "run-2")
    assert [e.key for e in books.current("bnpl")] == [key_of(), key_of(NEXT, code="new")]
    books.fail([successor], "run-2")
    assert told(books.current("bnpl", days=[DAY])) == [(key_of(), Status.BALANCED, "run-1")]
    assert told([books.find(successor.entry_id)]) == [(successor, Status.FAILED, "run-2")]
    books.close({successor: BALANCED}, "run-3")
    assert [e.key for e in books.current("bnpl", days=[DAY])] == [successor]


def test_work_that_went_wrong_is_current_where_nothing_else_is(books: Books) -> None:
    books.open([key_of(), key_of(NEXT)], "run-1")
    books.fail([key_of()], "run-2")
    assert told(books.current("bnpl")) == [
        (key_of(), Status.FAILED, "run-2"),
        (key_of(NEXT), Status.OPEN, "run-1"),
    ]


def test_closing_again_is_another_event_with_totals_of_its_own(books: Books) -> None:
    first = Measured({**BALANCED.totals, Side.REJECTED: totals(0)})
    books.close({key_of(): first}, "run-1")
    books.close({key_of(): BALANCED}, "run-2")
    (entry,) = books.current("bnpl")
    assert entry.measured == BALANCED
    assert [e.measured for e in books.history("bnpl", HOP, DAY)] == [first, BALANCED]


def test_an_entrys_identity_is_written_once(books: Books) -> None:
    for run in ("run-1", "run-2"):
        books.open([key_of()], run)
        books.close({key_of(): BALANCED}, run)
    with books.engine.connect() as connection:
        (row,) = connection.execute(sa.select(entry_table)).all()
    assert tuple(row) == (key_of().entry_id, "bnpl", HOP, DAY, "input", "code")


def test_the_store_refuses_a_second_current_entry_of_a_hop_and_day(books: Books) -> None:
    books.close({key_of(): BALANCED}, "run-1")
    books.close({key_of(code="new"): BALANCED}, "run-2")
    with books.engine.begin() as connection:
        (row,) = connection.execute(sa.select(current_table)).mappings().all()
        earlier = {**row, "entry_id": key_of().entry_id, "seq": 1}
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.insert(current_table).values(**earlier))


def test_the_number_of_an_event_is_not_used_again(books: Books) -> None:
    books.open([key_of()], "run-1")
    with books.engine.begin() as connection:
        for table in (current_table, event_table):
            connection.execute(sa.delete(table))
    books.open([key_of()], "run-2")
    with books.engine.connect() as connection:
        assert connection.scalars(sa.select(event_table.c.seq)).all() == [2]


def test_entries_of_one_call_are_entered_together_or_not_at_all(books: Books) -> None:
    broken = Measured({Side.OUT: Totals({"records": None})})  # what no store can hold
    with pytest.raises(sa.exc.IntegrityError):
        books.close({key_of(): BALANCED, key_of(NEXT): broken}, "run-1")
    assert books.current("bnpl") == []
    assert books.find(key_of().entry_id) is None


def test_findings_of_every_audit_stay_in_the_order_found(books: Books) -> None:
    missing = (HOP, DAY, "−1 record, −45.90 USD: a")
    ours = Audited("bnpl", DAY, NEXT, 10, 40, '{"USD":5}')
    books.add_audit(ours, [missing, ("gold → readers", None, "the chain is broken")], "run-1")
    books.add_audit(ours, [], "run-2")
    books.add_audit(ours, [missing], "run-3")
    books.add_audit(replace(ours, domain="retail"), [(HOP, NEXT, "another")], "run-3")
    assert books.findings("bnpl") == [
        missing,
        ("gold → readers", None, "the chain is broken"),
        missing,
    ]
    assert books.findings("gl") == []
    with books.engine.connect() as connection:
        rows = connection.execute(sa.select(finding_table).order_by(finding_table.c.seq)).all()
        audits = connection.execute(sa.select(audit_table).order_by(audit_table.c.seq)).all()
    assert [r.run_id for r in rows] == ["run-1", "run-1", "run-3", "run-3"]
    assert all(row.found_at is not None for row in rows)
    assert [(r.domain, r.run_id, r.findings) for r in audits] == [
        ("bnpl", "run-1", 2),
        ("bnpl", "run-2", 0),
        ("bnpl", "run-3", 1),
        ("retail", "run-3", 1),
    ]
    assert audits[0][2:7] == (DAY, NEXT, 10, 40, '{"USD":5}')


def test_hashes_beyond_64_bits_are_kept_to_the_last_digit(books: Books) -> None:
    huge = totals(10**7, -(10**30), hash_sum=2**100 + 1)
    books.close({key_of(): Measured({Side.IN: huge, Side.OUT: huge})}, "run-1")
    books.engine.dispose()
    again = Books(opened(url_of(books.engine)))
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
    books.close({key_of(): Measured({Side.OUT: Totals({"records": 1})})}, "run-1")
    assert [e.key for e in Books(database).current("bnpl")] == [key_of()]


def test_a_finding_may_name_a_key_with_any_character(books: Books) -> None:
    books.add_findings("bnpl", [(HOP, DAY, "missing: a\0b")], "run-1")
    assert books.findings("bnpl") == [(HOP, DAY, "missing: a␀b")]
