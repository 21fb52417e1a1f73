"""Labelled faults of a generated ledger: each is found and named, and a clean year has none."""

import datetime as dt
from collections import Counter

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from gl_tiny import TinyLedger

from clearhouse.gl.findings import KINDS, Finding, found_in
from clearhouse.sandbox.gl.faults import faulty
from clearhouse.sandbox.gl.ledger import Ledger

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2025, 1, 31)
SCALE, FAULTS = 0.1, 100
SIDES = {"debit": "debit_minor", "credit": "credit_minor", "amount": "debit_minor - credit_minor"}
MONEY = ", ".join(
    f"CAST(CAST({minor} AS DECIMAL(17, 2)) * 0.01 AS DECIMAL(18, 2)) AS {name}"
    for name, minor in SIDES.items()
)


class Lines:
    """Generated lines as readers see journal lines."""

    def __init__(self, lines: pa.Table) -> None:
        self._connection = duckdb.connect()
        self._connection.register("generated", lines)
        self._connection.execute(f"CREATE TABLE journal_lines AS SELECT *, {MONEY} FROM generated")

    def query(self, sql: str) -> pa.Table:
        return self._connection.sql(sql).to_arrow_table()

    def findings(self, *days: dt.date) -> list[Finding]:
        return found_in(self, "journal_lines", *days)


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return Ledger(scale=SCALE)


def test_a_clean_ledger_has_no_finding(ledger: Ledger) -> None:
    assert Lines(ledger.lines(FIRST, LAST)).findings() == []


@pytest.mark.parametrize(("day", "kinds"), [(19, []), (20, ["entry_after_close"])])
def test_an_entry_comes_after_close_when_the_service_has_closed_its_period(
    day: int, kinds: list[str]
) -> None:
    lines = TinyLedger(42, dt.date(2026, 4, 30), 1).lines(dt.date(2026, 4, 30), dt.date(2026, 5, 1))
    fields = {"fiscal_period": "2026-04", "recorded_on": dt.date(2026, 5, day)}
    by_accountant = [
        {**row, **fields, "posting_date": dt.date(2026, 4, 30), "journal_entry": "JE-01000005",
            "entry_number": 5, "reverses": None}
        for row in lines.to_pylist()
        if row["reverses"]
    ]  # fmt: skip
    late = pa.concat_tables(
        [
            lines.filter(pc.field("fiscal_period") == "2026-04"),
            pa.Table.from_pylist(by_accountant, lines.schema),
        ]
    )
    assert [finding.kind for finding in Lines(late).findings()] == kinds


def test_each_fault_is_found_by_its_kind_and_entry(ledger: Ledger) -> None:
    lines, labels = faulty(ledger, 7, FAULTS, FIRST, LAST)
    expected = [named(**label) for label in labels.to_pylist()]
    findings = Lines(lines).findings()

    assert len(expected) == FAULTS
    assert set(Counter(kind for kind, _, _ in expected)) == set(KINDS)
    assert sorted((f.kind, f.journal_entry, f.recorded_on) for f in findings) == sorted(expected)
    assert all(f.reason and f.amount >= 0 for f in findings)


def named(kind: str, journal_entry: str, recorded_on: dt.date) -> tuple[str, str, dt.date]:
    """A label as a finding: a number that is not there is found by the entry that follows it."""
    if kind == "missing_number":
        journal_entry = f"JE-{int(journal_entry.removeprefix('JE-')) + 1:08}"
    return kind, journal_entry, recorded_on


def test_findings_are_asked_for_by_the_day_of_recording(ledger: Ledger) -> None:
    lines, labels = faulty(ledger, 7, 8, FIRST, LAST)
    day = labels["recorded_on"][0].as_py()
    found = Lines(lines).findings(day, day)
    assert {finding.recorded_on for finding in found} == {day}
