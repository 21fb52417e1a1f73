import datetime as dt
import json

import pytest
import sqlalchemy as sa
from books_in_memory import DAY, NEXT, key_of, totals

from clearhouse.books import Books, Side, Status
from clearhouse.books.decisions import Decision, Decisions
from clearhouse.books.model import Measured
from clearhouse.books.schema import release_table, verdict_table


@pytest.fixture
def decisions(database: sa.Engine) -> Decisions:
    return Decisions(database)


def test_a_verdict_is_kept_with_its_reasons_and_its_rules(decisions: Decisions) -> None:
    failure = "half the volume – 3 of 6"
    decisions.record("raw", "v1", {"e1": (False, [failure]), "e2": (True, [])}, "run-1")
    assert decisions.of("e1") == [Decision("raw", False, (failure,), None, "v1")]
    assert decisions.of("e2") == [Decision("raw", True, (), None, "v1")]
    assert decisions.of("e3") == []
    assert decisions.of("e1")[0].holds
    assert not decisions.of("e2")[0].holds


def test_the_last_verdict_of_a_gate_counts_and_gates_are_apart(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["bad"]), "e2": (False, ["bad"])}, "run-1")
    decisions.record("rules", "v1", {"e1": (False, ["worse"])}, "run-1")
    decisions.record("raw", "v2", {"e1": (True, [])}, "run-2")
    found = decisions.of_many(["e1", "e2"])
    assert {d.gate: (d.passed, d.failures, d.gate_hash) for d in found["e1"]} == {
        "raw": (True, (), "v2"),
        "rules": (False, ("worse",), "v1"),
    }
    assert found["e2"] == [Decision("raw", False, ("bad",), None, "v1")]


def test_a_verdict_that_changed_leaves_the_earlier_one_in_the_books(
    decisions: Decisions, database: sa.Engine
) -> None:
    before = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    for number, passed in ((1, False), (2, True), (3, False)):
        failures = [] if passed else [f"bad {number} – €"]
        decisions.record("raw", f"v{number}", {"e1": (passed, failures)}, f"run-{number}")
    with database.connect() as connection:
        rows = connection.execute(sa.select(verdict_table).order_by(verdict_table.c.seq)).all()
    assert [(r.gate_hash, r.passed, json.loads(r.failures), r.run_id) for r in rows] == [
        ("v1", False, ["bad 1 – €"], "run-1"),
        ("v2", True, [], "run-2"),
        ("v3", False, ["bad 3 – €"], "run-3"),
    ]
    assert all(row.judged_at.replace(tzinfo=None) >= before for row in rows)
    assert "€" in rows[0].failures, "readable to a person with a SQL shell"


def test_nothing_judged_is_nothing_written(decisions: Decisions, database: sa.Engine) -> None:
    decisions.record("raw", "v1", {}, "run-1")
    assert decisions.of_many([]) == {}
    with database.connect() as connection:
        assert connection.execute(sa.select(verdict_table)).all() == []


def test_a_release_lets_its_entry_pass_its_gate_with_its_reason(decisions: Decisions) -> None:
    for gate in ("raw", "rules"):
        verdicts = {"e1": (False, ["bad"]), "e2": (False, ["bad"])}
        decisions.record(gate, "v1", verdicts, "run-1")
    decisions.release("e1", "raw", ["bad"], "the source closed early", "run-2")
    found = {d.gate: d for d in decisions.of("e1")}
    assert found["raw"] == Decision("raw", False, ("bad",), "the source closed early", "v1")
    assert not found["raw"].holds
    assert found["rules"].holds
    assert all(d.holds for d in decisions.of("e2"))


def test_two_releases_stay_and_the_later_reason_is_told(
    decisions: Decisions, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["bad", "worse – 1"])}, "run-1")
    for number, (who, reason) in enumerate((("ada", "a guess"), ("bob", "the source said so")), 2):
        monkeypatch.setattr("getpass.getuser", lambda who=who: who)
        decisions.release("e1", "raw", ["bad", "worse – 1"], reason, f"run-{number}")
    (decision,) = decisions.of("e1")
    assert decision.release_reason == "the source said so"
    with database.connect() as connection:
        rows = connection.execute(sa.select(release_table).order_by(release_table.c.seq)).all()
    assert [
        (r.entry_id, r.gate, json.loads(r.failures), r.reason, r.released_by, r.run_id)
        for r in rows
    ] == [
        ("e1", "raw", ["bad", "worse – 1"], "a guess", "ada", "run-2"),
        ("e1", "raw", ["bad", "worse – 1"], "the source said so", "bob", "run-3"),
    ]
    assert "–" in rows[0].failures, "readable to a person with a SQL shell"


def test_a_release_covers_the_failures_it_names_and_no_later_ones(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["a", "b"])}, "run-1")
    decisions.release("e1", "raw", ["a"], "only half of it", "run-2")
    assert decisions.of("e1")[0].holds
    decisions.release("e1", "raw", ["a", "b"], "all of it", "run-3")
    decisions.release("e1", "raw", ["c"], "something else", "run-3")
    assert decisions.of("e1")[0].release_reason == "all of it"

    decisions.record("raw", "v2", {"e1": (False, ["b"])}, "run-4")
    assert decisions.of("e1")[0].release_reason == "all of it", "a part of what was released"
    decisions.record("raw", "v3", {"e1": (False, ["a", "b", "d"])}, "run-5")
    (decision,) = decisions.of("e1")
    assert (decision.holds, decision.release_reason) == (True, None)


def test_a_release_before_a_verdict_is_no_verdict(decisions: Decisions) -> None:
    decisions.release("e1", "raw", ["a"], "early", "run-1")
    assert decisions.of("e1") == []


def test_more_entries_than_one_statement_takes_are_all_found(decisions: Decisions) -> None:
    ids = [f"e{number}" for number in range(1_203)]
    decisions.record("raw", "v1", {each: (False, ["bad"]) for each in ids}, "run-1")
    decisions.release(ids[-1], "raw", ["bad"], "why", "run-2")
    found = decisions.of_many(ids)
    assert list(found) == ids
    assert [each for each in ids if not found[each][0].holds] == [ids[-1]]


def test_an_entry_is_held_by_any_gate_while_it_balances(books: Books, decisions: Decisions) -> None:
    even = {Side.IN: totals(1, 5), Side.OUT: totals(1, 5)}
    uneven = {**even, Side.OUT: totals(0)}
    books.close({key_of(): Measured(even), key_of(NEXT): Measured(uneven)}, "run-1")
    entry_id = key_of().entry_id
    decisions.record("raw", "v1", {entry_id: (True, [])}, "run-1")
    verdicts = {each: (False, ["bad"]) for each in (entry_id, key_of(NEXT).entry_id)}
    decisions.record("rules", "v1", verdicts, "run-1")

    def statuses() -> list[Status]:
        return [entry.status for entry in books.current("bnpl", days=[DAY, NEXT])]

    assert statuses() == [Status.HELD, Status.UNBALANCED]
    assert books.find(entry_id).status is Status.HELD
    decisions.release(entry_id, "rules", ["bad"], "known", "run-2")
    assert statuses() == [Status.BALANCED, Status.UNBALANCED]
    books.open([key_of()], "run-3")
    decisions.record("raw", "v2", {entry_id: (False, ["new"])}, "run-3")
    assert statuses() == [Status.OPEN, Status.UNBALANCED]
