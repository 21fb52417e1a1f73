"""How the books stand in a few numbers: what is in force counts, and nothing that was before."""

import datetime as dt

import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals

from clearhouse.books import Books, EntryKey, Side, Status, Totals
from clearhouse.books.certificate import Certificate, Certificates
from clearhouse.books.decisions import Decisions
from clearhouse.books.ledger import Audited
from clearhouse.books.model import Digests, Measured
from clearhouse.books.publications import Publications
from clearhouse.books.schema import event_table, verdict_table
from clearhouse.exporter.figures import Figures, Published, Since, read_figures

THIRD = dt.date(2024, 3, 11)
GOLD, READERS = "silver → gold", "gold → readers"
SAME = Digests("5e1", "5e1")


def measured(entering: Totals, leaving: Totals) -> Measured:
    return Measured({Side.IN: entering, Side.OUT: leaving}, SAME)


GOOD = measured(totals(3, 30), totals(3, 30))


def read(database: sa.Engine) -> Figures:
    with database.connect() as connection:
        return read_figures(connection)


def times(database: sa.Engine, column: sa.Column[dt.datetime]) -> list[dt.datetime]:
    """In the order written."""
    with database.connect() as connection:
        return list(connection.scalars(sa.select(column).order_by(column.table.c.seq)))


def test_empty_books_have_no_figures(database: sa.Engine) -> None:
    assert read(database) == Figures()


def test_entries_in_force_are_counted_by_hop_and_status(books: Books, database: sa.Engine) -> None:
    short = measured(totals(3, 30), totals(2, 20))
    books.open([key_of(DAY), key_of(NEXT), key_of(THIRD)], "run-1")
    books.close({key_of(DAY): short, key_of(NEXT): short}, "run-1")
    books.close({key_of(NEXT, code="mended"): GOOD}, "run-2")
    books.close({key_of(hop=READERS): GOOD}, "run-2")
    books.close({EntryKey("retail", GOLD, THIRD, "input", "code"): GOOD}, "run-3")

    found = read(database)

    assert {key: count for key, count in found.entries.items() if count} == {
        ("bnpl", GOLD, Status.UNBALANCED): 1,
        ("bnpl", GOLD, Status.BALANCED): 1,
        ("bnpl", GOLD, Status.OPEN): 1,
        ("bnpl", READERS, Status.BALANCED): 1,
        ("retail", GOLD, Status.BALANCED): 1,
    }
    assert len(found.entries) == 3 * len(Status)
    assert found.days == {"bnpl": 3, "retail": 1}
    assert found.newest_day == {"bnpl": THIRD, "retail": THIRD}
    written = times(database, event_table.c.at)
    assert found.entered_at == {
        ("bnpl", GOLD): written[5],
        ("bnpl", READERS): written[6],
        ("retail", GOLD): written[7],
    }
    assert found.open == {"bnpl": Since(1, written[2])}


def test_what_is_missing_and_what_is_too_much_do_not_cancel(
    books: Books, database: sa.Engine
) -> None:
    books.close(
        {
            key_of(DAY): measured(totals(3, 30), totals(2, 20)),
            key_of(NEXT): measured(totals(3, 30), totals(5, 45)),
            key_of(THIRD): GOOD,
            key_of(DAY, hop=READERS): measured(
                Totals({"records": 1, "minor:USD": 5}), Totals({"records": 1, "minor:EUR": 5})
            ),
        },
        "run-1",
    )

    found = read(database).differences

    assert {place: (of.records, dict(of.amounts())) for place, of in found.items()} == {
        ("bnpl", GOLD): (3, {"USD": 25}),
        ("bnpl", READERS): (0, {"EUR": 5, "USD": 5}),
    }


def test_the_newest_day_is_told_side_by_side(books: Books, database: sa.Engine) -> None:
    newest = measured(totals(7, 70), totals(7, 70))
    books.close({key_of(DAY): GOOD, key_of(NEXT): GOOD}, "run-1")
    books.close({key_of(NEXT, code="again"): newest}, "run-2")
    books.close({key_of(DAY, hop=READERS): GOOD}, "run-2")

    assert read(database).newest_totals == {("bnpl", GOLD): newest.totals}


