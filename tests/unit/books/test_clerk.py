import pytest
from books_in_memory import DAY, NEXT, MemoryStore, hop_between, key_of

from clearhouse.books import Books, Side, Status
from clearhouse.books.clerk import Clerk, Plan
from clearhouse.books.decisions import Decisions
from clearhouse.books.model import EntryKey, Measured

RECORDS = (("a", 4590, "USD"), ("b", 100, "USD"))
KEYS = {DAY: key_of(), NEXT: key_of(NEXT)}
MARKS = {day: key.entry_id for day, key in KEYS.items()}


class Gold:
    """A clerk over a hop from silver to gold, both holding two days of the same records."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.silver, self.store = MemoryStore(), MemoryStore()
        for day in KEYS:
            self.silver.put(*RECORDS, day=day)
            self.store.put(*RECORDS, day=day)
        self.clerk = Clerk(books, hop_between(self.silver, out=self.store), "run-1")

    def status(self, day=DAY) -> Status | None:
        entry = self.books.find(KEYS[day].entry_id)
        return entry.status if entry else None


@pytest.fixture
def gold(books: Books) -> Gold:
    return Gold(books)


def test_what_is_closed_and_still_there_is_skipped(gold: Gold) -> None:
    gold.clerk.open(KEYS.values())
    assert gold.clerk.close(KEYS.values()) == dict.fromkeys(KEYS, Status.BALANCED)
    assert gold.clerk.plan(KEYS, MARKS) == Plan(skip=(DAY, NEXT))
    (entry, _) = gold.books.current("bnpl")
    assert entry.totals[Side.OUT].records == 2
    assert entry.output_ref == entry.measured.ref
    assert entry.run_id == "run-1"


def test_a_held_day_is_not_done_again(gold: Gold) -> None:
    gold.clerk.close(KEYS.values())
    Decisions(gold.books.engine).record("raw", "v1", {MARKS[DAY]: (False, ["bad"])}, "run-1")
    assert gold.clerk.plan(KEYS, MARKS).skip == (DAY, NEXT)
    assert len(gold.books.history("bnpl", "silver → gold", DAY)) == 1
    assert gold.status() is Status.HELD


def test_a_commit_that_was_never_closed_is_adopted(gold: Gold) -> None:
    gold.clerk.open(KEYS.values())
    assert gold.clerk.plan(KEYS, {DAY: MARKS[DAY]}) == Plan(skip=(DAY,), redo=(NEXT,))
    assert (gold.status(DAY), gold.status(NEXT)) == (Status.BALANCED, Status.OPEN)
    (entry,) = gold.books.current("bnpl", days=[DAY])
    assert entry.output_ref == entry.measured.ref


def test_an_entry_that_went_wrong_and_now_balances_is_adopted(gold: Gold) -> None:
    gold.store.put(RECORDS[0])
    gold.clerk.close(KEYS.values())
    gold.clerk.fail([KEYS[NEXT]])
    assert (gold.status(DAY), gold.status(NEXT)) == (Status.UNBALANCED, Status.FAILED)
    gold.store.put(*RECORDS)
    assert gold.clerk.plan(KEYS, MARKS).redo == ()
    assert (gold.status(DAY), gold.status(NEXT)) == (Status.BALANCED, Status.BALANCED)


def test_without_the_mark_of_the_store_it_is_done_again(gold: Gold) -> None:
    gold.clerk.close(KEYS.values())
    assert gold.clerk.plan(KEYS, {}) == Plan(redo=(DAY, NEXT))
    stale = {DAY: key_of(code="old").entry_id, NEXT: MARKS[NEXT]}
    assert gold.clerk.plan(KEYS, stale) == Plan(skip=(NEXT,), redo=(DAY,))


def test_a_store_that_lost_a_record_is_done_again(gold: Gold) -> None:
    gold.clerk.close(KEYS.values())
    gold.store.put(RECORDS[0])
    assert gold.clerk.plan(KEYS, MARKS) == Plan(skip=(NEXT,), redo=(DAY,))
    assert gold.status() is Status.BALANCED


def test_a_hop_that_balances_but_is_not_what_was_left_is_done_again(gold: Gold) -> None:
    gold.clerk.close(KEYS.values())
    gold.silver.put(RECORDS[0])
    gold.store.put(RECORDS[0])
    assert gold.clerk.plan(KEYS, MARKS) == Plan(skip=(NEXT,), redo=(DAY,))


def test_a_mark_without_balance_is_not_adopted(gold: Gold) -> None:
    gold.clerk.open(KEYS.values())
    gold.store.put(RECORDS[0])
    assert gold.clerk.plan(KEYS, MARKS) == Plan(skip=(NEXT,), redo=(DAY,))
    assert gold.status() is Status.OPEN


def test_closing_measures_what_is_there_and_not_what_was_meant(gold: Gold) -> None:
    gold.clerk.open(KEYS.values())
    gold.store.put(RECORDS[0])
    assert gold.clerk.close(KEYS.values()) == {DAY: Status.UNBALANCED, NEXT: Status.BALANCED}


def test_work_that_went_wrong_is_marked(gold: Gold) -> None:
    gold.clerk.open(KEYS.values())
    gold.clerk.fail([KEYS[DAY]])
    assert (gold.status(DAY), gold.status(NEXT)) == (Status.FAILED, Status.OPEN)


def test_another_hop_of_the_day_is_not_taken_for_this_one(gold: Gold) -> None:
    readers = EntryKey("bnpl", "gold → readers", DAY, *MARKS.values())
    gold.books.close({readers: Measured({})}, "run-1")

    assert gold.clerk.plan(KEYS, {DAY: MARKS[DAY]}) == Plan(skip=(DAY,), redo=(NEXT,))
    assert gold.status() is Status.BALANCED


def test_what_was_entered_without_a_column_stays_though_the_contract_has_it_now(
    gold: Gold,
) -> None:
    gold.clerk.close(KEYS.values())
    grown = hop_between(gold.silver, out=gold.store, content=("status",))

    assert Clerk(gold.books, grown, "run-2").plan(KEYS, MARKS) == Plan(skip=(DAY, NEXT))


def test_nothing_to_do_is_no_work(gold: Gold) -> None:
    assert gold.clerk.plan({}, MARKS) == Plan()
    assert gold.clerk.close([]) == {}
