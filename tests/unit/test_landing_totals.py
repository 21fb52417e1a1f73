"""Totals of landed bytes are kept over processes, for one state of the code that measured them."""

import json

import sqlalchemy as sa

from clearhouse.books.measure import Counted
from clearhouse.books.model import Totals
from clearhouse.store.landing_totals import LandingTotals

BEYOND_64_BITS = 3 * 2**64 + 1  # a hash of many records is
FOUND = {
    "all": Counted(
        Totals({"records": 3, "hash": BEYOND_64_BITS, "minor:USD": -5, "minor:JPY": 7}), "5e1"
    ),
    "repeated": Counted(),
}
OTHER = {"all": Counted(Totals({"records": 1}), "0f2"), "repeated": Counted()}


def test_what_was_kept_is_there_for_the_next_process_to_the_last_digit(
    database: sa.Engine,
) -> None:
    first = LandingTotals(database, "code")
    first.keep({"a": FOUND, "b": OTHER})

    for memory in (first, LandingTotals(database, "code")):
        assert (memory.get("a"), memory.get("b"), memory.get("c")) == (FOUND, OTHER, None)


def test_what_another_state_of_the_code_measured_is_not_used_and_not_lost(
    database: sa.Engine,
) -> None:
    LandingTotals(database, "old").keep({"a": FOUND})

    new = LandingTotals(database, "new")
    assert new.get("a") is None
    new.keep({"a": OTHER})

    assert LandingTotals(database, "old").get("a") == FOUND
    assert LandingTotals(database, "new").get("a") == OTHER


def test_what_is_known_stays_as_it_is(database: sa.Engine) -> None:
    memory = LandingTotals(database, "code")
    memory.keep({"a": FOUND})
    memory.keep({"a": OTHER, "b": OTHER})

    for each in (memory, LandingTotals(database, "code")):
        assert (each.get("a"), each.get("b")) == (FOUND, OTHER)


def test_two_processes_may_keep_the_same(database: sa.Engine) -> None:
    one, other = LandingTotals(database, "code"), LandingTotals(database, "code")
    one.keep({"a": FOUND, "b": OTHER})
    other.keep({"a": FOUND, "c": OTHER})

    memory = LandingTotals(database, "code")
    assert [memory.get(content) for content in "abc"] == [FOUND, OTHER, OTHER]


def test_what_is_read_does_not_grow_with_what_was_ever_kept(database: sa.Engine) -> None:
    LandingTotals(database, "code").keep({f"content {n}": OTHER for n in range(1_200)})
    asked_for: list[int] = []

    @sa.event.listens_for(database, "after_cursor_execute")
    def _note(_connection, _cursor, statement, parameters, *_others) -> None:
        if statement.startswith("SELECT"):
            *_, values = parameters.values() if isinstance(parameters, dict) else parameters
            asked_for.append(len(values if isinstance(values, list) else json.loads(values)))

    memory = LandingTotals(database, "code")
    assert memory.get("content 7") == OTHER
    assert asked_for == [1]

    many = [f"content {n}" for n in range(1_100)]
    memory.load(many)
    assert [memory.get(content) for content in many] == [OTHER] * len(many)
    assert asked_for == [1, 1_099]
