"""What a period's pack needs of the marts, read once, as readers see them.

Data flow: views `marts.gl_*` and `marts.journal_lines` → one list of rows a section. Money is
decimal. The SQL is read by every engine.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clearhouse.core.columnar import query
from clearhouse.core.errors import UsageError
from clearhouse.core.fiscal import end_of_month
from clearhouse.engines.engine import Ask

Rows = Sequence[Mapping[str, Any]]

_MONTHS_OF_PRICES = 12

_TRIAL_BALANCE = """
    SELECT t.fiscal_period, t.account_code, t.account_name, t.account_class, a.caption,
        t.opening_balance, t.debits, t.credits, t.closing_balance
    FROM marts.gl_trial_balance t JOIN marts.gl_accounts a ON a.account_code = t.account_code
    WHERE t.account_class <> 'STATISTICAL' ORDER BY t.fiscal_period, t.account_code"""
_INCOME = """
    SELECT i.fiscal_period, i.caption, i.account_code, i.account_name, a.account_class, i.amount
    FROM marts.gl_income_statement i JOIN marts.gl_accounts a ON a.account_code = i.account_code
    WHERE i.fiscal_period BETWEEN $1 AND $2 ORDER BY i.account_code, i.fiscal_period"""
_BALANCE_SHEET = """
    SELECT fiscal_period, section, caption, account_code, account_name, amount
    FROM marts.gl_balance_sheet WHERE fiscal_period IN ($1, $2)
    ORDER BY account_code, caption"""
_CASH_FLOW = """
    SELECT fiscal_period, section, caption, amount
    FROM marts.gl_cash_flow WHERE fiscal_period BETWEEN $1 AND $2 ORDER BY caption, fiscal_period"""
_WELLS = """
    SELECT fiscal_period, lease_name, property_id, well_id, basin, state, oil_bbl, gas_mcf, ngl_gal,
        boe, revenue, production_tax, operating_expense, net_operating_income
    FROM marts.gl_lease_operating_statement WHERE fiscal_period BETWEEN $1 AND $2
    ORDER BY fiscal_period, property_id, well_id, lease_name, basin, state"""
_BASINS = """
    SELECT fiscal_period, basin, boe, operating_expense, production_tax, gathering,
        general_administrative, depletion
    FROM marts.gl_cost_per_boe WHERE fiscal_period BETWEEN $1 AND $2
    ORDER BY fiscal_period, basin"""
_PRICES = """
    SELECT production_month, product, unit, volume, revenue, realized_price, benchmark_series,
        benchmark_price, differential
    FROM marts.gl_price_realization WHERE production_month BETWEEN $1 AND $2
    ORDER BY production_month, product"""
_JIB = """
    SELECT partner_id, well_id, jib_number, account_code, caption, amount
    FROM marts.gl_jib_statement WHERE fiscal_period = $1
    ORDER BY account_code, partner_id, jib_number"""
_AFE = """
    SELECT afe_number, well_id, budget, spent_gross, spent_net, accrued_gross, remaining,
        percent_spent, last_spent_on
    FROM marts.gl_afe_spending ORDER BY afe_number"""
_AGEING = """
    SELECT g.account_code, a.account_name, g.party_type, g.party_id, g.not_due, g.days_1_30,
        g.days_31_60, g.days_61_90, g.over_90
    FROM marts.gl_ageing g JOIN marts.gl_accounts a ON a.account_code = g.account_code
    WHERE g.fiscal_period = $1 ORDER BY g.account_code, g.party_id, g.party_type"""
_SUSPENSE = """
    SELECT owner_id, amount FROM marts.gl_owner_suspense
    WHERE fiscal_period = $1 AND amount <> 0 ORDER BY owner_id"""
_SUBLEDGERS = """
    SELECT s.account_code, a.account_name, s.control_balance, s.subledger_balance
    FROM marts.gl_subledgers s JOIN marts.gl_accounts a ON a.account_code = s.account_code
    WHERE s.fiscal_period = $1 ORDER BY s.account_code"""
_ENTRIES = """
    SELECT ledger, fiscal_period, journal_entry, entry_number, entry_type, journal_source, reverses,
        posting_date, recorded_on, max(description) AS description, max(created_by) AS created_by,
        max(approved_by) AS approved_by, count(*) AS lines,
        CAST(sum(debit) AS DECIMAL(18, 2)) AS debit, CAST(sum(credit) AS DECIMAL(18, 2)) AS credit,
        CAST(sum(CASE WHEN account_class IN ('REVENUE', 'EXPENSE') AND entry_type <> 'closing'
            THEN credit - debit ELSE 0 END) AS DECIMAL(18, 2)) AS earned
    FROM marts.journal_lines WHERE fiscal_period <= $1
    GROUP BY ledger, fiscal_period, journal_entry, entry_number, entry_type, journal_source,
        reverses, posting_date, recorded_on"""
"""The journal's entries; the queries below are of these, in this process."""

