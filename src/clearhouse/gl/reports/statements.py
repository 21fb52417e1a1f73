"""The financial statements of a period as tables: income, balance sheet, cash flow, trial balance.

Totals are rules over the accounts' rows, so that a statement can't show a total that its accounts
don't add up to.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from clearhouse.gl.reports.figures import Figures, Rows
from clearhouse.gl.reports.model import Column, Kind, Row, Same, Style, Table, Terms, Value

INCOME = "Income statement"
INCOME_BY_PERIOD = "Income by period"
BALANCE_SHEET = "Balance sheet"
CASH_FLOW = "Cash flow"
CASH_FLOW_BY_PERIOD = "Cash flow by period"
TRIAL_BALANCE = "Trial balance"

NET_INCOME = "net_income"
_SECTIONS_OF_CASH = ("operating", "investing", "financing")
_MONEY = 17


def money(key: str, title: str, rule: Terms | Same | None = None) -> Column:
    """A column of money."""
    return Column(key, title, Kind.MONEY, _MONEY, rule)


def label(title: str = "", width: float = 34) -> Column:
    """The column that says what a row is."""
    return Column("label", title, Kind.TEXT, width)


def income_by_period(figures: Figures) -> Table:
    """Revenue and expense by account, a column a period of the year and the year to date."""
    of_year = figures.periods.of_year
    shown = of_year if figures.periods.prior in of_year else (figures.periods.prior, *of_year)
    columns = [money(period, period) for period in shown]
    to_date = money("to_date", "Year to date", Terms.of(of_year))
    revenue = [row for row in figures.income if row["account_class"] == "REVENUE"]
    expense = [row for row in figures.income if row["account_class"] != "REVENUE"]
    rows = [
        *_part("Revenue", revenue),
        *_part("Expenses", expense),
        Row(
            NET_INCOME,
            {"label": "Net income"},
            Style.TOTAL,
            Terms.of(["total:Revenue"], ["total:Expenses"]),
        ),
    ]
    return Table(INCOME_BY_PERIOD, (label(), *columns, to_date), tuple(rows), only_workbook=True)


def income_statement(figures: Figures, by_period: Table) -> Table:
    """The period beside the one before it, with the year to date."""
    periods = figures.periods
    before = (
        money("prior", periods.prior, Same(INCOME_BY_PERIOD, periods.prior)),
        money("change", "Change", Terms.of(["this"], ["prior"])),
    )
    columns = (
        label(),
        money("this", periods.this, Same(INCOME_BY_PERIOD, periods.this)),
        *(before if periods.has_prior else ()),
        money("to_date", "Year to date", Same(INCOME_BY_PERIOD, "to_date")),
    )
    rows = tuple(
        Row(row.key, {"label": row.cells["label"]}, row.style, row.adds, row.is_detail)
        for row in by_period.rows
    )
    return Table(INCOME, columns, rows)


def _part(title: str, found: Rows) -> list[Row]:
    """Revenue or expenses: its captions, their accounts as detail, and the total."""
    accounts: dict[str, dict[str, Value]] = {}
    captions: dict[str, list[str]] = {}
    for row in found:
        key = row["account_code"]
        cells = accounts.setdefault(key, {"label": f"{key} {row['account_name']}"})
        cells[row["fiscal_period"]] = row["amount"]
        if key not in captions.setdefault(row["caption"], []):
            captions[row["caption"]].append(key)
    return [
        Row(f"heading:{title}", {"label": title}, Style.HEADING),
        *_captions(captions, accounts),
        _total(title, (f"caption:{caption}" for caption in captions)),
    ]


def _captions(
    captions: Mapping[str, Sequence[str]], accounts: Mapping[str, Mapping[str, Value]]
) -> Iterable[Row]:
    """Each caption as the sum of its accounts, which stand above it as detail."""
    for caption, keys in captions.items():
        yield from (Row(key, accounts[key], is_detail=True) for key in keys)
        yield Row(f"caption:{caption}", {"label": caption}, Style.LINE, Terms.of(list(keys)))


def _total(title: str, keys: Iterable[str], style: Style = Style.SUBTOTAL) -> Row:
    return Row(f"total:{title}", {"label": f"Total {title.lower()}"}, style, Terms.of(list(keys)))


def balance_sheet(figures: Figures) -> Table:
    """What is owned and owed at the end of the period, beside the end of the one before it."""
    periods = figures.periods
    rows: list[Row] = []
    sections: dict[str, list[Mapping[str, Any]]] = {"Assets": [], "Liabilities": [], "Equity": []}
    for row in figures.balance_sheet:
        sections[_section(row["section"])].append(row)
    for title, found in sections.items():
        accounts: dict[str, dict[str, Value]] = {}
        captions: dict[str, list[str]] = {}
        for row in found:
            key = row["account_code"] or NET_INCOME
            name = f"{key} {row['account_name']}" if row["account_code"] else row["caption"]
            cells = accounts.setdefault(key, {"label": name})
            cells["this" if row["fiscal_period"] == periods.this else "prior"] = row["amount"]
            if key not in captions.setdefault(row["caption"], []):
                captions[row["caption"]].append(key)
        rows += [
            Row(f"heading:{title}", {"label": title}, Style.HEADING),
            *_captions(captions, accounts),
            _total(title, [f"caption:{c}" for c in captions], _style_of(title)),
        ]
    both = Terms.of(["total:Liabilities", "total:Equity"])
    rows.append(Row("both", {"label": "Total liabilities and equity"}, Style.TOTAL, both))
    before = (
        money("prior", f"End of {periods.prior}"),
        money("change", "Change", Terms.of(["this"], ["prior"])),
    )
    this = money("this", f"End of {periods.this}")
    columns = (label(), this, *(before if periods.has_prior else ()))
    return Table(BALANCE_SHEET, columns, tuple(rows))


def _style_of(title: str) -> Style:
    return Style.TOTAL if title == "Assets" else Style.SUBTOTAL


def _section(name: str) -> str:
    """The section that a section of the mart is part of, such as current assets."""
    return next(s for s in ("Liabilities", "Equity", "Assets") if s[:5].lower() in name.lower())


def cash_flow_by_period(figures: Figures) -> Table:
    """The indirect cash flow statement, a column a period of the year and the year to date."""
    periods = figures.periods
    shown = periods.of_year
    captions: dict[str, dict[str, dict[str, Value]]] = {}
    for row in sorted(figures.cash_flow, key=_order_of_cash):
        section = captions.setdefault(_section_of_cash(row["section"]), {})
        section.setdefault(row["caption"], {})[row["fiscal_period"]] = row["amount"]
    rows: list[Row] = []
    totals: list[str] = []
    for title, found in captions.items():
        rows.append(Row(f"heading:{title}", {"label": title}, Style.HEADING))
        for caption, amounts in found.items():
            rows.append(Row(f"{title}:{caption}", {"label": caption, **amounts}))
        adds = Terms.of([f"{title}:{caption}" for caption in found])
        totals.append(f"total:{title}")
        told = f"Net cash, {title.lower()}"
        rows.append(Row(totals[-1], {"label": told}, Style.SUBTOTAL, adds))
    rows.append(Row("change", {"label": "Change of cash"}, Style.TOTAL, Terms.of(totals)))
    opening = {row["fiscal_period"]: row["opening_balance"] for row in figures.cash}
    of_year: dict[str, Value] = {period: opening.get(period, Decimal(0)) for period in shown}
    of_year["to_date"] = of_year[shown[0]]
    rows.append(Row("opening", {"label": "Cash at the beginning", **of_year}))
    adds = Terms.of(["opening", "change"])
    rows.append(Row("closing", {"label": "Cash at the end"}, Style.TOTAL, adds))
    columns = [money(period, period) for period in shown]
    to_date = money("to_date", "Year to date", Terms.of(shown))
    return Table(CASH_FLOW_BY_PERIOD, (label(), *columns, to_date), tuple(rows), only_workbook=True)


def cash_flow(figures: Figures, by_period: Table) -> Table:
    """The period's cash flow with the year to date."""
    this = figures.periods.this
    columns = (
        label(),
        money("this", this, Same(CASH_FLOW_BY_PERIOD, this)),
        money("to_date", "Year to date", Same(CASH_FLOW_BY_PERIOD, "to_date")),
    )
    rows = tuple(
        Row(row.key, {"label": row.cells["label"]}, row.style, row.adds, row.is_detail)
        for row in by_period.rows
    )
    return Table(CASH_FLOW, columns, rows)


