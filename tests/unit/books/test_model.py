import datetime as dt
import json
from dataclasses import replace

import pytest
from books_in_memory import DAY, key_of, totals

from clearhouse.books import Entry, EntryKey, Side, Status, Totals
from clearhouse.books.model import Digests, Measured, canonical, difference, digest

# printf '4:bnpl15:silver → gold10:2024-03-092:in4:code' | sha256sum
PINNED_ID = "c410d53c7784cd454e498b01624b443422a0c91ab2db0196e6c029f850d7f3af"
# printf '127:<the text below>' | sha256sum
CANONICAL = (
    '{"duplicate":{"hash":1,"records":1},"in":{"hash":8,"minor:USD":4590,"records":2},'
    '"out":{"hash":7,"minor:USD":4590,"records":1}}'
)


def test_the_id_of_an_entry_is_the_same_for_ever() -> None:
    key = EntryKey("bnpl", "silver → gold", DAY, "in", "code")
    assert key.entry_id == PINNED_ID
    assert Entry(key, Status.OPEN).entry_id == PINNED_ID


@pytest.mark.parametrize(
    "change",
    [
        {"domain": "retail"},
        {"hop": "gold → readers"},
        {"book_date": dt.date(2024, 3, 10)},
        {"input_hash": "other"},
        {"code_hash": "other"},
    ],
    ids=["domain", "hop", "day", "input", "code"],
)
def test_every_part_of_the_key_is_part_of_the_id(change: dict) -> None:
    assert replace(key_of(), **change).entry_id != key_of().entry_id


def test_the_digest_of_texts_tells_apart_where_one_ends() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("ab", "c", "")}) == 4


def test_totals_of_nothing_are_false_and_equal_however_they_are_said() -> None:
    nothing = Totals()
    assert nothing == totals(0) == Totals({"minor:EUR": 0})
    assert dict(nothing.measures) == {"records": 0, "hash": 0}
    assert not nothing
    assert nothing.records == nothing["minor:USD"] == 0


@pytest.mark.parametrize("measure", ["records", "hash", "minor:USD"])
def test_any_measure_makes_totals_true(measure: str) -> None:
    assert Totals({measure: -1})


def test_totals_add_up_measure_by_measure() -> None:
    one = Totals({"records": 1, "hash": 10, "minor:USD": 100})
    two = Totals({"records": 2, "hash": 5, "minor:EUR": 7})
    assert dict((one + two).measures) == {
        "records": 3,
        "hash": 15,
        "minor:USD": 100,
        "minor:EUR": 7,
    }
    assert dict((one - two).measures) == {
        "records": -1,
        "hash": 5,
        "minor:USD": 100,
        "minor:EUR": -7,
    }
    assert one - one == Totals()
    assert (one + two).records == 3
    assert list((one + two).amounts()) == [("EUR", 7), ("USD", 100)]


def test_the_difference_is_what_came_out_less_what_went_in() -> None:
    sides = {Side.IN: totals(3, 600), Side.OUT: totals(1, 100), Side.REJECTED: totals(1, 300)}
    assert difference(sides) == totals(-1, -200)
    sides[Side.SUPERSEDED] = totals(1, 200)
    assert not difference(sides)
    assert difference({Side.IN: totals(1, 5)}) == totals(-1, -5)
    assert Entry(key_of(), Status.OPEN, sides | {Side.IGNORED: totals(1, 0)}).difference == totals(
        1
    )


def test_without_a_count_of_the_source_there_is_nothing_to_balance() -> None:
    assert difference({Side.OUT: totals(3, 600)}) == Totals()


def test_totals_have_one_canonical_form_and_digest() -> None:
    sides = {
        Side.OUT: Totals({"records": 1, "minor:USD": 4590, "hash": 7}),
        Side.DUPLICATE: Totals({"records": 1, "hash": 1}),
        Side.IN: Totals({"hash": 8, "minor:USD": 4590, "records": 2}),
    }
    assert list(canonical(sides)) == ["in", "out", "duplicate"]
    assert list(canonical(sides)["in"]) == ["hash", "minor:USD", "records"]
    assert canonical(sides) == json.loads(CANONICAL)
    ref = Measured(sides).ref
    assert ref == Measured(dict(reversed(sides.items()))).ref
    others = (Digests("a"), Digests("", "a"), Digests("", "", ("a",)))
    assert len({ref, *(Measured(sides, each).ref for each in others)}) == 4


def test_what_balances_is_equal_in_its_totals_and_row_by_row() -> None:
    sides = {Side.IN: totals(1, 5), Side.OUT: totals(1, 5)}
    assert Measured(sides, Digests("a", "a")).balances
    assert not Measured(sides, Digests("a", "b")).balances
    assert not Measured(sides | {Side.OUT: totals(1, 6)}, Digests("a", "a")).balances
    assert Measured({Side.OUT: totals(1, 5)}, Digests("", "b")).balances
