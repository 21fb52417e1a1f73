"""A small ledger by hand, and the views that reports read over it: the names and columns of the
marts, and figures that tie because all of them are sums over the same lines.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from clearhouse.core.resources import resource
from clearhouse.engines.engine import Ask
from clearhouse.gl.reports.evidence import Day, Evidence
from clearhouse.gl.reports.figures import read_figures
from clearhouse.gl.reports.model import Pack
from clearhouse.gl.reports.pack import pack_of

PERIODS = ("2024-01", "2024-02", "2024-03")
WELLS = {
    "PERM-0001": ("Mesa 1", "PROP-TX-00001", "Permian", "TX"),
    "PERM-0002": ("Mesa 1", "PROP-TX-00001", "Permian", "TX"),
    "BAKK-0001": ("Nelson <North> & Sons", "PROP-ND-00002", "Bakken", "ND"),
}
COLUMNS = {
    "line_id": "VARCHAR", "gl_entry_id": "BIGINT", "ledger": "VARCHAR", "journal_entry": "VARCHAR",
    "fiscal_period": "VARCHAR", "fiscal_year": "INTEGER", "entry_number": "INTEGER",
    "line_number": "INTEGER", "entry_type": "VARCHAR", "reverses": "VARCHAR",
    "transaction_date": "DATE", "posting_date": "DATE", "recorded_on": "DATE",
    "_book_date": "DATE",
    "production_month": "VARCHAR", "account_code": "VARCHAR", "account_name": "VARCHAR",
    "account_class": "VARCHAR", "debit": "DECIMAL(18, 2)", "credit": "DECIMAL(18, 2)",
    "amount": "DECIMAL(18, 2)", "currency": "VARCHAR", "quantity": "DECIMAL(18, 3)",
    "unit": "VARCHAR", "product": "VARCHAR", "well_id": "VARCHAR", "lease_name": "VARCHAR",
    "property_id": "VARCHAR", "basin": "VARCHAR", "state": "VARCHAR", "afe_number": "VARCHAR",
    "jib_number": "VARCHAR", "party_type": "VARCHAR", "party_id": "VARCHAR", "document": "VARCHAR",
    "due_date": "DATE", "journal_source": "VARCHAR", "description": "VARCHAR",
    "created_by": "VARCHAR", "approved_by": "VARCHAR",
}  # fmt: skip
PARTIES = {
    "1120": ("purchaser", "PUR-01"), "1130": ("partner", "PAR-01"), "2010": ("vendor", "VEN-001"),
    "2110": ("owner", "OWN-0001"), "2120": ("owner", "OWN-0002"), "2210": ("authority", "TAX-TX"),
}  # fmt: skip
_VIEWS = """
    CREATE VIEW marts.gl_accounts AS SELECT code AS account_code, name AS account_name,
        class AS account_class, normal_side, statement, caption, cash_flow, control
        FROM read_csv('{chart}', all_varchar = true);
    CREATE VIEW marts.periods AS SELECT DISTINCT fiscal_period FROM marts.journal_lines;
    CREATE VIEW marts.gl_trial_balance AS
        SELECT p.fiscal_period, l.account_code, any_value(l.account_name) AS account_name,
            any_value(l.account_class) AS account_class,
            sum(l.amount) FILTER (l.fiscal_period < p.fiscal_period OR l.entry_type = 'opening')
                ::DECIMAL(18, 2) AS opened,
            coalesce(opened, 0) AS opening_balance,
            coalesce(sum(l.debit) FILTER (l.fiscal_period = p.fiscal_period
                AND l.entry_type <> 'opening'), 0)::DECIMAL(18, 2) AS debits,
            coalesce(sum(l.credit) FILTER (l.fiscal_period = p.fiscal_period
                AND l.entry_type <> 'opening'), 0)::DECIMAL(18, 2) AS credits,
            sum(l.amount)::DECIMAL(18, 2) AS closing_balance
        FROM marts.periods p JOIN marts.journal_lines l ON l.fiscal_period <= p.fiscal_period
        GROUP BY p.fiscal_period, l.account_code;
    CREATE VIEW marts.gl_income_statement AS
        SELECT l.fiscal_period, a.caption, l.account_code, a.account_name,
            sum(CASE WHEN l.account_class = 'REVENUE' THEN -l.amount ELSE l.amount END)
                ::DECIMAL(18, 2) AS amount
        FROM marts.journal_lines l JOIN marts.gl_accounts a USING (account_code)
        WHERE l.account_class IN ('REVENUE', 'EXPENSE') GROUP BY ALL;
    CREATE VIEW marts.gl_balance_sheet AS
        SELECT t.fiscal_period, CASE t.account_class WHEN 'ASSET' THEN 'Assets'
                WHEN 'LIABILITY' THEN 'Liabilities' ELSE 'Equity' END AS section,
            a.caption, t.account_code, t.account_name,
            CASE t.account_class WHEN 'ASSET' THEN t.closing_balance ELSE -t.closing_balance END
                AS amount
        FROM marts.gl_trial_balance t JOIN marts.gl_accounts a USING (account_code)
        WHERE t.account_class IN ('ASSET', 'LIABILITY', 'EQUITY')
        UNION ALL SELECT fiscal_period, 'Equity', 'Net income of the year', NULL,
            'Net income of the year', (-sum(closing_balance))::DECIMAL(18, 2)
        FROM marts.gl_trial_balance WHERE account_class IN ('REVENUE', 'EXPENSE')
        GROUP BY fiscal_period;
    CREATE VIEW marts.gl_cash_flow AS
        SELECT l.fiscal_period, CASE a.cash_flow WHEN 'Capital expenditure' THEN 'Investing'
                WHEN 'Borrowing' THEN 'Financing' WHEN 'Capital paid in' THEN 'Financing'
                ELSE 'Operating' END AS section,
            a.cash_flow AS caption, (-sum(l.amount))::DECIMAL(18, 2) AS amount
        FROM marts.journal_lines l JOIN marts.gl_accounts a USING (account_code)
        WHERE a.cash_flow <> 'Cash' AND l.entry_type <> 'opening' GROUP BY ALL;
    CREATE VIEW marts.gl_lease_operating_statement AS
        SELECT fiscal_period, lease_name, property_id, well_id, basin, state,
            coalesce(sum(quantity) FILTER (product = 'OIL'), 0)::DECIMAL(18, 3) AS oil_bbl,
            coalesce(sum(quantity) FILTER (product = 'GAS'), 0)::DECIMAL(18, 3) AS gas_mcf,
            0::DECIMAL(18, 3) AS ngl_gal,
            (oil_bbl + gas_mcf / 6)::DECIMAL(18, 3) AS boe,
            coalesce(-sum(amount) FILTER (account_code LIKE '4%'), 0)::DECIMAL(18, 2) AS revenue,
            coalesce(sum(amount) FILTER (account_code LIKE '58%'), 0)::DECIMAL(18, 2)
                AS production_tax,
            coalesce(sum(amount) FILTER (account_code = '5100'), 0)::DECIMAL(18, 2)
                AS operating_expense,
            (revenue - production_tax - operating_expense)::DECIMAL(18, 2)
                AS net_operating_income
        FROM marts.journal_lines WHERE well_id IS NOT NULL AND account_code < '6'
        GROUP BY fiscal_period, lease_name, property_id, well_id, basin, state;
    CREATE VIEW marts.gl_cost_per_boe AS
        SELECT fiscal_period, basin, sum(boe)::DECIMAL(18, 3) AS boe,
            sum(operating_expense)::DECIMAL(18, 2) AS operating_expense,
            sum(production_tax)::DECIMAL(18, 2) AS production_tax,
            0::DECIMAL(18, 2) AS gathering, 0::DECIMAL(18, 2) AS general_administrative,
            0::DECIMAL(18, 2) AS depletion
        FROM marts.gl_lease_operating_statement GROUP BY fiscal_period, basin;
    CREATE VIEW marts.gl_price_realization AS
        SELECT production_month, product, unit, sum(quantity)::DECIMAL(18, 3) AS volume,
            (-sum(amount))::DECIMAL(18, 2) AS revenue,
            (revenue / volume)::DECIMAL(18, 4) AS realized_price,
            CASE product WHEN 'OIL' THEN 'RWTC' END AS benchmark_series,
            CASE product WHEN 'OIL' THEN 75.5::DECIMAL(18, 4) END AS benchmark_price,
            realized_price - benchmark_price AS differential
        FROM marts.journal_lines WHERE account_code LIKE '4%' AND quantity IS NOT NULL
        GROUP BY production_month, product, unit;
    CREATE VIEW marts.gl_jib_statement AS
        SELECT fiscal_period, party_id AS partner_id, well_id, jib_number, account_code,
            'Lease operating expense' AS caption, sum(amount)::DECIMAL(18, 2) AS amount
        FROM marts.journal_lines WHERE jib_number IS NOT NULL AND account_code = '1130'
        GROUP BY ALL;
    CREATE VIEW marts.gl_afe_spending AS
        SELECT afe_number, any_value(well_id) AS well_id, 90000::DECIMAL(18, 2) AS budget,
            sum(amount)::DECIMAL(18, 2) AS spent_gross, sum(amount)::DECIMAL(18, 2) AS spent_net,
            0::DECIMAL(18, 2) AS accrued_gross,
            budget - spent_gross AS remaining, 0::DECIMAL(18, 2) AS percent_spent,
            max(posting_date) AS last_spent_on
        FROM marts.journal_lines WHERE account_code LIKE '6%' GROUP BY afe_number;
    CREATE VIEW marts.gl_ageing AS
        SELECT p.fiscal_period, account_code, party_type, party_id,
            sum(amount)::DECIMAL(18, 2) AS not_due, 0::DECIMAL(18, 2) AS days_1_30,
            0::DECIMAL(18, 2) AS days_31_60, 0::DECIMAL(18, 2) AS days_61_90,
            0::DECIMAL(18, 2) AS over_90, not_due AS total
        FROM marts.periods p JOIN marts.journal_lines l ON l.fiscal_period <= p.fiscal_period
        WHERE party_id IS NOT NULL GROUP BY p.fiscal_period, account_code, party_type, party_id;
    CREATE VIEW marts.gl_owner_suspense AS
        SELECT fiscal_period, party_id AS owner_id, -total AS amount
        FROM marts.gl_ageing WHERE account_code = '2120';
    CREATE VIEW marts.gl_subledgers AS
        SELECT g.fiscal_period, g.account_code, any_value(t.closing_balance) AS control_balance,
            sum(g.total)::DECIMAL(18, 2) AS subledger_balance
        FROM marts.gl_ageing g JOIN marts.gl_trial_balance t USING (fiscal_period, account_code)
        GROUP BY g.fiscal_period, g.account_code;
