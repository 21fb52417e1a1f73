"""The general ledger from its service to the statements: balanced, mended, held, robbed."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gl_home import Ledger, service

from clearhouse.pipeline.tamper import tamper

FIRST, ROBBED, EVE, NEW, LAST = (
    dt.date(2024, *day) for day in ((1, 29), (1, 30), (1, 31), (2, 1), (2, 6))
)
FAULTY = {
    ROBBED: ("lost_line",),
    NEW: ("unapproved",),
    dt.date(2024, 2, 5): ("one_cent_imbalance", "missing_number"),
    LAST: ("duplicate_invoice",),
}
HELD, UNBALANCED = 3, 4


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Two days at the end of January, with the estimates of the month."""
    with service() as settings:
        ledger = Ledger(tmp_path_factory.mktemp("gl") / "home", settings)
        ran = ledger.run(FIRST, EVE)
        assert ran.exit_code == 0, (ran.exception, ran.stderr)
        yield ledger


def test_a_late_entry_mends_the_period_before_and_all_holds_together(ledger: Ledger) -> None:
    before = dict(ledger.read("SELECT account_code, sum(debits) FROM marts.gl_trial_balance "
                              "WHERE fiscal_period = '2024-01' GROUP BY 1"))  # fmt: skip

    ran = ledger.run(NEW, LAST)

    assert ran.exit_code == 0, (ran.exception, ran.stderr)
    late = ledger.read(
        "SELECT account_code, sum(debit) FROM marts.journal_lines "
        f"WHERE fiscal_period = '2024-01' AND _book_date >= '{NEW}' AND debit > 0 GROUP BY 1"
    )
    assert late
    for account, debit in late:
        ((after,),) = ledger.read(
            "SELECT debits FROM marts.gl_trial_balance "
            f"WHERE fiscal_period = '2024-01' AND account_code = '{account}'"
        )
        assert after == before.get(account, 0) + debit
    for sql in (
        "SELECT sum(closing_balance) FROM marts.gl_trial_balance GROUP BY fiscal_period",
        "SELECT sum(CASE section WHEN 'Assets' THEN amount ELSE -amount END) "
        "FROM marts.gl_balance_sheet GROUP BY fiscal_period",
        "SELECT difference FROM marts.gl_subledgers",
        "SELECT sum(amount) FROM marts.journal_lines GROUP BY journal_entry",
        "SELECT sum(amount) FROM (SELECT fiscal_period, amount FROM marts.gl_cash_flow UNION ALL "
        "SELECT fiscal_period, opening_balance - closing_balance FROM marts.gl_trial_balance "
        "WHERE account_code IN ('1010', '1020')) GROUP BY fiscal_period",
    ):
        assert {value for (value,) in ledger.read(sql)} == {0}, sql
    assert ledger.command("books", "--domain", "gl").exit_code == 0
    assert ledger.command("gl", "check").exit_code == 0


def test_benchmarks_are_in_the_units_of_what_is_sold(ledger: Ledger) -> None:
    compared = ledger.read(
        "SELECT sold.product, benchmark_price, avg(price) "
        "FROM marts.gl_price_realization AS sold JOIN marts.energy_prices "
        "ON series = benchmark_series AND strftime(period, '%Y-%m') = production_month "
        "WHERE production_month = '2024-01' GROUP BY sold.product, benchmark_price"
    )
    units = {"OIL": 1, "GAS": 1.04, "NGL": 1 / 42}  # barrels; MMBtu an mcf; barrels a gallon
    assert {product for product, *_ in compared} == set(units)
    for product, benchmark, mean in compared:
        assert float(benchmark) == pytest.approx(mean * units[product], abs=0.0001)


def test_the_key_is_in_no_file(ledger: Ledger) -> None:
    key = ledger.settings["GL_API_KEY"].encode()
    files = [path for path in ledger.home.rglob("*") if path.is_file()]
    assert not [path for path in files if key in path.read_bytes()]


def test_a_wrong_key_is_refused_in_a_sentence(ledger: Ledger, tmp_path: Path) -> None:
    stranger = Ledger(tmp_path / "home", {**ledger.settings, "GL_API_KEY": "another"})
    ran = stranger.command("step", "gl", "ingest_gl", "--date", FIRST)
    assert ran.exit_code == 1
    assert "refused GET" in ran.stderr
    assert "status 401" in ran.stderr
    assert "another" not in ran.stderr


def test_journals_that_are_wrong_hold_their_day_and_are_named(tmp_path: Path) -> None:
    with service(FAULTY) as settings:
        ledger = Ledger(tmp_path / "home", settings)
        ran = ledger.run(FIRST, LAST)
        checked = ledger.command("gl", "check", "--json")
    assert ran.exit_code == HELD, (ran.exception, ran.stderr)
    assert "unbalanced_journals" in ran.stderr
    assert "self_approved_lines" in ran.stderr
    seen = {day for (day,) in ledger.read("SELECT DISTINCT _book_date FROM marts.journal_lines")}
    assert not seen & {ROBBED, NEW, dt.date(2024, 2, 5)}
    assert {EVE, LAST} <= seen
    found = json.loads(checked.stdout)
    assert checked.exit_code == UNBALANCED
    kinds = {(finding["kind"], finding["recorded_on"]) for finding in found}
    assert kinds >= {
        ("one_cent_imbalance", str(ROBBED)),
        ("unapproved", str(NEW)),
        ("missing_number", "2024-02-05"),
        ("one_cent_imbalance", "2024-02-05"),
        ("duplicate_invoice", str(LAST)),
    }


def test_a_stolen_line_is_named_by_the_books_and_by_the_check(ledger: Ledger) -> None:
    with ledger.opened() as run:
        assert tamper(run, "steal", 1, "gl.lines") == 1
    books = ledger.command("books", "--domain", "gl", "--json")
    checked = ledger.command("gl", "check", "--json")
    assert books.exit_code == UNBALANCED
    assert "USD" in books.stdout
    found = json.loads(checked.stdout)
    assert (
        len({each["journal_entry"] for each in found}) == 1
    )  # a part of a deck is named as such too
    [amount] = [each["amount"] for each in found if each["kind"] == "one_cent_imbalance"]
    assert float(amount) > 0
