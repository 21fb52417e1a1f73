"""Quarantined rows: whole, of the entry that last wrote their day, and found by their own name."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa

from clearhouse.core.contract.rules import Violation
from clearhouse.core.errors import StoreError
from clearhouse.store.quarantine import Quarantine, QuarantinedRow

DATASET = "bnpl.transactions"
DAY, NEXT = dt.date(2024, 3, 9), dt.date(2024, 3, 10)


def row(
    name: str, *, day: dt.date = DAY, line: int = 1, code: str = "wrong_type"
) -> QuarantinedRow:
    return QuarantinedRow(
        dataset=DATASET,
        book_date=day,
        record_id=f"id of {name}",
        record_key=f"{day}|{name}",
        object_key="raw/0001.ndjson.zst",
        line=line,
        violations=(Violation("amount", code, "“é” is no amount"), Violation("", "second", "")),
        raw=b'{"amount": "\xff\x00"}',
        amount_minor=-(2**62),
        currency="USD",
    )


@pytest.fixture
def quarantine(database: sa.Engine) -> Quarantine:
    return Quarantine(database)


def test_a_day_is_replaced_whole_and_its_neighbour_stays(quarantine: Quarantine) -> None:
    quarantine.replace(DATASET, {DAY: ("e1", [row("a"), row("b")]), NEXT: ("e2", [row("c")])})
    kept = row("d", line=2)

    quarantine.replace(DATASET, {DAY: ("e3", [kept])})

    assert quarantine.of_days(DATASET, [DAY]) == [replace(kept, entry_id="e3")]
    assert [r.entry_id for r in quarantine.of_days(DATASET, [DAY, NEXT])] == ["e3"]


def test_rows_come_in_the_order_of_day_and_line(quarantine: Quarantine) -> None:
    late, early, next_day = row("a", line=10), row("b", line=9), row("c", day=NEXT)
    quarantine.replace(DATASET, {NEXT: ("e2", [next_day]), DAY: ("e1", [late, early])})

    assert [r.record_key for r in quarantine.of_days(DATASET)] == [
        early.record_key, late.record_key, next_day.record_key
    ]  # fmt: skip
    assert len(quarantine.of_days(DATASET, limit=2)) == 2
    assert quarantine.of_days(DATASET, []) == quarantine.of_days("other") == []


def test_reasons_are_counted_by_day_and_first_violation(quarantine: Quarantine) -> None:
    rows = [row("a"), row("b"), row("c", code="missing")]
    quarantine.replace(DATASET, {DAY: ("e1", rows), NEXT: ("e2", [row("d", day=NEXT)])})

    assert quarantine.counts(DATASET) == [
        (DAY, "missing", 1), (DAY, "wrong_type", 2), (NEXT, "wrong_type", 1)
    ]  # fmt: skip
    assert quarantine.counts(DATASET, [NEXT]) == [(NEXT, "wrong_type", 1)]
    assert quarantine.counts("other") == []


@pytest.mark.parametrize("name", ["txn_1", "100%", "é"])
def test_a_row_is_found_by_its_id_or_its_name_and_no_other(
    quarantine: Quarantine, name: str
) -> None:
    others = [row("TXN_1"), row("txnX1"), row("100% sure"), row("a|txn_1 too"), row("pre" + name)]
    quarantine.replace(DATASET, {DAY: ("e1", [row(name), *others])})

    for wanted in (name, f"id of {name}"):
        assert [r.record_id for r in quarantine.find(DATASET, wanted)] == [f"id of {name}"]
        assert quarantine.find("other", wanted) == []


@pytest.mark.parametrize("sale", ["A_1", "shop|A_1"])
def test_lines_are_found_by_the_id_that_stands_before_other_parts(
    quarantine: Quarantine, sale: str
) -> None:
    keys = [f"{sale}|s|1", f"{sale}|s|2", f"{sale}|A_1|1", "A|s|1", "AX1|s|1", "B|A_1|1", "A_1"]
    rows = [replace(row(key), record_key=key) for key in keys]
    quarantine.replace(DATASET, {DAY: ("e1", rows)})

    found = quarantine.find(DATASET, "A_1", parts_after_id=2)

    assert {r.record_key for r in found} == {*keys[:3], "A_1"}  # the last one is a whole key


def test_a_key_may_hold_any_character(quarantine: Quarantine) -> None:
    keys = ["a\0b", "a\x1a0b", "a\x1a1\x1a\0", "\0", "\x1a"]
    rows = [replace(row(f"row {n}", line=n), record_key=key) for n, key in enumerate(keys)]
    quarantine.replace(DATASET, {DAY: ("e1", rows)})
    assert [r.record_key for r in quarantine.of_days(DATASET)] == keys
    assert quarantine.rows(DATASET, [DAY])["_record_key"].to_pylist() == keys


@pytest.mark.parametrize(
    "edit",
    ["violations = '[]'", "violations = 'few'", "book_date = 'soon'", "line = 'x'"],
)
def test_an_edited_row_is_told_in_one_sentence(quarantine: Quarantine, edit: str) -> None:
    if quarantine.engine.dialect.name != "sqlite" and not edit.startswith("violations"):
        pytest.skip("the server refuses what is no value of the column's type")
    quarantine.replace(DATASET, {DAY: ("e1", [row("a")])})
    with quarantine.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE quarantine SET {edit}")

    with pytest.raises(StoreError, match="was edited and can't be read"):
        quarantine.of_days(DATASET)
