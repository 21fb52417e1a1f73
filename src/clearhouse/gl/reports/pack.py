"""The close pack of a period: read from the marts and the books, put together, drawn."""

import sqlalchemy as sa

from clearhouse.engines.engine import Ask
from clearhouse.gl.reports import control, operations, statements
from clearhouse.gl.reports.charts import draw
from clearhouse.gl.reports.checks import checks_of, ledger_figures
from clearhouse.gl.reports.evidence import Evidence, evidence_of
from clearhouse.gl.reports.figures import Figures, read_figures
from clearhouse.gl.reports.model import Pack, Section, Table

SECTIONS = (
    Section(
        "Income statement",
        "Revenue is the own share (net revenue interest); costs are the own share (working "
        "interest). Entries that close a year are left out.",
        (statements.INCOME,),
    ),
    Section("Balance sheet", "At the end of the period.", (statements.BALANCE_SHEET,)),
    Section("Cash flow", "Indirect method.", (statements.CASH_FLOW,), ("cash",)),
    Section("Trial balance", "Accounts that have a balance or moved.", (statements.TRIAL_BALANCE,)),
    Section(
        "Production and revenue",
        "Own share of what was sold, in the periods in which it was booked. A BOE is a barrel of "
        "oil or of NGL, or six mcf of gas: energy, not value.",
        (operations.COSTS,),
        ("production", "revenue", "lifting_cost"),
        turned=True,
    ),
    Section(
        "Lease and well economics",
        "By the period of booking, own share. Operating expense holds gathering and processing.",
        (operations.LEASES, operations.TOP_WELLS),
        turned=True,
    ),
    Section(
        "Price realization",
        "What a unit brought, by month of production, beside EIA's monthly average in that unit.",
        (operations.PRICES,),
        ("oil_price", "gas_price"),
    ),
    Section(
        "Joint-interest billing",
        "Partners' shares that were billed in the period.",
        (operations.JIB,),
        ("jib",),
        turned=True,
    ),
    Section(
        "AFE against budget",
        "Authorized and spent, the most used first. What is accrued is not invoiced yet.",
        (operations.AFE,),
        turned=True,
    ),
    Section(
        "Open items and subledgers",
        "Receivables are positive and payables are in parentheses.",
        (control.SUBLEDGERS, control.SUSPENSE, control.AGEING),
    ),
    Section(
        "Reversals and late postings",
        "Nothing that is posted is changed: a correction is a reversal, with a link, and a new "
        "entry.",
        (control.ACCRUALS, control.CORRECTIONS, control.LATE),
        turned=True,
    ),
    Section(
        "Inalterability",
        "Entry numbers are given at posting, from 1 in each period. Each day of lines is an entry "
        "of the books; a closed day is sealed by a certificate that is chained to the one before.",
        (control.NUMBERS, control.BOOKS),
        turned=True,
    ),
)


def make_pack(ask: Ask, database: sa.Engine, period: str) -> Pack:
    """The pack of a period.

    Args:
        ask: `Engine.query_readers`.
        database: where the books are.
        period: such as `2024-03`.

    Raises:
        UsageError: there is no such period.
    """
    figures = read_figures(ask, period)
    evidence = evidence_of(database, [row["recorded_on"] for row in figures.days])
    return pack_of(figures, evidence)


def pack_of(figures: Figures, evidence: Evidence) -> Pack:
    """The pack of figures and of the books' evidence."""
    tables = {table.name: table for table in _tables(figures, evidence)}
    return Pack(
        period=figures.periods.this,
        ended_on=figures.periods.ended_on,
        facts=_facts(figures, evidence),
        sections=SECTIONS,
        tables=tables,
        checks=checks_of(figures, tables),
        charts=draw(figures),
    )


def _tables(figures: Figures, evidence: Evidence) -> list[Table]:
    """All tables, in the order of the workbook's sheets."""
    income = statements.income_by_period(figures)
    cash = statements.cash_flow_by_period(figures)
    return [
        statements.income_statement(figures, income),
        income,
        statements.balance_sheet(figures),
        statements.cash_flow(figures, cash),
        cash,
        statements.trial_balance(figures),
        operations.costs(figures),
        operations.leases(figures),
        operations.top_wells(figures),
        operations.wells(figures),
        operations.prices(figures),
        operations.jib(figures),
        operations.afe(figures),
        control.subledgers(figures),
        control.ageing(figures),
        control.suspense(figures),
        control.accruals(figures),
        control.corrections(figures),
        control.late(figures),
        control.numbers(figures),
        control.books(figures, evidence),
        ledger_figures(figures),
    ]


def _facts(figures: Figures, evidence: Evidence) -> tuple[tuple[str, str], ...]:
    """What the pack is made from, for its cover."""
    days = [evidence.days[row["recorded_on"]] for row in figures.days]
    closed = [day for day in days if day.seal]
    lines = sum(row["lines"] for row in figures.days)
    state = "not closed"
    if closed:
        state = f"{len(closed)} of {len(days)} days closed"
        if len(closed) == len(days):
            state = "all days closed"
    facts = [
        ("Currency", "USD"),
        ("Journal lines", f"{lines:,}"),
        ("Recorded on", f"{figures.days[0]['recorded_on']} to {figures.days[-1]['recorded_on']}")
        if figures.days
        else ("Recorded on", "no day"),
        ("Publication", str(evidence.publication) if evidence.publication else "none"),
        ("Days in the books", state),
    ]
    if closed:
        facts.append(("Last certificate", closed[-1].seal))
    facts += [("Chain of certificates", broken) for broken in evidence.chain]
    return tuple(facts)
