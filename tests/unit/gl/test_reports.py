"""The close pack: its figures tie, its checks find what is wrong, and its files say the same."""

import datetime as dt
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from gl_ledger import Journal, asks, pack_over, small_journal
from workbooks import sheets

from clearhouse.gl.reports import checks, control, operations, statements
from clearhouse.gl.reports.figures import read_figures
from clearhouse.gl.reports.html import html
from clearhouse.gl.reports.model import Cell, Pack
from clearhouse.gl.reports.pdf import pdf
from clearhouse.gl.reports.written import written
from clearhouse.gl.reports.xlsx import xlsx

Row = dict[str, Any]


def test_a_ledger_in_order_passes_every_check(pack: Pack) -> None:
    assert {check.name: difference for check, difference in pack.differences() if difference} == {}
    assert len(pack.checks) == 13


def test_statements_come_to_what_the_trial_balance_says(pack: Pack) -> None:
    table = pack.tables[statements.TRIAL_BALANCE]
    closing = {
        row.key: pack.number(Cell(table.name, row.key, "closing")) for row in table.rows[:-1]
    }
    earned = -sum((v for code, v in closing.items() if code[0] in "4578"), Decimal(0))
    assets = sum((v for code, v in closing.items() if code[0] in "16"), Decimal(0))
    income = pack.number(Cell(statements.INCOME, statements.NET_INCOME, "to_date"))
    sheet = pack.number(Cell(statements.BALANCE_SHEET, "total:Assets", "this"))
    assert (income, sheet) == (earned, assets)
    assert earned == Decimal("111014.67")


def _one_sided(journal: Journal) -> None:
    journal.rows.remove(next(r for r in journal.rows if r["account_code"] == "7100"))


def _gap(journal: Journal) -> None:
    march = [r for r in journal.rows if r["fiscal_period"] == "2024-03"]
    lost = next(r["journal_entry"] for r in march if r["account_code"] == "7100")
    journal.rows = [r for r in journal.rows if r["journal_entry"] != lost]


def _gap_beside_another_ledger(journal: Journal) -> None:
    _gap(journal)
    other = {"ledger": "OTHER", "journal_entry": "OTHER-1", "entry_number": 1}
    last = journal.rows[-1]["journal_entry"]
    journal.rows += [{**row, **other} for row in journal.rows if row["journal_entry"] == last]


def _not_reversed(journal: Journal) -> None:
    for row in journal.rows:
        if row["entry_type"] == "reversal" and row["journal_entry"].startswith("JE-03000001"):
            row["entry_type"] = "standard"


@pytest.mark.parametrize(
    ("break_it", "found"),
    [
        pytest.param(
            _one_sided,
            {
                "The trial balance is zero",
                "The balance sheet balances",
                "Cash flow explains cash",
            },
            id="a line is lost in an earlier period",
        ),
        pytest.param(_gap, {"Entry numbers have no gap"}, id="an entry is lost"),
        pytest.param(
            _gap_beside_another_ledger,
            {"Entry numbers have no gap"},
            id="an entry is lost of one ledger of two",
        ),
        pytest.param(
            _not_reversed,
            {"Accruals are reversed", "Reversals equal their accruals"},
            id="an accrual stays",
        ),
    ],
)
def test_a_check_fails_for_what_is_wrong(
    tmp_path: Path, break_it: Callable[[Journal], None], found: set[str]
) -> None:
    journal = small_journal()
    break_it(journal)
    broken = pack_over(tmp_path / "published.duckdb", journal)
    failed = {check.name for check, difference in broken.differences() if difference}
    assert failed == found
    assert f"{len(found)} of 13 checks do not hold" in _told(broken)


def test_an_accrual_that_was_undone_in_its_own_period_is_reversed(tmp_path: Path) -> None:
    journal = small_journal()
    accrued = [("5100", "10.00", ""), ("2020", "", "10.00")]
    undone = [("2020", "10.00", ""), ("5100", "", "10.00")]
    day, well = dt.date(2024, 2, 27), "PERM-0001"
    wrong = journal.post(day, accrued, entry_type="accrual", well_id=well)
    journal.post(day, undone, entry_type="reversal", reverses=wrong, well_id=well)
    whole = pack_over(tmp_path / "published.duckdb", journal)
    assert {check.name for check, difference in whole.differences() if difference} == set()


def test_costs_that_wait_for_the_months_bill_are_no_bill(tmp_path: Path) -> None:
    whole = pack_over(tmp_path / "published.duckdb", small_journal())
    figures = read_figures(asks(tmp_path / "published.duckdb"), whole.period)
    charged = {"partner_id": "PAR-01", "well_id": "PERM-0001", "caption": "Power"}
    rows = [{**charged, "jib_number": number, "amount": Decimal(1)} for number in (None, "JIB-1")]
    table = operations.jib(replace(figures, jib=rows))
    assert table.rows[0].cells["bills"] == 1
    assert operations.jib(replace(figures, jib=rows[:1])).rows[0].cells["bills"] == 0