def test_a_day_is_held_from_the_first_verdict_until_it_is_released(
    books: Books, database: sa.Engine
) -> None:
    decisions = Decisions(database)
    held, passed, unbalanced = key_of(DAY), key_of(NEXT), key_of(THIRD)
    books.close(
        {held: GOOD, passed: GOOD, unbalanced: measured(totals(3), totals(2))},
        "run-1",
    )
    books.close({key_of(DAY, hop=READERS): GOOD}, "run-1")
    every = [held, passed, unbalanced, key_of(DAY, hop=READERS)]
    bad = {key.entry_id: (False, ["half a day"]) for key in every}
    decisions.record("raw", "v1", bad, "run-1")
    decisions.record("raw", "v2", bad | {passed.entry_id: (True, [])}, "run-2")

    found = read(database)

    first = times(database, verdict_table.c.judged_at)[0]
    assert found.held == {"bnpl": Since(2, first)}
    assert {key: count for key, count in found.entries.items() if count} == {
        ("bnpl", GOLD, Status.HELD): 1,
        ("bnpl", GOLD, Status.BALANCED): 1,
        ("bnpl", GOLD, Status.UNBALANCED): 1,
        ("bnpl", READERS, Status.HELD): 1,
    }

    for key in (held, unbalanced, key_of(DAY, hop=READERS)):
        decisions.release(key.entry_id, "raw", ["half a day"], "it is right", "run-3")
    found = read(database)
    assert found.held == {}
    assert found.entries["bnpl", GOLD, Status.BALANCED] == 2
    assert found.entries["bnpl", GOLD, Status.HELD] == 0


def test_a_verdict_on_an_entry_that_was_replaced_holds_nothing(
    books: Books, database: sa.Engine
) -> None:
    books.close({key_of(): GOOD}, "run-1")
    Decisions(database).record("raw", "v1", {key_of().entry_id: (False, ["bad"])}, "run-1")
    books.close({key_of(code="corrected"): GOOD}, "run-2")

    assert read(database).held == {}


def test_readers_see_what_the_last_pointer_of_each_day_says(
    books: Books, database: sa.Engine
) -> None:
    publications = Publications(database)
    publications.add("bnpl", {"bnpl.purchases": {DAY: "a", NEXT: "b", THIRD: "c"}}, "run-1")
    publications.add("bnpl", {"bnpl.purchases": {THIRD: None, DAY: "a2"}}, "run-2")
    publications.add("retail", {"retail.sales": {DAY: None}}, "run-3")
    history = {domain: publications.history(domain) for domain in ("bnpl", "retail")}

    found = read(database)

    assert found.published == {"bnpl.purchases": Published(2, NEXT)}
    assert found.published_at == {domain: made[-1].made_at for domain, made in history.items()}


def test_a_reopened_day_is_not_closed(database: sa.Engine) -> None:
    certificates = Certificates(database)
    for day in (DAY, NEXT, THIRD):
        certificates.add(Certificate("bnpl", day, "{}", f"seal of {day}"), "run-1")
    certificates.reopen("bnpl", NEXT, "late refunds", "run-2")

    assert read(database).closed_days == {"bnpl": 1}


def test_the_last_audit_of_each_domain_counts(books: Books, database: sa.Engine) -> None:
    finding = (GOLD, DAY, "−1 record")
    books.add_audit(Audited("bnpl", DAY, NEXT, 2, 6, "{}"), [finding, finding], "run-1")
    books.add_audit(Audited("bnpl", DAY, DAY, 1, 3, "{}"), [finding], "run-2")
    books.add_audit(Audited("retail", DAY, DAY, 1, 3, "{}"), [], "run-3")
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)

    audits = read(database).audits

    assert {domain: last.findings for domain, last in audits.items()} == {"bnpl": 1, "retail": 0}
    assert before - dt.timedelta(minutes=1) < audits["bnpl"].at <= audits["retail"].at <= before