_ACCRUALS = """
    WITH accrued AS (
        SELECT journal_entry, journal_source, sum(debit) AS amount FROM entries
        WHERE fiscal_period = $1 AND entry_type = 'accrual' GROUP BY ALL),
    reversed AS (
        SELECT reverses, sum(credit) AS amount FROM entries
        WHERE fiscal_period IN ($1, $2) AND entry_type = 'reversal' GROUP BY reverses)
    SELECT a.journal_source, count(*) AS accruals, sum(a.amount) AS accrued,
        count(r.reverses) AS reversals, COALESCE(sum(r.amount), 0) AS reversed
    FROM accrued a LEFT JOIN reversed r ON r.reverses = a.journal_entry
    GROUP BY a.journal_source ORDER BY a.journal_source"""
_CORRECTIONS = """
    SELECT journal_entry, reverses, posting_date, recorded_on, journal_source, description,
        created_by, approved_by, debit AS amount
    FROM entries
    WHERE fiscal_period = $1 AND entry_type = 'reversal' AND reverses NOT IN (
        SELECT journal_entry FROM entries WHERE entry_type = 'accrual')
    ORDER BY journal_entry"""
_LATE = """
    SELECT journal_entry, posting_date, recorded_on, journal_source, description, created_by,
        approved_by, lines, debit AS amount
    FROM entries WHERE fiscal_period = $1 AND recorded_on > $2
    ORDER BY recorded_on, journal_entry"""
_NUMBERS = """
    SELECT ledger, fiscal_period, min(entry_number) AS first_number,
        max(entry_number) AS last_number, count(DISTINCT journal_entry) AS entries,
        CAST(sum(lines) AS BIGINT) AS lines, sum(debit) AS debits, sum(credit) AS credits
    FROM entries GROUP BY ledger, fiscal_period ORDER BY ledger, fiscal_period"""
_UNBALANCED = """
    SELECT count(*) AS entries FROM (
        SELECT journal_entry FROM entries WHERE fiscal_period = $1
        GROUP BY journal_entry HAVING sum(debit) <> sum(credit))"""
_EARNED = "SELECT COALESCE(sum(earned), 0) AS amount FROM entries WHERE fiscal_period = $1"
_DAYS = """
    SELECT recorded_on, CAST(sum(lines) AS BIGINT) AS lines FROM entries
    WHERE fiscal_period = $1 GROUP BY recorded_on ORDER BY recorded_on"""


@dataclass(frozen=True)
class Periods:
    """The periods that a pack compares.

    Attributes:
        this: the pack's.
        prior: the one before it; the same where there is none.
        of_year: those of its fiscal year up to it.
        months: up to twelve that end with it, for series over time.
        ended_on: its last day.
    """

    this: str
    prior: str
    of_year: tuple[str, ...]
    months: tuple[str, ...]
    ended_on: dt.date

    @property
    def has_prior(self) -> bool:
        """Whether the ledger has a period before it."""
        return self.prior != self.this


@dataclass(frozen=True)
class Figures:
    """The rows of each section, as the marts have them.

    Attributes:
        cash: the cash accounts in each period up to the pack's.
        by_month: what all wells produced and earned, by period.
        earned: revenue less expense of the period, summed over its journal lines.
        unbalanced: entries of the period whose sides differ.
    """

    periods: Periods
    trial_balance: Rows
    cash: Rows
    income: Rows
    balance_sheet: Rows
    cash_flow: Rows
    wells: Rows
    by_month: Rows
    basins: Rows
    prices: Rows
    jib: Rows
    afe: Rows
    ageing: Rows
    suspense: Rows
    subledgers: Rows
    accruals: Rows
    corrections: Rows
    late: Rows
    numbers: Rows
    days: Rows
    earned: Any
    unbalanced: int