def test_a_well_that_one_line_places_elsewhere_is_counted_once(tmp_path: Path) -> None:
    journal = small_journal()
    cost = next(
        row
        for row in reversed(journal.rows)
        if row["account_code"] == "5100" and row["fiscal_period"] == "2024-03"
    )
    cost["lease_name"] = None
    made = pack_over(tmp_path / "published.duckdb", journal)
    for name in (operations.LEASES, operations.TOP_WELLS, operations.WELLS):
        assert made.value(Cell(name, "total", "revenue")) == Decimal("210950.86")
    assert made.value(Cell(operations.LEASES, "total", "wells")) == 3
    rows = made.tables[operations.TOP_WELLS].rows
    shown = [made.number(Cell(operations.TOP_WELLS, row.key, "operating_expense")) for row in rows]
    assert shown[-1] == sum(shown[:-1]) == Decimal("18006.33")


def test_an_id_that_is_called_like_a_total_is_none(tmp_path: Path) -> None:
    journal = small_journal()
    for row in journal.rows:
        row |= {name: "total" for name in ("party_id", "well_id", "basin") if row.get(name)}
    made = pack_over(tmp_path / "published.duckdb", journal)
    assert made.value(Cell(control.SUSPENSE, "total", "amount")) == Decimal("150.00")
    assert made.value(Cell(operations.JIB, "total", "billed")) == Decimal("12000.21")
    assert made.value(Cell(operations.COSTS, "total", "boe")) == Decimal("6000.000")


def test_a_character_that_no_drawing_can_hold_stops_no_pack(tmp_path: Path) -> None:
    journal = small_journal()
    for row in journal.rows:
        bad = {"basin": "Permian\u2028", "party_id": "PAR\x01\ufffe"}
        row.update({name: text for name, text in bad.items() if row.get(name)})
    made = pack_over(tmp_path / "published.duckdb", journal)
    assert "PAR\ufffd\ufffd" in made.charts["jib"]
    assert pdf(made).startswith(b"%PDF")
    assert "PAR\x01\ufffe" in html(made)  # its tables say what the ledger says


def _told(pack: Pack) -> str:
    failed = sum(bool(difference) for _, difference in pack.differences())
    assert html(pack).count(">FAILS<") == failed
    return f"{failed} of {len(pack.checks)} checks do not hold"


def test_the_pdf_is_the_same_twice_and_says_what_the_ledger_says(
    pack: Pack, tmp_path: Path
) -> None:
    made = pdf(pack)
    assert made == pdf(pack)
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not installed: the text of the PDF is not read")
    (tmp_path / "pack.pdf").write_bytes(made)
    command = ["pdftotext", "-layout", str(tmp_path / "pack.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for cell in (
        Cell(statements.INCOME, statements.NET_INCOME, "this"),
        Cell(statements.BALANCE_SHEET, "both", "this"),
        Cell(statements.TRIAL_BALANCE, "total", "debits"),
    ):
        assert written(pack.number(cell), statements.money("", "").kind) in text
    assert "All 13 checks hold." in text
    assert "Nelson <North> & Sons" in text


def test_the_workbook_keeps_beside_each_formula_what_the_pack_says(pack: Pack) -> None:
    made = xlsx(pack)
    assert made == xlsx(pack)
    found = sheets(made)
    assert list(found) == ["Checks", *pack.tables]
    income = found[statements.INCOME]
    last = 4 + len(pack.tables[statements.INCOME].rows)
    net = pack.number(Cell(statements.INCOME, statements.NET_INCOME, "this"))
    assert income[f"B{last}"].value == pytest.approx(float(net), abs=0.001)
    assert income["E6"].formula == f"'{statements.INCOME_BY_PERIOD}'!E6"
    balance = found[statements.TRIAL_BALANCE]
    last = 4 + len(pack.tables[statements.TRIAL_BALANCE].rows)
    assert balance[f"F{last}"] == (f"SUM(F5:F{last - 1})", 0.0)
    holds = [cell for place, cell in found["Checks"].items() if cell.formula and place[0] == "C"]
    assert [cell.value for cell in holds] == [0.0] * len(pack.checks)
    assert checks.LEDGER in holds[0].formula


def test_the_page_asks_no_server_and_escapes_what_comes_from_outside(pack: Pack) -> None:
    page = html(pack)
    assert page == html(pack)
    assert re.findall(r"""(?:src|href)=["'](?!#)|url\(|<script|@import""", page) == []
    assert "Nelson &lt;North&gt; &amp; Sons" in page
    assert "<North>" not in page
    assert page.count("<svg") == len(pack.charts)
