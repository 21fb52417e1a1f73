"""Balances of accounts at a date and by period, from the sums that are kept with the lines."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from clearhouse.gl.chart import chart_of_accounts
from clearhouse.gl.journal import LEDGER
from clearhouse.gl.service import tables
from clearhouse.gl.service.database import Database

_B = tables.balance.c


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account's sums in cents; the balance is debit less credit."""

    account_code: str
    account_name: str
    account_class: str
    normal_side: str
    opening_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def closing_minor(self) -> int:
        """Debit positive."""
        return self.opening_minor + self.debit_minor - self.credit_minor


def balances_at(database: Database, day: dt.date) -> list[AccountBalance]:
    """Every account with lines, all that was posted up to a day."""
    within = _B.posting_date <= day
    return _balances(database, within, sa.false())


def trial_balance(database: Database, fiscal_period: str) -> list[AccountBalance]:
    """Every account with lines: what it opened a period with, and its sums in it."""
    return _balances(database, _B.fiscal_period == fiscal_period, _B.fiscal_period < fiscal_period)


def _balances(
    database: Database, within: sa.ColumnElement[bool], before: sa.ColumnElement[bool]
) -> list[AccountBalance]:
    def total(value: sa.ColumnElement[int], where: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((where, value), else_=0))

    statement = (
        sa.select(
            _B.account_code,
            total(_B.debit_minor - _B.credit_minor, before),
            total(_B.debit_minor, within),
            total(_B.credit_minor, within),
        )
        .where((_B.ledger == LEDGER) & (within | before))
        .group_by(_B.account_code)
        .order_by(_B.account_code)
    )
    chart = chart_of_accounts()
    with database.reading() as connection:
        rows: Any = connection.execute(statement).all()
    return [
            AccountBalance(
                code, chart[code].name, chart[code].account_class, chart[code].normal_side,
                int(opening), int(debit), int(credit),
            )
            for code, opening, debit, credit in rows
            if not chart[code].is_statistical
        ]  # fmt: skip
