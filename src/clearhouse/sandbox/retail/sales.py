"""The sales of a day as numbers: drawn column by column, not yet text.

Grain: one row per product line of a sale; a return is a sale of one line with a negative quantity.
A day is a function of (seed, day, scale) alone. What comes back on a day was sold on an earlier
one: that day is drawn again, and says itself which of its lines come back, and after how many days.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.retail.calendar import OPENED, sales_of
from clearhouse.sandbox.retail.catalogue import catalogue
from clearhouse.sandbox.retail.retailer import Entity, Retailer
from clearhouse.sandbox.rng import Rng, pick, stream
from clearhouse.sandbox.times import times_of_day

_MINUTE_SECONDS = 60

_LINES = (0.52, 0.26, 0.13, 0.06, 0.03)  # shares of sales of 1, 2, … lines
_QUANTITIES = (0.68, 0.19, 0.08, 0.03, 0.02)
_REPEATED_SHARE = 0.03  # of the lines after a sale's first: the product of the line before
_AT_HOME_SHARE = 0.85

_RETURNED_SHARE = 0.05
RETURNED_AFTER_DAYS = (1, 2, 3, 5, 8, 13, 21)
_BACK_AFTER = np.array([*RETURNED_AFTER_DAYS, 0])

# Customers join in cohorts, and a cohort buys during the 40 that follow: some 6,000 people.
_COHORT_DAYS, _COHORT_SIZE, _COHORTS = 32, 150, 40
_FIRST_COHORT = OPENED.toordinal() // _COHORT_DAYS - _COHORTS
_ACTIVITY = 1.8  # above 1: some people of a cohort buy much more than others

# fmt: off
_HOURS = np.array(
    [0, 0, 0, 0, 0, 0, 0, 0, 25, 40, 55, 65, 75, 70, 60, 60, 65, 80, 85, 70, 45, 15, 0, 0], float
)
# fmt: on

_LATECOMERS = 5
_LATE_NUMBER = 90_000  # above the numbers of a day's other sales


@dataclass(frozen=True)
class Lines:
    """Columns of one row per line, in order of time; the lines of a sale are neighbours.

    Attributes:
        sale: the sale's number in its day, from 1.
        minute: minutes after midnight.
        customer, store: their numbers, from 1.
        product: row of the catalogue.
        quantity: negative on a return.
        list_cents: the product's list price on the day of the sale.
        sale_chance, line_chance: uniform draws for what only some retailers have.
        back_after: in how many days the line comes back; 0: never.
    """

    retailer: Retailer
    seed: int
    day: dt.date
    sale: NDArray[np.int64]
    minute: NDArray[np.int64]
    customer: NDArray[np.int64]
    store: NDArray[np.int64]
    product: NDArray[np.int64]
    quantity: NDArray[np.int64]
    list_cents: NDArray[np.int64]
    sale_chance: NDArray[np.float64]
    line_chance: NDArray[np.float64]
    back_after: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sale)

    def rows(self, keep: NDArray[Any]) -> "Lines":
        """The rows that a mask or an index selects."""
        return self._with({name: getattr(self, name)[keep] for name in _COLUMNS})

    def and_(self, others: Sequence["Lines"]) -> "Lines":
        """These rows, and then those of other days; the day stays this one's."""
        every = (self, *others)
        return self._with(
            {name: np.concatenate([getattr(each, name) for each in every]) for name in _COLUMNS}
        )

    def _with(self, columns: dict[str, Any]) -> "Lines":
        return replace(self, **columns)


_COLUMNS = tuple(each.name for each in fields(Lines))[3:]
"""What of the lines has one value a row."""


