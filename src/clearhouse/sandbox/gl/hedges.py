"""Derivatives: swaps of crude oil and natural gas that fix the price of a part of the production.

There is a swap for each commodity and production month, traded a year before it; those of the first
year are traded when the books are opened. The operator gets the fixed price and pays the average of
the benchmark in that month. All are marked to market at month end by a forward price, which goes
from today's benchmark to its usual level. No hedge accounting: gains and losses are in income.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.core.fiscal import end_of_month
from clearhouse.core.shares import UNIT
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.entries import Entries, of_kind
from clearhouse.sandbox.gl.numbers import Entity, Ints
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.sales import BTU_PERCENT
from clearhouse.sandbox.gl.taxes import GAS, OIL
from clearhouse.sandbox.gl.world import EPOCH, Month, World
from clearhouse.sandbox.prices import SERIES, daily

_AHEAD = 12  # months
_HEDGED = 0.4  # of the operator's part of what is produced at the opening
_LESS_A_MONTH = 0.985  # hedged for each month than for the one before
_REVERTS_A_MONTH = 0.85  # of the distance to the usual price that is left after a month
_SETTLED_DAY = 5
_UNITS_A_LOT = 100


@dataclass(frozen=True)
class _Commodity:
    """What a swap is of: its benchmark, the words for it, and the product that it hedges."""

    series: str
    name: str
    product: int
    units_percent: int  # units of the benchmark's price in a hundred of the product


_COMMODITIES = (
    _Commodity("RWTC", "crude oil", OIL, 100),
    _Commodity("RNGWHHD", "natural gas", GAS, BTU_PERCENT),
)


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """Swaps of the last month settled in cash, and all open ones marked to market."""
    rng = world.rng(Entity.HEDGES, month.number)
    for at, commodity in enumerate(_COMMODITIES):
        if month.number:
            yield _settled(world, month, at, clock.office(rng, 1))
        words = ("recurring", "GLACCR", "ADJ", f"Swaps of {commodity.name} marked to market")
        entries = Entries(1, words, month.last, clock.job(rng, 1, 22))
        contract = month.number + np.arange(_AHEAD + 1)
        value = _values(world, month.number, at)
        before = np.zeros_like(value)
        if month.number:
            before[:-1] = _values(world, month.number - 1, at)[1:]
        _add_change(entries, before, value, contract, at)
        entries.add(chart.DERIVATIVE_RESULT, np.array([(before - value).sum()]))
        yield entries


def _settled(world: World, month: Month, at: int, second: Ints) -> Entries:
    """The swap of the month before, by the benchmark's average."""
    contract = month.number - 1
    words = ("standard", "MANUAL", "PAY", f"Swap of {_COMMODITIES[at].name} settled")
    entries = Entries(1, words, month.business_day(_SETTLED_DAY), second)
    production_month = world.month(contract).production
    price = _average(_COMMODITIES[at], production_month, _end_of(production_month))
    fixed, units = _terms(world, contract, at)
    cash = _cents(units, np.array([fixed - price]))
    carried = _values(world, contract, at)[:1]
    entries.add(chart.CASH, cash, document_kind=of_kind("WIRE"), document=_document(contract, at))
    _add_change(entries, carried, np.zeros_like(carried), np.array([contract]), at)
    entries.add(chart.DERIVATIVE_RESULT, carried - cash)
    return entries


def _add_change(entries: Entries, before: Ints, after: Ints, contract: Ints, at: int) -> None:
    """Lines of a change of swaps' values: a gain is an asset, and a loss a liability."""
    for account, change in (
        (chart.DERIVATIVE_ASSET, np.maximum(after, 0) - np.maximum(before, 0)),
        (chart.DERIVATIVE_LIABILITY, np.minimum(after, 0) - np.minimum(before, 0)),
    ):
        entries.add(
            account,
            change,
            np.zeros(len(contract), dtype=np.int64),
            document_kind=of_kind("SWP"),
            document=_document(contract, at),
        )


def _document(contract: Ints | int, at: int) -> Ints | int:
    return (contract + 1) * 10 + at


@lru_cache(maxsize=64)
def _values(world: World, number: int, at: int) -> Ints:
    """The values at the end of a month of the swaps of that month and of those after, in cents."""
    month, commodity = world.month(number), _COMMODITIES[at]
    last = dt.date.fromordinal(month.last + EPOCH)
    price = _forward(commodity, last, np.arange(_AHEAD + 1))
    price[0] = _average(commodity, month.production, min(last, _end_of(month.production)))
    terms = [_terms(world, number + ahead, at) for ahead in range(_AHEAD + 1)]
    fixed, units = (np.array(each) for each in zip(*terms, strict=True))
    return _cents(units, fixed - price)


@lru_cache(maxsize=128)
def _terms(world: World, contract: int, at: int) -> tuple[int, int]:
    """The fixed price of a swap in 1/1000 USD, and its units: bbl or MMBtu."""
    commodity = _COMMODITIES[at]
    traded = max(contract - _AHEAD, 0)
    day = dt.date.fromordinal(world.month(traded).first + EPOCH)
    fixed = int(_forward(commodity, day, np.array([contract - traded]))[0])
    hedged = _produced(world, commodity) * _HEDGED * _LESS_A_MONTH**contract
    return fixed, max(round(hedged / _UNITS_A_LOT), 1) * _UNITS_A_LOT


@lru_cache(maxsize=16)
def _produced(world: World, commodity: _Commodity) -> float:
    """The operator's part of a whole month at the opening, in units of the benchmark."""
    own = world.decks.revenue[world.properties.lease, 0] / UNIT
    sold = production(world, 0).sold[commodity.product]
    part_of_month = min(len(world.month(0).days), 30) / 30
    return float((sold * own).sum() / 1_000 / part_of_month * commodity.units_percent / 100)


def _forward(commodity: _Commodity, day: dt.date, months: Ints) -> Ints:
    """What a month's average is expected to be, so many months after a day, in 1/1000 USD."""
    spot, usual = _average(commodity, day, day), SERIES[commodity.series].level
    expected: Ints = np.rint(usual + (spot - usual) * _REVERTS_A_MONTH**months).astype(np.int64)
    return expected


@lru_cache(maxsize=64)
def _average(commodity: _Commodity, first: dt.date, last: dt.date) -> int:
    """The benchmark's mean of some days, in 1/1000 USD."""
    return int(daily(commodity.series, first, max(first, last)).mean())


def _end_of(month: dt.date) -> dt.date:
    return end_of_month(month.year, month.month)


def _cents(units: Ints | int, thousandths: Ints) -> Ints:
    return np.rint(units * thousandths / 10).astype(np.int64)
