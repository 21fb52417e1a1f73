"""Income tax: a provision for each month's result, and the payment of each quarter's provisions.

The federal rate only: of what states take, and of what differs between the books and the return
(intangible drilling cost, depletion), nothing is said here, so that no tax is deferred. Impairment
is not deducted, since a return does not know it. A month's loss takes off what is owed.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.numbers import Entity
from clearhouse.sandbox.gl.world import Month, World

RATES_PPM = ((dt.date(1993, 1, 1), 350_000), (dt.date(2018, 1, 1), 210_000))
"""Millionths of the income of a corporation, from a day on: section 11(b) of the tax code."""

_PAID_EVERY, _DAY = 3, 10  # the days on which instalments are due in fact are others
_NOT_TAXED = (chart.IMPAIRMENT, chart.INCOME_TAX)

_IS_TAXED = np.zeros(10_000, dtype=bool)
_IS_TAXED[
    [
        each.code
        for each in chart.accounts().values()
        if each.is_closed_at_year_end and each.code not in _NOT_TAXED
    ]
] = True

Income = Callable[[int], int]
"""The income before tax that was recorded in a month by its number, in cents."""


def income_of(batches: Sequence[Entries], last: int) -> tuple[int, int]:
    """The income of entries, in cents: of those recorded up to a day, and of those after it."""
    in_time = late = 0
    for batch in batches:
        is_late = batch.columns["recorded"] > last
        has_late = bool(is_late.any())
        for block in batch.blocks:
            taxed = _IS_TAXED[block["account"]]  # of each line, or of all where they share it
            if not taxed.any():
                continue
            amount = block["amount"] if taxed.ndim == 0 else block["amount"] * taxed
            of_late = int(amount[is_late[block["entry"]]].sum()) if has_late else 0
            late -= of_late
            in_time -= int(amount.sum()) - of_late
    return in_time, late


def _provision(world: World, number: int, income: Income) -> int:
    first = world.month(number).production
    rate = [ppm for since, ppm in RATES_PPM if since <= first][-1]
    return round(income(number) * rate / 1_000_000)


def all_of(world: World, month: Month, income: Income) -> Iterable[Entries]:
    """The provision of a month, and every third month the payment of those before."""
    rng = world.rng(Entity.CLOCK, month.number * 64 + 57)
    words = ("recurring", "TAX", "ACCR", "Provision for income tax")
    accrued = Entries(1, words, month.last, clock.job(rng, 1, 23))
    provision = _provision(world, month.number, income)
    accrued.add(chart.INCOME_TAX, provision)
    accrued.add(chart.INCOME_TAX_PAYABLE, -provision)
    yield accrued
    if month.number % _PAID_EVERY == 0 and month.number:
        before = range(month.number - _PAID_EVERY, month.number)
        owed = sum(_provision(world, number, income) for number in before)
        text = "Income tax of a quarter paid" if owed > 0 else "Income tax of a quarter refunded"
        words = ("standard", "TAX", "PAY", text)
        paid = Entries(1, words, month.business_day(_DAY), clock.office(rng, 1))
        paid.add(chart.INCOME_TAX_PAYABLE, owed)
        document = month.number * 100 + 60
        paid.add(chart.CASH, -owed, document_kind=of_kind("WIRE"), document=document)
        yield paid
