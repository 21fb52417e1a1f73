"""The measure that can't be forged: SHA-256 over the columns of the rows in order."""

import hashlib
import json
import struct
from dataclasses import replace

import pytest
from books_in_memory import DAY, NEXT, MemoryStore, Record, hop_between, key_of

from clearhouse.books import Books, Side, Status
from clearhouse.books.audit import Watch, audit
from clearhouse.books.certificate import Certificate, Tree, seal
from clearhouse.books.clerk import Clerk
from clearhouse.books.digests import NO_ROWS
from clearhouse.books.hop import Named

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


def test_a_digest_is_made_of_those_of_the_columns() -> None:
    columns = {
        "_record_id string": struct.pack("<2i", 1, 1) + b"ab",
        "_record_key string": struct.pack("<2i", 12, 12) + b"2024-03-09|a2024-03-09|b",
        "amount_minor int64": struct.pack("<2q", 4590, 100),
        "currency string": struct.pack("<2i", 3, 3) + b"USDUSD",
    }
    hashes = {name: hashlib.sha256(b"\x01\x01" + data) for name, data in columns.items()}
    text = "2 rows\n" + "".join(f"{name} {h.hexdigest()}\n" for name, h in hashes.items())
    assert digest(THREE[1], THREE[0]) == hashlib.sha256(text.encode()).hexdigest()
    assert digest() == NO_ROWS == hashlib.sha256(b"").hexdigest()


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


@pytest.mark.parametrize("edited", [(), (("a", 4591, "USD"),)])
def test_digests_of_another_form_are_not_held_against_rows_but_totals_are(
    books: Books, monkeypatch: pytest.MonkeyPatch, edited: tuple[Record, ...]
) -> None:
    silver, gold = MemoryStore(*THREE), MemoryStore(*THREE)
    hop = hop_between(silver, out=gold)
    monkeypatch.setattr("clearhouse.books.ledger.FORM", "1")
    Clerk(books, hop, "run-1").close([key_of()])
    certificate = seal("bnpl", DAY, books.current("bnpl"), {hop.name: Tree(3, "")}, None)
    earlier = replace_version(certificate, 2)
    monkeypatch.undo()
    for store in (silver, gold) if edited else ():
        store.put(*edited, *THREE[1:])

    assert not books.current("bnpl")[0].digests.leaving
    for watch in (Watch(), Watch({DAY: earlier})):
        findings = audit(books, "bnpl", [hop], watch=watch).findings
        assert [finding.drifted for finding in findings] == [True] * bool(edited)


def replace_version(certificate: Certificate, version: int) -> Certificate:
    """As an earlier version of Clearhouse sealed it."""
    text = json.dumps({**certificate.content, "version": version})
    return replace(certificate, body=text, seal=hashlib.sha256(text.encode()).hexdigest())