def of_day(retailer: Retailer, seed: int, day: dt.date, scale: float) -> Lines:
    """The sales of a day, with what comes back on it. Of no lines where the retailer is closed."""
    sold = _sold(retailer, seed, day, scale)
    if len(sold) == 0:
        return sold
    lines = sold.and_([_back(retailer, seed, day, scale, after) for after in RETURNED_AFTER_DAYS])
    returned = len(lines) - len(sold)
    rng = stream(seed, Entity.RETURNS, day.toordinal())
    at, share = rng.random((2, returned))
    kept, back = lines.quantity[: len(sold)], lines.quantity[len(sold) :]
    lines = replace(
        lines,
        sale=np.concatenate([sold.sale, sold.sale[-1] + 1 + np.arange(returned)]),
        minute=np.concatenate([sold.minute, times_of_day(at, _HOURS) // _MINUTE_SECONDS]),
        quantity=np.concatenate([kept, -1 - (share * back).astype(np.int64)]),
    )
    ordered = lines.rows(np.argsort(lines.minute, kind="stable"))
    return replace(ordered, sale=1 + np.cumsum(np.diff(ordered.sale, prepend=ordered.sale[0]) != 0))


def latecomers(retailer: Retailer, seed: int, day: dt.date) -> Lines:
    """Sales of a day that no answer for that day has; none where the retailer is closed."""
    count = min(_LATECOMERS, sales_of(retailer, seed, day, 1.0))
    late = _draw(retailer, seed, day, count, stream(seed, Entity.LATE, day.toordinal()))
    return replace(late, sale=_LATE_NUMBER + late.sale)


def _back(retailer: Retailer, seed: int, day: dt.date, scale: float, after_days: int) -> Lines:
    """The lines that come back on a day, of those sold so many days before; as they were sold."""
    sold = _sold(retailer, seed, day - dt.timedelta(days=after_days), scale)
    return sold.rows(sold.back_after == after_days)


@lru_cache(maxsize=128)
def _sold(retailer: Retailer, seed: int, day: dt.date, scale: float) -> Lines:
    count = sales_of(retailer, seed, day, scale)
    return _draw(retailer, seed, day, count, stream(seed, Entity.SALES, day.toordinal()))


def _draw(retailer: Retailer, seed: int, day: dt.date, sales: int, rng: Rng) -> Lines:
    """So many sales of a day, without what comes back."""
    goods = catalogue(retailer, seed, day)
    u = rng.random((7, sales))
    sizes = 1 + pick(_LINES, u[0])
    sale = np.repeat(np.arange(sales), sizes)
    customer, store = _customers(retailer, day, u[1:5])
    v = rng.random((5, len(sale)))
    again = (np.diff(sale, prepend=-1) == 0) & (v[0] < _REPEATED_SHARE)
    like = np.arange(len(sale)) - again  # the row that a line takes its product from
    product = np.searchsorted(goods.demand, v[1][like], side="right")
    back = (v[4] / _RETURNED_SHARE * len(RETURNED_AFTER_DAYS)).astype(np.int64)
    return Lines(
        retailer=retailer,
        seed=seed,
        day=day,
        sale=sale + 1,
        minute=(times_of_day(u[5], _HOURS) // _MINUTE_SECONDS)[sale],
        customer=customer[sale],
        store=store[sale],
        product=product,
        quantity=1 + pick(_QUANTITIES, v[2]),
        list_cents=goods.list_cents[product],
        sale_chance=u[6][sale],
        line_chance=v[3][like],
        back_after=_BACK_AFTER[np.minimum(back, len(RETURNED_AFTER_DAYS))],
    )


def _customers(
    retailer: Retailer, day: dt.date, u: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Who buys, and where: mostly at the store that is theirs."""
    newest = day.toordinal() // _COHORT_DAYS - _FIRST_COHORT
    cohort = newest - 1 - (u[0] * _COHORTS).astype(np.int64)
    within = (u[1] ** _ACTIVITY * _COHORT_SIZE).astype(np.int64)
    customer = 1 + cohort * _COHORT_SIZE + within
    elsewhere = (u[3] * retailer.stores).astype(np.int64)
    store = np.where(u[2] < _AT_HOME_SHARE, customer * 7 % retailer.stores, elsewhere)
    return customer, 1 + store
