"""The journal as the French FEC, held to the text's own rules, and as CSV."""

import csv
import io
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from gl_ledger import asks, small_journal, write_marts

from clearhouse.core.errors import StoreError, UsageError
from clearhouse.engines.engine import Ask
from clearhouse.gl.reports.export import ENCODING, FEC_COLUMNS, fec_name, write_csv, write_fec

DATE = r"20\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
AMOUNT = r"-?\d+,\d\d"
FORMS = {
    "JournalCode": r"[A-Z]{2}", "JournalLib": r".+", "EcritureNum": r"[1-9]\d*",
    "EcritureDate": DATE, "CompteNum": r"[1-7]\d{6}", "CompteLib": r".+", "CompAuxNum": r".*",
    "CompAuxLib": r".*", "PieceRef": r".+", "PieceDate": DATE, "EcritureLib": r".+",
    "Debit": AMOUNT, "Credit": AMOUNT, "EcritureLet": "", "DateLet": "", "ValidDate": DATE,
    "Montantdevise": "", "Idevise": "",
}  # fmt: skip
Rows = list[dict[str, str]]


def fec(ask: Ask, year: int = 2024) -> Rows:
    file = io.BytesIO()
    held = write_fec(ask, year, file)
    header, *lines = file.getvalue().decode(ENCODING).removesuffix("\r\n").split("\r\n")
    assert header.split("\t") == list(FEC_COLUMNS)
    rows = [dict(zip(FEC_COLUMNS, line.split("\t"), strict=True)) for line in lines]
    assert held.lines == len(rows)
    assert held.entries == int(rows[-1]["EcritureNum"])
    assert held.debit == held.credit == sum(map(_amount, (r["Debit"] for r in rows)), Decimal(0))
    return rows


def _amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def test_each_field_has_its_form_and_each_entry_balances(ask: Ask) -> None:
    rows = fec(ask)
    for name, form in FORMS.items():
        assert [r[name] for r in rows if not re.fullmatch(form, r[name])] == [], name
    assert all((r["CompAuxNum"] == "") == (r["CompAuxLib"] == "") for r in rows)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for r in rows:
        sums[r["EcritureNum"]] += _amount(r["Debit"]) - _amount(r["Credit"])
    assert set(sums.values()) == {Decimal(0)}


def test_entries_are_numbered_without_a_gap_in_order_of_validation(ask: Ask) -> None:
    rows = fec(ask)
    numbers = [int(r["EcritureNum"]) for r in rows]
    assert numbers == sorted(numbers)
    assert sorted(set(numbers)) == list(range(1, numbers[-1] + 1))
    assert [r["ValidDate"] for r in rows] == sorted(r["ValidDate"] for r in rows)
    assert (rows[0]["JournalCode"], rows[0]["CompteNum"][:3]) == ("AN", "512")


def test_the_next_year_begins_with_the_balances_and_the_close_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "published.duckdb"
    write_marts(path, small_journal())
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            INSERT INTO marts.journal_lines BY NAME SELECT * REPLACE (2025 AS fiscal_year)
            FROM marts.journal_lines WHERE fiscal_period = '2024-03' AND entry_number <= 3;
            UPDATE marts.journal_lines SET recorded_on = recorded_on + INTERVAL 1 YEAR,
                posting_date = posting_date + INTERVAL 1 YEAR,
                entry_type = CASE entry_number WHEN 3 THEN 'closing' ELSE entry_type END
            WHERE fiscal_year = 2025""")
    rows = fec(asks(path), 2025)
    opening = [r for r in rows if r["JournalCode"] == "AN"]
    assert rows[: len(opening)] == opening
    assert {r["EcritureNum"] for r in opening} == {"1"}
    assert sum((_amount(r["Debit"]) - _amount(r["Credit"]) for r in opening), Decimal(0)) == 0
    result = next(r for r in opening if r["CompteNum"].startswith("120"))
    assert result["Credit"] == "111014,67"
    assert not [r for r in opening if r["CompteNum"][0] in "67"]
    assert [r["EcritureNum"] for r in rows[len(opening) :]] == ["2", "2", "3", "3"]


@pytest.mark.parametrize("year", [2024, 2025], ids=["lines", "opening balances"])
def test_no_text_of_a_ledger_ends_a_cell_or_the_export(tmp_path: Path, year: int) -> None:
    path = tmp_path / "published.duckdb"
    write_marts(path, small_journal())
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            UPDATE marts.journal_lines SET description = description || chr(9) || 'Łódź',
                document = document || chr(10) || '2', party_id = party_id || chr(9) || 'Łódź';
            INSERT INTO marts.journal_lines BY NAME SELECT * REPLACE (2025 AS fiscal_year)
            FROM marts.journal_lines WHERE entry_number = 1 AND fiscal_period = '2024-03'""")
    parties = {row["CompAuxNum"] for row in fec(asks(path), year)} - {""}
    assert parties
    assert all(party.endswith(" ?ód?") for party in parties)


def test_an_account_that_the_mapping_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "published.duckdb"
    write_marts(path, small_journal())
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "UPDATE marts.journal_lines SET account_code = '7777' WHERE account_code = '7100'"
        )
    with pytest.raises(StoreError, match="no account '7777'"):
        write_fec(asks(path), 2024, io.BytesIO())


def test_the_name_is_the_prescribed_one_and_a_year_without_lines_is_refused(ask: Ask) -> None:
    assert fec_name("123456789", 2024) == "123456789FEC20241231.txt"
    with pytest.raises(UsageError, match="nine digits"):
        fec_name("12345678X", 2024)
    with pytest.raises(UsageError, match="fiscal year 2019"):
        write_fec(ask, 2019, io.BytesIO())


def test_csv_has_every_line_once_with_one_header(ask: Ask) -> None:
    file = io.BytesIO()
    held = write_csv(ask, 2024, file)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode())))
    assert held.lines == len(rows) == len({r["line_id"] for r in rows}) == len(small_journal().rows)
    assert sum(Decimal(r["debit"]) - Decimal(r["credit"]) for r in rows) == 0
