import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import pyarrow as pa
from books_in_memory import DAY, NEXT, MemoryStore, Record, hop_between, key_of

from clearhouse.books import Books, EntryKey, Hop, Side, Status
from clearhouse.books.audit import Watch, audit
from clearhouse.books.certificate import Tree, seal
from clearhouse.books.clerk import Clerk
from clearhouse.books.decisions import Decisions
from clearhouse.books.hop import MAX_NAMED
from clearhouse.books.model import Measured
from clearhouse.core.errors import StoreError

THIRD = dt.date(2024, 3, 11)
RECORDS: tuple[Record, ...] = (("a", 4590, "USD"), ("b", 100, "USD"))


def closed(books: Books, silver: MemoryStore, gold: MemoryStore, **change: object) -> Hop:
    """A hop with two days closed."""
    for store in (silver, gold):
        store.put(*RECORDS, day=NEXT)
    hop = replace(hop_between(silver, out=gold), **change)
    Clerk(books, hop, "run-1").close([key_of(), key_of(NEXT)])
    return hop


def test_undisturbed_stores_hold_what_the_books_say(books: Books) -> None:
    hop = closed(books, MemoryStore(*RECORDS), MemoryStore(*RECORDS))
    audited = audit(books, "bnpl", [hop])
    assert audited.findings == ()
    assert list(audited.entries) == books.current("bnpl")


class TornStore(MemoryStore):
    """A store of which a day can't be read."""

    torn: dt.date | None = None

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """See `Relation`."""
        if self.torn in days:
            raise StoreError("Its file is torn.", "torn")
        return super().rows(days, content)


def test_a_day_that_can_not_be_read_is_a_finding_and_hides_no_other(books: Books) -> None:
    silver, gold = MemoryStore(*RECORDS), TornStore(*RECORDS)
    for store in (silver, gold):
        store.put(*RECORDS, day=THIRD)
    hop = closed(books, silver, gold)
    Clerk(books, hop, "run-1").close([key_of(THIRD)])
    gold.torn = NEXT
    gold.put(RECORDS[0], day=THIRD)
    audited = audit(books, "bnpl", [hop])
    told = {f.entry.key.book_date: (f.reason, f.difference.records) for f in audited.findings}
    assert told == {NEXT: ("Its file is torn.", 0), THIRD: ("", -1)}
    statuses = [entry.status for entry in audited.entries]
    assert statuses == [Status.BALANCED, Status.UNBALANCED, Status.UNBALANCED]


def test_a_stolen_record_is_found_on_its_day_and_named(books: Books) -> None:
    gold = MemoryStore(*RECORDS)
    hop = closed(books, MemoryStore(*RECORDS), gold)
    gold.put(RECORDS[1])
    audited = audit(books, "bnpl", [hop])
    (finding,) = audited.findings
    assert finding.entry.key == key_of()
    assert finding.entry.status is Status.UNBALANCED
    assert finding.entry.totals[Side.OUT].records == 1
    assert finding.difference.records == -1
    assert dict(finding.difference.amounts()) == {"USD": -4590}
    assert [str(n) for n in finding.named] == ["−1 record, −45.90 USD: a"]
    assert (finding.unnamed, finding.drifted) == (0, True)
    assert [e.status for e in audited.entries] == [Status.UNBALANCED, Status.BALANCED]
    assert [e.status for e in books.current("bnpl")] == [Status.BALANCED] * 2
    assert audit(books, "bnpl", [hop], [NEXT]).findings == ()


def test_a_change_on_both_sides_balances_and_is_found_all_the_same(books: Books) -> None:
    silver, gold = MemoryStore(*RECORDS), MemoryStore(*RECORDS)
    hop = closed(books, silver, gold)
    for store in (silver, gold):
        store.put(RECORDS[0])
    (finding,) = audit(books, "bnpl", [hop]).findings
    assert finding.drifted
    assert finding.named == ()
    assert finding.difference.records == -1
    assert dict(finding.difference.amounts()) == {"USD": -100}
    uncertified = replace(hop, certified=False)
    assert audit(books, "bnpl", [uncertified]).findings == ()


def test_of_many_differences_the_first_are_named_and_the_others_counted(books: Books) -> None:
    gold = MemoryStore(*RECORDS)
    hop = closed(books, MemoryStore(*RECORDS), gold)
    gold.put(*RECORDS, *((f"x{n:02}", 1, "USD") for n in range(MAX_NAMED + 3)))
    (finding,) = audit(books, "bnpl", [hop]).findings
    assert [n.record_id for n in finding.named] == [f"x{n:02}" for n in range(MAX_NAMED)]
    assert finding.unnamed == 3