"""
Amounts = Sequence[tuple[str, str, str]]
"""Account, debit and credit; "" for none."""


@dataclass
class Journal:
    """Entries as they are written, numbered as the ledger numbers them."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chart = (resource("contracts") / "gl" / "chart_of_accounts.csv").as_posix()
        sql = f"SELECT code, name, class FROM read_csv('{chart}', all_varchar = true)"
        self.accounts = {code: (name, cls) for code, name, cls in duckdb.sql(sql).fetchall()}

    def post(self, day: dt.date, amounts: Amounts, **how: Any) -> str:
        """Write an entry; its name."""
        period = how.pop("period", f"{day:%Y-%m}")
        number = self.numbers[period] = self.numbers.get(period, 0) + 1
        name = f"JE-{(PERIODS.index(period) + 1) * 1_000_000 + number:08d}"
        well = how.get("well_id")
        place = dict(
            zip(("lease_name", "property_id", "basin", "state"), WELLS.get(well, ()), strict=False)
        )
        for at, (account, debit, credit) in enumerate(amounts, 1):
            kind, party = PARTIES.get(account, (None, None))
            volume = {
                k: how[k] for k in ("quantity", "unit", "product") if account[0] == "4" and k in how
            }
            self.rows.append(
                {
                    "line_id": f"{period.replace('-', '')}-{number:06d}-{at:03d}",
                    "gl_entry_id": (day - dt.date(2000, 1, 1)).days * 10**7 + len(self.rows) + 1,
                    "ledger": "MAIN", "journal_entry": name, "fiscal_period": period,
                    "fiscal_year": int(period[:4]), "entry_number": number, "line_number": at,
                    "entry_type": "standard", "transaction_date": day, "posting_date": day,
                    "recorded_on": day, "production_month": period, "account_code": account,
                    "account_name": self.accounts[account][0],
                    "account_class": self.accounts[account][1],
                    "debit": Decimal(debit or 0), "credit": Decimal(credit or 0),
                    "amount": Decimal(debit or 0) - Decimal(credit or 0),
                    "currency": "USD", "party_type": kind, "party_id": party,
                    "document": f"DOC-{number}" if party else None, "journal_source": "MANUAL",
                    "description": "By hand", "created_by": "USER-101", "approved_by": "USER-201",
                }
                | place
                | {k: v for k, v in how.items() if k not in ("quantity", "unit", "product")}
                | volume
            )  # fmt: skip
        return name


