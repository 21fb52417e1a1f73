"""The close checklist: what has to be zero before a controller signs a period."""

from collections.abc import Mapping

from clearhouse.gl.reports import control, statements
from clearhouse.gl.reports.figures import Figures
from clearhouse.gl.reports.model import Cell, Check, Column, Kind, Row, Style, Sum, Table

LEDGER = "Ledger figures"


def ledger_figures(figures: Figures) -> Table:
    """Figures that are summed over the journal's lines, for checks against the statements."""
    periods = figures.periods
    cash = figures.cash[-1]["closing_balance"] if figures.cash else 0
    rows = (
        Row(
            "earned",
            {"label": f"Revenue less expense on lines of {periods.this}", "amount": figures.earned},
        ),
        Row("cash", {"label": "Balance of the cash accounts", "amount": cash}),
        Row(
            "unbalanced",
            {"label": "Entries whose sides differ", "entries": figures.unbalanced},
        ),
    )
    columns = (
        statements.label(width=50),
        statements.money("amount", "Amount"),
        Column("entries", "Entries", Kind.COUNT, 10),
    )
    return Table(LEDGER, columns, rows, only_workbook=True)


def checks_of(figures: Figures, tables: Mapping[str, Table]) -> tuple[Check, ...]:
    """The checks in the order of a close."""
    accruals = _of_accruals(figures, tables) if figures.accruals else ()
    return (*_of_statements(figures, tables), *accruals, *_of_books(figures, tables))


def _of_statements(figures: Figures, tables: Mapping[str, Table]) -> tuple[Check, ...]:
    """The statements hold together, and say what the journal says."""
    this = figures.periods.this
    sheet, balance = statements.BALANCE_SHEET, statements.TRIAL_BALANCE
    return (
        Check(
            "Every entry balances",
            f"Entries of {this} whose debits differ from their credits.",
            (_cell(LEDGER, "unbalanced", "entries"),),
            Kind.COUNT,
        ),
        Check(
            "The trial balance is zero",
            "Debit balances less credit balances of all accounts.",
            (_cell(balance, "total", "closing"),),
        ),
        Check(
            "Debits equal credits",
            f"Debits less credits posted in {this}.",
            (_less(Cell(balance, "total", "debits"), Cell(balance, "total", "credits")),),
        ),
        Check(
            "The balance sheet balances",
            "Assets less liabilities and equity.",
            (_less(Cell(sheet, "total:Assets", "this"), Cell(sheet, "both", "this")),),
        ),
        Check(
            "Net income is the ledger's",
            "Net income less revenue and expense summed over the journal's lines.",
            (
                _less(
                    Cell(statements.INCOME, statements.NET_INCOME, "this"),
                    Cell(LEDGER, "earned", "amount"),
                ),
            ),
        ),
        Check(
            "Cash flow explains cash",
            "Cash at the end, by the period's flows and the year's, less the cash accounts.",
            tuple(
                _less(Cell(statements.CASH_FLOW, "closing", of), Cell(LEDGER, "cash", "amount"))
                for of in ("this", "to_date")
            ),
        ),
        Check(
            "Control accounts equal subledgers",
            "Differences, account by account.",
            _each(tables[control.SUBLEDGERS], "difference"),
        ),
    )


def _of_accruals(figures: Figures, tables: Mapping[str, Table]) -> tuple[Check, ...]:
    """What was accrued in the period before is reversed in this one."""
    this = figures.periods.this
    return (
        Check(
            "Accruals are reversed",
            f"Accruals of {figures.periods.prior} without a reversal in {this}.",
            _each(tables[control.ACCRUALS], "open"),
            Kind.COUNT,
        ),
        Check(
            "Reversals equal their accruals",
            "Accrued less reversed.",
            _each(tables[control.ACCRUALS], "difference"),
        ),
    )


def _of_books(figures: Figures, tables: Mapping[str, Table]) -> tuple[Check, ...]:
    """No number is missing, and the books balance for every day of the period's lines."""
    this = figures.periods.this
    return (
        Check(
            "Entry numbers have no gap",
            f"Numbers missing up to {this}.",
            _each(tables[control.NUMBERS], "missing"),
            Kind.COUNT,
        ),
        Check(
            "Every day is in the books",
            "Days of the period's lines that the books have not published.",
            (_cell(control.BOOKS, "total", "unpublished"),),
            Kind.COUNT,
        ),
        Check(
            "The books balance by day",
            "Entries of the books, of the days of the period's lines, that do not balance.",
            (
                _less(
                    Cell(control.BOOKS, "total", "hops"), Cell(control.BOOKS, "total", "balanced")
                ),
            ),
            Kind.COUNT,
        ),
        Check(
            "Debits equal credits in the books",
            "Amounts of the lines of these days, as the books measured what readers see.",
            _each(tables[control.BOOKS], "amount"),
        ),
    )


def _cell(table: str, row: str, column: str) -> Sum:
    return ((1, Cell(table, row, column)),)


def _less(one: Cell, other: Cell) -> Sum:
    return ((1, one), (-1, other))


def _each(table: Table, column: str) -> tuple[Sum, ...]:
    """Each line of a column by itself, so that two differences don't cancel out."""
    return tuple(_cell(table.name, r.key, column) for r in table.rows if r.style is Style.LINE)