def periods_of(known: Sequence[str], period: str) -> Periods:
    """The periods that the pack of one compares.

    Args:
        known: the ledger's, in order.
        period: the pack's.

    Raises:
        UsageError: readers are shown no ledger, or it has no such period.
    """
    if not known:
        raise UsageError(
            "Readers are shown no general ledger yet: `clearhouse run gl` over the days that you "
            "want publishes it.",
            "no_ledger",
        )
    if period not in known:
        raise UsageError(
            f"The ledger has no period {period!r}: it has {known[0]} to {known[-1]}.",
            "unknown_period",
        )
    at = known.index(period)
    year = tuple(p for p in known[: at + 1] if p[:4] == period[:4])
    return Periods(
        period, known[max(at - 1, 0)], year, tuple(known[max(at - 11, 0) : at + 1]), _end(period)
    )


def _end(period: str) -> dt.date:
    """The last day of a period; one for adjustments ends with its year."""
    year, month = int(period[:4]), min(int(period[5:]), 12)
    return end_of_month(year, month)


def read_figures(ask: Ask, period: str) -> Figures:
    """All that the pack of a period shows.

    Args:
        ask: `Engine.query_readers`.
        period: such as `2024-03`.

    Raises:
        UsageError: there is no such period.
    """

    def rows(sql: str, *parameters: object) -> Rows:
        answer = ask("marts.gl_trial_balance", sql, parameters)
        return answer.to_pylist() if answer is not None else []

    balances = rows(_TRIAL_BALANCE)
    periods = periods_of(sorted({row["fiscal_period"] for row in balances}), period)
    this, prior = periods.this, periods.prior
    first = min(periods.of_year[0], prior)
    first_month = _months_before(this, _MONTHS_OF_PRICES - 1)
    wells = rows(_WELLS, periods.months[0], this)
    entries = ask("marts.journal_lines", _ENTRIES, [this])

    def of_entries(sql: str, *parameters: object) -> Rows:
        return query(sql, [*parameters], entries=entries).to_pylist() if entries else []

    return Figures(
        periods=periods,
        trial_balance=[row for row in balances if row["fiscal_period"] == this],
        cash=_sums(
            [r for r in balances if r["caption"] == "Cash" and r["fiscal_period"] <= this],
            ("opening_balance", "closing_balance"),
        ),
        income=rows(_INCOME, first, this),
        balance_sheet=rows(_BALANCE_SHEET, this, prior),
        cash_flow=rows(_CASH_FLOW, first, this),
        wells=[row for row in wells if row["fiscal_period"] == this],
        by_month=_sums(wells, ("oil_bbl", "gas_mcf", "ngl_gal", "boe", "revenue")),
        basins=rows(_BASINS, periods.months[0], this),
        prices=rows(_PRICES, first_month, this),
        jib=rows(_JIB, this),
        afe=rows(_AFE),
        ageing=rows(_AGEING, this),
        suspense=rows(_SUSPENSE, this),
        subledgers=rows(_SUBLEDGERS, this),
        accruals=of_entries(_ACCRUALS, prior, this) if periods.has_prior else [],
        corrections=of_entries(_CORRECTIONS, this),
        late=of_entries(_LATE, this, periods.ended_on),
        numbers=of_entries(_NUMBERS),
        days=of_entries(_DAYS, this),
        earned=of_entries(_EARNED, this)[0]["amount"],
        unbalanced=of_entries(_UNBALANCED, this)[0]["entries"],
    )


def _sums(found: Rows, columns: Sequence[str]) -> Rows:
    """Sums of some columns by fiscal period."""
    sums: dict[str, dict[str, Any]] = {}
    for row in found:
        kept = sums.setdefault(row["fiscal_period"], {"fiscal_period": row["fiscal_period"]})
        for column in columns:
            kept[column] = kept.get(column, 0) + (row[column] or 0)
    return [sums[period] for period in sorted(sums)]


def _months_before(period: str, months: int) -> str:
    at = int(period[:4]) * 12 + min(int(period[5:]), 12) - 1 - months
    return f"{at // 12}-{at % 12 + 1:02d}"