def small_journal() -> Journal:
    """Three periods of three wells: sales, invoices, bills, accruals, an AFE, a correction."""
    journal = Journal()
    opening = [("1010", "1000000.00", ""), ("1340", "5000000.00", ""), ("3010", "", "6000000.00")]
    journal.post(dt.date(2024, 1, 1), opening, entry_type="opening", journal_source="GLACCR")
    accrued: list[tuple[str, str]] = []
    for at, _ in enumerate(PERIODS, 1):
        first, last = dt.date(2024, at, 1), dt.date(2024, at, 28)
        for accrual, amount in accrued:
            journal.post(
                first, [("2020", amount, ""), ("5100", "", amount)], entry_type="reversal",
                reverses=accrual, journal_source="REVERSAL", well_id="PERM-0001",
            )  # fmt: skip
        accrued = []
        for place, well in enumerate(WELLS, 1):
            oil = Decimal("75123.45") * place + at
            volume = Decimal(1000 * place)
            _sale(journal, dt.date(2024, at, 10), well, oil, volume)
            cost = ("5100", f"{6000 + place}.11", ""), ("1140", "4000.07", "")
            total = f"{10000 + place}.18"
            journal.post(dt.date(2024, at, 12), [*cost, ("2010", "", total)], well_id=well,
                journal_source="AP", description="Pumping service")  # fmt: skip
            journal.post(
                dt.date(2024, at, 20), [("1130", "4000.07", ""), ("1140", "", "4000.07")],
                well_id=well, journal_source="JIB", jib_number=f"JIB-TX-{place:04d}-2024{at:02d}",
            )  # fmt: skip
            accrual = journal.post(
                last, [("5100", "1234.56", ""), ("2020", "", "1234.56")], well_id=well,
                entry_type="accrual", journal_source="GLACCR",
            )  # fmt: skip
            accrued.append((accrual, "1234.56"))
        journal.post(last, [("8100", "55000.00", ""), ("1380", "", "55000.00")],
            journal_source="DDA", well_id="PERM-0001")  # fmt: skip
        journal.post(last, [("7100", "90000.00", ""), ("1010", "", "90000.00")])
        journal.post(last, [("6100", "40000.00", ""), ("2010", "", "40000.00")],
            afe_number="AFE-2024-0001", well_id="PERM-0002")  # fmt: skip
        journal.post(last, [("2110", "50.00", ""), ("2120", "", "50.00")], journal_source="REV")
    wrong = journal.post(dt.date(2024, 3, 14), [("5200", "777.77", ""), ("2010", "", "777.77")],
        well_id="PERM-0001", journal_source="AP")  # fmt: skip
    journal.post(
        dt.date(2024, 3, 27), [("2010", "777.77", ""), ("5200", "", "777.77")], reverses=wrong,
        entry_type="reversal", well_id="PERM-0001", recorded_on=dt.date(2024, 4, 2),
        description="Reverses a wrong invoice",
    )  # fmt: skip
    return journal