def _section_of_cash(name: str) -> str:
    found = next((s for s in _SECTIONS_OF_CASH if s[:6] in name.lower()), "operating")
    return f"{found.capitalize()} activities"


def _order_of_cash(row: Mapping[str, Any]) -> tuple[int, bool, str, str]:
    """Operating before investing before financing; net income before what it is adjusted by."""
    section = _section_of_cash(row["section"]).split()[0].lower()
    at = _SECTIONS_OF_CASH.index(section)
    return at, row["caption"] != "Net income", row["caption"], row["fiscal_period"]


def trial_balance(figures: Figures) -> Table:
    """Every account with its balances, debit positive; the total of each balance is zero."""
    found = [
        row
        for row in figures.trial_balance
        if any(row[c] for c in ("opening_balance", "debits", "credits"))
    ]
    rows = [
        Row(
            row["account_code"],
            {
                "code": row["account_code"],
                "label": row["account_name"],
                "opening": row["opening_balance"],
                "debits": row["debits"],
                "credits": row["credits"],
            },
        )
        for row in found
    ]
    total = Row("total", {"label": "Total"}, Style.TOTAL, Terms.of([row.key for row in rows]))
    columns = (
        Column("code", "Account", Kind.TEXT, 8),
        label("Name", 30),
        money("opening", "Opening balance"),
        money("debits", "Debits"),
        money("credits", "Credits"),
        money("closing", "Closing balance", Terms.of(["opening", "debits"], ["credits"])),
    )
    return Table(
        TRIAL_BALANCE,
        columns,
        (*rows, total),
        note="Balances are debit less credit: a credit balance stands in parentheses.",
    )
