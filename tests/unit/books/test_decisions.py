import pytest
import sqlalchemy as sa

from clearhouse.books.decisions import Decision, Decisions, release_table


@pytest.fixture
def decisions(database: sa.Engine) -> Decisions:
    return Decisions(database)


def test_a_verdict_is_kept_with_its_reasons(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["half the volume – 3 of 6"]), "e2": (True, [])})
    assert decisions.of("e1") == [Decision("raw", False, ("half the volume – 3 of 6",))]
    assert decisions.of("e2") == [Decision("raw", True, ())]
    assert decisions.of("e3") == []
    assert decisions.of("e1")[0].holds
    assert not decisions.of("e2")[0].holds


def test_the_last_verdict_of_a_gate_counts_and_gates_are_apart(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["bad"]), "e2": (False, ["bad"])})
    decisions.record("rules", "v1", {"e1": (False, ["worse"])})
    decisions.record("raw", "v2", {"e1": (True, [])})
    found = decisions.of_many(["e1", "e2"])
    assert {d.gate: (d.passed, d.failures) for d in found["e1"]} == {
        "raw": (True, ()),
        "rules": (False, ("worse",)),
    }
    assert found["e2"] == [Decision("raw", False, ("bad",))]


def test_verdicts_of_a_gate_as_it_was_can_be_left_out(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (True, [])})
    decisions.record("raw", "v2", {"e2": (True, [])})
    assert list(decisions.of_many(["e1", "e2"], "v2")) == ["e2"]
    assert list(decisions.of_many(["e1"], "v2")) == []
    assert list(decisions.of_many(["e1"])) == ["e1"]


def test_a_release_lets_its_entry_pass_its_gate_with_its_reason(
    decisions: Decisions, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    for gate in ("raw", "rules"):
        decisions.record(gate, "v1", {"e1": (False, ["bad"]), "e2": (False, ["bad"])})
    decisions.release("e1", "raw", "a guess")
    decisions.release("e1", "raw", "the source closed early")
    found = {d.gate: d for d in decisions.of("e1")}
    assert found["raw"] == Decision("raw", False, ("bad",), "the source closed early")
    assert not found["raw"].holds
    assert found["rules"].holds
    assert all(d.holds for d in decisions.of("e2"))
    with database.connect() as connection:
        (row,) = connection.execute(sa.select(release_table)).all()
    assert (row.entry_id, row.released_by) == ("e1", "ada")


def test_a_release_stays_when_the_gate_judges_again(decisions: Decisions) -> None:
    decisions.record("raw", "v1", {"e1": (False, ["bad"])})
    decisions.release("e1", "raw", "known")
    decisions.release("e2", "raw", "another")
    decisions.record("raw", "v2", {"e1": (False, ["still bad"]), "e2": (False, [])})
    assert decisions.of("e1") == [Decision("raw", False, ("still bad",), "known")]
    assert decisions.of("e2") == [Decision("raw", False, (), "another")]