def test_an_imbalance_that_was_mended_is_balanced_again(books: Books) -> None:
    gold = MemoryStore(RECORDS[0])
    hop = closed(books, MemoryStore(*RECORDS), gold, certified=False)
    assert [f.drifted for f in audit(books, "bnpl", [hop]).findings] == [False]
    gold.put(*RECORDS)
    audited = audit(books, "bnpl", [hop])
    assert audited.findings == ()
    assert [e.status for e in audited.entries] == [Status.BALANCED] * 2


def test_a_held_day_stays_held_and_work_under_way_is_told_as_such(books: Books) -> None:
    gold = MemoryStore(*RECORDS)
    hop = closed(books, MemoryStore(*RECORDS), gold)
    Decisions(books.engine).record("raw", "v1", {key_of().entry_id: (False, ["bad"])}, "run-1")
    books.open([key_of(NEXT)], "run-2")
    gold.put(day=NEXT)
    audited = audit(books, "bnpl", [hop])
    told = [(e.key.book_date, e.status) for e in audited.entries]
    assert told == [(DAY, Status.HELD), (NEXT, Status.OPEN)]
    assert audited.findings == ()


def test_a_closed_day_that_was_entered_anew_is_held_against_its_certificate(books: Books) -> None:
    silver, gold = MemoryStore(*RECORDS), MemoryStore(*RECORDS)
    hop = closed(books, silver, gold)
    trees = {hop.name: Tree(2, "6e34")}
    sealed = seal("bnpl", DAY, books.current("bnpl", days=[DAY]), trees, None)
    assert audit(books, "bnpl", [hop], watch=Watch({DAY: sealed})).findings == ()
    for store in (silver, gold):
        store.put(RECORDS[0])
    Clerk(books, hop, "run-2").close([key_of()])
    assert audit(books, "bnpl", [hop]).findings == ()
    (finding,) = audit(books, "bnpl", [hop], watch=Watch({DAY: sealed})).findings
    assert (finding.drifted, finding.unsealed) == (False, True)
    assert finding.entry.status is Status.UNBALANCED
    assert finding.difference.records == -1
    assert dict(finding.difference.amounts()) == {"USD": -100}
    elsewhere = replace(hop, name="landing → bronze")
    assert audit(books, "bnpl", [elsewhere], watch=Watch({DAY: sealed})).findings == ()
    forged = replace(sealed, body="{}")
    assert audit(books, "bnpl", [hop], watch=Watch({DAY: forged})).findings == ()


def test_each_hop_is_audited_by_its_own_stores(books: Books) -> None:
    gold = MemoryStore(*RECORDS)
    silver_to_gold = closed(books, MemoryStore(*RECORDS), gold)
    readers = replace(hop_between(gold, out=MemoryStore(RECORDS[0])), name="gold → readers")
    Clerk(books, readers, "run-1").close([key_of(hop="gold → readers")])
    audited = audit(books, "bnpl", [silver_to_gold, readers])
    assert [(e.key.hop, e.key.book_date) for e in audited.entries] == [
        ("silver → gold", DAY),
        ("silver → gold", NEXT),
        ("gold → readers", DAY),
    ]
    assert [f.entry.key.hop for f in audited.findings] == ["gold → readers"]


def test_books_without_entries_have_nothing_to_audit(books: Books) -> None:
    assert audit(books, "bnpl", [hop_between(MemoryStore(), out=MemoryStore())]).entries == ()


def test_what_was_made_from_an_earlier_input_is_not_held_against_the_newest(books: Books) -> None:
    silver, gold = MemoryStore(*RECORDS), MemoryStore(*RECORDS)
    hop = replace(hop_between(silver, out=gold), upstream="bronze → silver")
    books.close({key_of(hop="bronze → silver"): Measured({})}, "run-1")
    made = EntryKey("bnpl", hop.name, DAY, key_of(hop="bronze → silver").entry_id, "code")
    Clerk(books, hop, "run-1").close([made])
    books.close({key_of(hop="bronze → silver", code="newer"): Measured({})}, "run-2")
    silver.put(RECORDS[0])
    assert audit(books, "bnpl", [hop]).findings == ()
    gold.put(RECORDS[0])
    (finding,) = audit(books, "bnpl", [hop]).findings
    assert (finding.difference.records, finding.named) == (-1, ())
