"""The close of a year: closing entries for what those of the generated ledger have left.

The generated ledger closes what it knows of. Field tickets, and what people have posted, are
revenue and expense of the year too: when its last period closes, they go to retained earnings.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import LEDGER, Journal, Line
from clearhouse.gl.periods import Period
from clearhouse.gl.service import tables
from clearhouse.gl.service.journal_lines import lines_of, wells_of
from clearhouse.gl.service.recorder import record

_INCOME_SUMMARY, _RETAINED_EARNINGS = "3900", "3100"
SERVICE = "SERVICE"
"""Who does what the service does by itself."""
_LAST_MONTH = 12

Left = tuple[str, str | None, int]
"""Account, well, and cents; a debit is positive."""


def ends_year(period: Period) -> bool:
    """Whether a fiscal year ends with a period."""
    return period.last_day.month == _LAST_MONTH


def result_accounts() -> list[str]:
    """The accounts of revenue and expense."""
    chart = chart_of_accounts().items()
    return [code for code, each in chart if each.account_class in ("REVENUE", "EXPENSE")]


def close_rest_of_year(
    connection: sa.Connection, period: Period, approved_by: str, at: dt.datetime
) -> None:
    """Close the balances that closing entries have left; nothing while there are none of the year.

    Args:
        connection: in a transaction that writes, with the ledger's row held.
        period: the last one of a year.
        approved_by: who closes the period.
        at: the moment.
    """
    if not _has_closing_entries(connection, period):
        return
    left = _left(connection, period)
    for lines in _entries(left):
        journal = Journal(
            posting_date=period.last_day,
            transaction_date=period.last_day,
            lines=lines,
            prepared_by=SERVICE,
            approved_by=approved_by,
            description="Close of the year",
            entry_type="closing",
            journal_source="CLOSE",
        )
        wells = wells_of(connection, journal)
        record(connection, lines_of(journal, period, wells, at), at.date())


def _has_closing_entries(connection: sa.Connection, period: Period) -> bool:
    e = tables.entry.c
    of_year = (e.ledger == LEDGER) & (e.fiscal_period == period.name) & (e.entry_type == "closing")
    return connection.scalar(sa.select(e.journal_entry).where(of_year).limit(1)) is not None


def _left(connection: sa.Connection, period: Period) -> list[Left]:
    """What is left of the year by account and well, in their order."""
    line = tables.line.c
    amount = sa.func.sum(line.debit_minor - line.credit_minor)
    year = line.posting_date.between(period.last_day.replace(month=1, day=1), period.last_day)
    statement = (
        sa.select(line.account_code, line.well_id, amount)
        .where(year & line.account_code.in_(result_accounts()))
        .group_by(line.account_code, line.well_id)
        .having(amount != 0)
    )
    rows: list[Any] = list(connection.execute(statement))
    return sorted(
        ((code, well, int(cents)) for code, well, cents in rows),
        key=lambda each: (each[0], each[1] or ""),
    )


def _entries(left: list[Left]) -> Iterator[tuple[Line, ...]]:
    """An entry an account, against the income summary, and that to retained earnings."""
    result = 0
    for code, of_account in groupby(left, key=lambda each: each[0]):
        found = list(of_account)
        total = sum(cents for _, _, cents in found)
        result += total
        closed = (_line(code, -cents, well) for _, well, cents in found)
        yield (*closed, *([_line(_INCOME_SUMMARY, total)] if total else ()))
    if result:
        yield _line(_INCOME_SUMMARY, -result), _line(_RETAINED_EARNINGS, result)


def _line(code: str, cents: int, well: str | None = None) -> Line:
    return Line(code, max(cents, 0), max(-cents, 0), well_id=well)
