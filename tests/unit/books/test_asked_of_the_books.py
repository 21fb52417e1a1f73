"""What the pipeline asks of the books: lineage, state, what is shown, verified and found."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, MemoryStore, hop_between, key_of, totals

from clearhouse.books import Books, Side, Status
from clearhouse.books.audit import Watch, audit
from clearhouse.books.decisions import Decisions
from clearhouse.books.digests import digests_asked, digests_of
from clearhouse.books.journal import Head, Journal, link
from clearhouse.books.ledger import Audited
from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.books.model import Digests, EntryKey, Measured, digest
from clearhouse.books.publications import Cause, Publications
from clearhouse.books.verified import Verified

BALANCED = Measured({Side.IN: totals(1, 5), Side.OUT: totals(1, 5)}, Digests("d", "d"))
LATER = dt.date(2024, 7, 1)
RECORDS = (("r1", 4590, "USD"), ("r2", 100, "USD"))


def test_an_entry_is_followed_back_to_what_landed(books: Books) -> None:
    landed = EntryKey("bnpl", "landing → bronze", DAY, "bytes", "code")
    silver = EntryKey("bnpl", "bronze → silver", DAY, landed.entry_id, "code")
    gold = EntryKey("bnpl", "silver → gold", DAY, silver.entry_id, "code")
    books.close(dict.fromkeys((landed, silver, gold), BALANCED), "run-1")

    assert [e.key for e in books.lineage(gold.entry_id)] == [gold, silver, landed]
    assert [e.key for e in books.lineage(landed.entry_id)] == [landed]
    assert books.lineage("unknown") == []


def test_all_entries_are_known_and_the_current_ones_told_apart(books: Books) -> None:
    earlier, later = key_of(code="1"), key_of(code="2")
    retail = EntryKey("retail", "silver → gold", DAY, "input", "code")
    for key in (earlier, later, retail):
        books.close({key: BALANCED}, "run-1")

    known, current = books.keys("bnpl")

    assert known == {earlier.entry_id: earlier, later.entry_id: later}
    assert current == {later.entry_id}


def test_entries_are_found_by_when_something_happened_to_them(books: Books) -> None:
    first, second = key_of(), key_of(NEXT)
    before = dt.datetime.now(dt.UTC)
    books.close({first: BALANCED}, "run-1")
    between = dt.datetime.now(dt.UTC)
    books.close({second: BALANCED, key_of(hop="bronze → silver"): BALANCED}, "run-2")
    books.close({EntryKey("retail", "silver → gold", DAY, "input", "code"): BALANCED}, "run-2")
    after = dt.datetime.now(dt.UTC)

    both = {first.entry_id: DAY, second.entry_id: NEXT}
    assert books.entered("bnpl", "silver → gold", None) == both
    assert books.entered("bnpl", "silver → gold", before, after) == both
    assert books.entered("bnpl", "silver → gold", None, between) == {first.entry_id: DAY}
    assert books.entered("bnpl", "silver → gold", between) == {second.entry_id: NEXT}
    assert books.entered("bnpl", "silver → gold", after) == {}


def test_domains_are_those_with_entries(books: Books) -> None:
    assert books.domains() == []
    for domain in ("retail", "bnpl", "retail"):
        books.open([EntryKey(domain, "silver → gold", DAY, "input", "code")], "run-1")
    assert books.domains() == ["bnpl", "retail"]


def test_the_state_changes_with_all_that_an_entry_follows_from(books: Books) -> None:
    decisions, entry_id = Decisions(books.engine), key_of().entry_id
    seen = {books.state()}
    books.open([key_of()], "run-1")
    seen.add(books.state())
    decisions.record("gate", "rules", {entry_id: (False, ["few"])}, "run-1")
    seen.add(books.state())
    decisions.release(entry_id, "gate", ["few"], "a holiday", "run-1")
    seen.add(books.state())
    Publications(books.engine).add("bnpl", {"bnpl.x": {DAY: entry_id}}, "run-1")
    seen.add(books.state())

    assert len(seen) == 5
    assert books.state() in seen


def test_the_last_pointer_of_each_day_is_shown_with_its_cause(database: sa.Engine) -> None:
    publications = Publications(database)
    publications.add("bnpl", {"bnpl.x": {DAY: "1", NEXT: "2"}, "bnpl.y": {DAY: "9"}}, "run-1")
    publications.add("bnpl", {"bnpl.x": {DAY: None}}, "run-2", Cause.ROLLBACK, "wrong")

    assert publications.shown("bnpl.x") == {DAY: (None, Cause.ROLLBACK), NEXT: ("2", Cause.RUN)}
    assert publications.shown("bnpl.y") == {DAY: ("9", Cause.RUN)}
    assert publications.shown("bnpl.z") == {}


def test_a_day_was_verified_when_it_was_looked_at_last(database: sa.Engine) -> None:
    verified = Verified(database)
    verified.add("bnpl", {DAY: 0, NEXT: None}, "run-1")
    before = verified.last("bnpl")
    verified.add("bnpl", {DAY: 2}, "run-2")
    verified.add("retail", {LATER: 0}, "run-2")

    last = verified.last("bnpl")

    assert before.keys() == last.keys() == {DAY, NEXT}
    assert last[DAY] > before[DAY] == before[NEXT] == last[NEXT]


def test_what_was_found_stays_in_the_order_found(books: Books) -> None:
    books.add_findings("bnpl", [("silver → gold", DAY, "a cent"), ("books", None, "red")], "run-1")
    audited = Audited("bnpl", DAY, DAY, 1, 1, "{}")
    books.add_audit(audited, [("gold → readers", NEXT, "stale")], "run-2")
    books.add_findings("retail", [("silver → gold", DAY, "a row")], "run-3")

    assert books.findings("bnpl") == [
        ("silver → gold", DAY, "a cent"),
        ("books", None, "red"),
        ("gold → readers", NEXT, "stale"),
    ]
    assert books.findings("retail") == [("silver → gold", DAY, "a row")]


def test_a_row_of_the_journal_is_followed_to_the_head(books: Books) -> None:
    journal = Journal(books.engine)
    for key in (key_of(), key_of(NEXT)):
        books.open([key], "run-1")
    then = journal.head()
    books.add_findings("bnpl", [("books", None, "100% _red_")], "run-1")
    first = journal.head()
    books.add_findings("bnpl", [("books", None, "100% _red_ again")], "run-1")
    books.open([key_of(LATER)], "run-2")

    place = journal.place_of("findings", "100% _red_")

    assert place is not None
    assert (place["length"], place["kind"]) == (3, "findings")
    assert (place["prev"], place["hash"]) == (then.hash, first.hash)
    assert '"finding":["100% _red_"]' in place["body"]
    reached = link(place["prev"], place["kind"], digest(place["body"]))
    assert reached == place["hash"]
    assert [each["kind"] for each in place["links"]] == ["findings", "entries"]
    for each in place["links"]:
        reached = link(reached, each["kind"], each["body_digest"])
    assert Head(place["length"] + len(place["links"]), reached) == journal.head()
    assert journal.place_of("entries", "100% _red_") is None
    assert journal.place_of("findings", "100_ %red%") is None


def test_rows_of_many_days_are_asked_for_some_at_a_time() -> None:
    days = [DAY + dt.timedelta(days=n) for n in range(150)]
    asked: list[list[dt.date]] = []

    def rows_of(some: Sequence[dt.date]) -> pa.Table:
        rows = [(day, str(day), f"{day}|1", 1, "USD") for day in some]
        return pa.table([*zip(*rows, strict=True)], schema=SPINE_SCHEMA)

    def rows(some: Sequence[dt.date], content: Sequence[str]) -> pa.Table:
        asked.append(list(some))
        assert content == ["booth"]
        return rows_of(some)

    found = digests_asked(rows, days, ["booth"])

    assert [len(some) for some in asked] == [64, 64, 22]
    assert [day for some in asked for day in some] == days
    assert found == digests_of(rows_of(days), days)
    assert digests_asked(rows, [], ["booth"]) == {}


def test_a_day_that_readers_must_see_is_measured_though_nothing_was_entered(books: Books) -> None:
    hop = hop_between(MemoryStore(*RECORDS), out=MemoryStore(RECORDS[0]))
    watch = Watch(visible={hop.name: [DAY]})

    (finding,) = audit(books, "bnpl", [hop], watch=watch).findings

    assert finding.entry.key == EntryKey("bnpl", hop.name, DAY, "", "")
    assert finding.entry.status is Status.UNBALANCED
    assert (finding.difference.records, len(finding.named)) == (-1, 1)
    assert audit(books, "bnpl", [hop]).findings == ()


@pytest.mark.parametrize("is_behind", [False, True])
def test_what_a_run_left_open_is_measured_where_readers_see_it(
    books: Books, *, is_behind: bool
) -> None:
    """But not against an input that it was not made from."""
    before = EntryKey("bnpl", "bronze → silver", DAY, "input", "code")
    books.close({before: BALANCED}, "run-1")
    robbed = hop_between(MemoryStore(*RECORDS), out=MemoryStore(RECORDS[0]))
    hop = replace(robbed, upstream=before.hop)
    made_from = "an earlier entry" if is_behind else before.entry_id
    books.open([EntryKey("bnpl", hop.name, DAY, made_from, "code")], "killed")

    found = audit(books, "bnpl", [hop], watch=Watch(visible={hop.name: [DAY]}))

    assert [f.entry.key.book_date for f in found.findings] == ([] if is_behind else [DAY])
    assert not audit(books, "bnpl", [hop]).findings
