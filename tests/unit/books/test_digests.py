"""The measure that can't be forged: SHA-256 over the rows' texts in order."""

import hashlib

import pyarrow as pa
import pytest
from books_in_memory import DAY, NEXT, MemoryStore, Record, hop_between, key_of

from clearhouse.books import Books, Side, Status
from clearhouse.books.audit import audit
from clearhouse.books.clerk import Clerk
from clearhouse.books.hop import Named
from clearhouse.books.measure import NO_ROWS, digests_of, texts_of
from clearhouse.core.columnar import DIALECT, query

THREE: tuple[Record, ...] = (("a", 4590, "USD"), ("b", 100, "USD"), ("c", -250, "JPY"))
# Cents moved from each odd record to the one before it, found by a generalized-birthday search in
# five seconds: count, sum and additive hash stay as they are.
MOVED = (1636, 47273, 54958, 10716, 21707, 51871, 63981, 38803)
HONEST: tuple[Record, ...] = tuple((f"r{n:02}", 100_000, "USD") for n in range(16))
FORGED: tuple[Record, ...] = tuple(
    (f"r{n:02}", 100_000 + (-MOVED[n // 2] if n % 2 else MOVED[n // 2]), "USD") for n in range(16)
)


def digest(*records: Record) -> str:
    return MemoryStore(*records).digests([DAY], ())[DAY]


def test_a_forged_sum_does_not_balance_and_every_record_is_named(books: Books) -> None:
    silver, gold = MemoryStore(*HONEST), MemoryStore(*HONEST)
    hop = hop_between(silver, out=gold)
    Clerk(books, hop, "run-1").close([key_of()])
    gold.put(*FORGED)

    found = hop.measure([DAY])[DAY]
    assert found.totals[Side.IN] == found.totals[Side.OUT]
    assert not found.balances
    (finding,) = audit(books, "bnpl", [hop]).findings
    assert not finding.difference
    assert sorted(n.record_id for n in finding.named) == [r[0] for r in HONEST]
    assert "r00: 1000.00 USD became 1016.36 USD" in map(str, finding.named)
    assert Clerk(books, hop, "run-2").close([key_of()]) == {DAY: Status.UNBALANCED}


def test_a_digest_is_what_sort_and_sha256sum_give() -> None:
    lines = ['["a","2024-03-09|a",4590,"USD"]\n', '["b","2024-03-09|b",100,"USD"]\n']
    assert digest(THREE[1], THREE[0]) == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert digest() == NO_ROWS == hashlib.sha256(b"").hexdigest()
    in_memory = texts_of(MemoryStore(*THREE).rows([DAY]))
    assert digests_of(in_memory, [DAY]) == {DAY: digest(*THREE)}


@pytest.mark.parametrize(
    "others",
    [
        (("b", 4590, "USD"), ("a", 100, "USD"), THREE[2]),
        (THREE[0], THREE[0], THREE[2]),
        (*THREE, THREE[1]),
        (("a", 4590, "EUR"), *THREE[1:]),
        (('a","', 4590, "USD"), *THREE[1:]),
        (("", 4590, "USD"), *THREE[1:]),
        ((None, 4590, "USD"), *THREE[1:]),
        (("a", None, "USD"), *THREE[1:]),
        (("a", 4590, None), *THREE[1:]),
    ],
)
def test_other_rows_have_another_digest_in_whatever_order(others: tuple[Record, ...]) -> None:
    assert digest(*others) == digest(*reversed(others))
    assert digest(*others) not in (digest(*THREE), digest(("", 4590, "USD"), *THREE[2:]))


def test_rows_of_several_sides_are_merged_in_order() -> None:
    again = THREE[1]
    hop = hop_between(
        MemoryStore(*THREE, again),
        out=MemoryStore(THREE[2], THREE[1]),
        rejected=MemoryStore(THREE[0]),
        duplicate=MemoryStore(again),
    )
    measured = hop.measure([DAY, NEXT])
    assert measured[DAY].digests.entering == measured[DAY].digests.leaving == digest(*THREE, again)
    assert measured[DAY].balances
    assert measured[NEXT].digests.leaving == NO_ROWS


def test_a_changed_column_is_named_with_what_it_was_and_became(books: Books) -> None:
    silver, gold = MemoryStore(*THREE), MemoryStore(*THREE)
    for store in (silver, gold):
        store.content = {("a", "status"): "completed", ("b", "status"): ""}
    hop = hop_between(silver, out=gold, content=("status",))
    Clerk(books, hop, "run-1").close([key_of()])
    assert audit(books, "bnpl", [hop]).findings == ()

    gold.content |= {("a", "status"): "refunded", ("b", "status"): None}

    (finding,) = audit(books, "bnpl", [hop]).findings
    assert list(map(str, finding.named)) == [
        'a: status "completed" became "refunded"',
        'b: status "" became NULL',
    ]
    amounts = {"records": 0, "minor": 0, "currency": "", "amount_in": 0, "amount_out": 0}
    assert finding.named[0] == Named(
        "a",
        f"{DAY}|a",
        "changed",
        **amounts,
        currency_out="",
        column="status",
        before='"completed"',
        after='"refunded"',
    )
    assert not hop_between(silver, out=gold).measure([DAY])[DAY].digests.content


def test_the_same_change_on_both_sides_is_no_longer_what_was_entered(books: Books) -> None:
    silver, gold = MemoryStore(*THREE), MemoryStore(*THREE)
    hop = hop_between(silver, out=gold, content=("status",))
    clerk = Clerk(books, hop, "run-1")
    clerk.close([key_of()])
    for store in (silver, gold):
        store.content = {("a", "status"): "refunded"}

    (finding,) = audit(books, "bnpl", [hop]).findings
    assert finding.drifted
    assert clerk.plan({DAY: key_of()}, {DAY: key_of().entry_id}).redo == (DAY,)


def test_what_was_entered_is_measured_over_the_columns_known_then(books: Books) -> None:
    silver, gold = MemoryStore(*THREE), MemoryStore(*THREE)
    Clerk(books, hop_between(silver, out=gold), "run-1").close([key_of()])
    grown = hop_between(silver, out=gold, content=("status",))

    assert audit(books, "bnpl", [grown]).findings == ()
    Clerk(books, grown, "run-2").close([key_of()])
    assert books.current("bnpl")[0].digests.content == ("status",)


def test_values_that_json_has_no_exact_form_for_are_told_apart() -> None:
    kinds = {"m": pa.decimal128(20, 2), "f": pa.float64(), "t": pa.timestamp("us", "UTC")}
    sql = DIALECT.row_text(kinds)

    def text(zone: str) -> str:
        answer = query(
            f"""SELECT {sql} AS text FROM (SELECT 123456789012345678.90::DECIMAL(20, 2) AS m,
                0.1::DOUBLE + 0.2::DOUBLE AS f, '2024-03-09 12:00:00{zone}'::TIMESTAMPTZ AS t)"""
        )
        return str(answer["text"][0])

    assert text("+00") == '["123456789012345678.90",0.30000000000000004,1709985600000000]\n'
    assert text("+01") != text("+00") == text("+00")