def _sale(journal: Journal, day: dt.date, well: str, value: Decimal, volume: Decimal) -> None:
    cent = Decimal("0.01")
    own = (value * Decimal("0.468")).quantize(cent, ROUND_HALF_UP)
    tax = (value * Decimal("0.046")).quantize(cent, ROUND_HALF_UP)
    own_tax = (own * Decimal("0.046")).quantize(cent, ROUND_HALF_UP)
    others = value + own_tax - own - tax
    journal.post(
        day,
        [
            ("1120", str(value), ""), ("5810", str(own_tax), ""), ("4100", "", str(own)),
            ("2110", "", str(others)), ("2210", "", str(tax)),
        ],
        well_id=well, journal_source="REV", quantity=volume, unit="bbl", product="OIL",
        description="Oil sold",
    )  # fmt: skip
    journal.post(
        day, [("1010", str(value), ""), ("1120", "", str(value))], well_id=well,
        journal_source="AR", description="Cheque received",
    )  # fmt: skip


def write_marts(path: Path, journal: Journal) -> None:
    """Write a file such as readers open, with the marts of a journal."""
    kinds = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    rows = [{**row, "_book_date": row["recorded_on"]} for row in journal.rows]
    columns = {name: [row.get(name) for row in rows] for name in COLUMNS}
    lines = pa.table({name: pa.array(values) for name, values in columns.items()})
    chart = resource("contracts") / "gl" / "chart_of_accounts.csv"
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE SCHEMA marts; CREATE TABLE marts.journal_lines ({kinds})")
        connection.register("lines", lines)
        connection.execute("INSERT INTO marts.journal_lines SELECT * FROM lines")
        connection.execute(_VIEWS.format(chart=chart.as_posix()))


def asks(path: Path) -> Ask:
    """Asks that file, as `Engine.query_readers` does."""

    def ask(_relation: str, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.sql(sql, params=list(parameters)).to_arrow_table()

    return ask


def pack_over(path: Path, journal: Journal) -> Pack:
    """The pack of a journal's last period, each of whose days the books have published."""
    write_marts(path, journal)
    figures = read_figures(asks(path), PERIODS[-1])
    days: dict[dt.date, Day] = {
        row["recorded_on"]: Day(5, 5, row["lines"], Decimal(0), "ab" * 32, "cd" * 32)
        for row in figures.days
    }
    return pack_of(figures, Evidence(7, days))
