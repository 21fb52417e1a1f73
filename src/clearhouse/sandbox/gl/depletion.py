"""Depletion by units of production, and impairment: of each basin's properties as one field.

A field is tested for impairment at the end of a quarter in which its prices fell: if what its
reserves will bring does not recover its cost, this is written down to what they are worth today.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.core.shares import UNIT, cut, shares_of
from clearhouse.sandbox.gl import chart, clock
from clearhouse.sandbox.gl.capital import finished
from clearhouse.sandbox.gl.entries import Entries
from clearhouse.sandbox.gl.numbers import Entity, Ints, sums
from clearhouse.sandbox.gl.opening import property_cost
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.projects import projects
from clearhouse.sandbox.gl.sales import sales
from clearhouse.sandbox.gl.world import Month, World

_RESERVE_MONTHS, _LEAST_RESERVE_MONTHS = 110, 14  # of present production
_RESERVES_OF_NEW_WELL = 420_000_000  # thousandths of a BOE, 8/8
_QUARTER = 3
_FALL_PERCENT = 10  # of the price of a BOE in a quarter: a field is tested
_COST_OF_BOE_CENTS = 450  # of producing a BOE, gathering and overhead
_DISCOUNT = 0.10  # a year


@dataclass(frozen=True)
class _Pool:
    """The properties of each basin at the end of a month.

    Attributes:
        cost, depleted, impaired: cents. charge, impairment: of the month, parts of the last two.
        reserves: thousandths of a BOE, the operator's.
    """

    cost: Ints
    depleted: Ints
    impaired: Ints
    charge: Ints
    impairment: Ints
    reserves: Ints


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """The charge of a month, and of a quarter the impairment, by basin."""
    pool = _pool(world, month.number)
    rng = world.rng(Entity.CLOCK, month.number * 64 + 60)
    words = ("recurring", "DDA", "ALLOC", "Depletion by units of production")
    depleted = Entries(len(BASINS), words, month.last, clock.job(rng, len(BASINS), 21.5))
    _add_spread(world, month, depleted, chart.DEPLETION, pool.charge)
    depleted.add(chart.ACCUMULATED_DEPLETION, -pool.charge)
    yield depleted
    words = ("standard", "DDA", "ADJ", "Impairment of a field")
    impaired = Entries(len(BASINS), words, month.last, clock.job(rng, len(BASINS), 22.5))
    _add_spread(world, month, impaired, chart.IMPAIRMENT, pool.impairment)
    impaired.add(chart.ACCUMULATED_IMPAIRMENT, -pool.impairment)
    yield impaired


def _add_spread(world: World, month: Month, entries: Entries, account: int, amount: Ints) -> None:
    """Lines of each basin's amount, spread over its wells by production."""
    made = _own_boe(world, month.number)
    for basin in np.flatnonzero(amount).tolist():
        well = np.flatnonzero((world.properties.basin == basin) & (made > 0))
        parts = cut(amount[basin : basin + 1], shares_of(made[None, well]))[0]
        entries.add(account, parts, np.full(len(well), basin), well=well)


@lru_cache(maxsize=64)
def _own_boe(world: World, number: int) -> Ints:
    """The operator's net production of each well, in thousandths of a BOE."""
    own = world.decks.revenue[world.properties.lease, 0]
    boe: Ints = production(world, number).boe * (own // 10_000) // (UNIT // 10_000)
    return boe


@lru_cache(maxsize=512)
def _pool(world: World, number: int) -> _Pool:
    wells = world.properties
    made = sums(wells.basin, _own_boe(world, number), len(BASINS))
    before = _pool(world, number - 1) if number else _opened(world, made)
    project, spent = finished(world, number)
    well = projects(world).well[project]
    basin = np.where(wells.dry[well], -1, wells.basin[well])
    kept = basin >= 0
    cost = before.cost + sums(basin[kept], spent[kept], len(BASINS))
    own = world.decks.revenue[wells.lease[well], 0]
    found = sums(
        basin[kept], (_RESERVES_OF_NEW_WELL // 10_000 * (own // 10_000))[kept], len(BASINS)
    )
    closing = np.maximum(before.reserves + found - made, made * _LEAST_RESERVE_MONTHS)
    left = cost - before.depleted - before.impaired
    charge = np.rint(left.astype(float) * made / np.maximum(made + closing, 1)).astype(np.int64)
    lost = _impairment(world, number, left - charge, closing, made)
    return _Pool(
        cost=cost,
        depleted=before.depleted + charge,
        impaired=before.impaired + lost,
        charge=charge,
        impairment=lost,
        reserves=closing,
    )


def _impairment(world: World, number: int, carried: Ints, reserves: Ints, made: Ints) -> Ints:
    """By how much each basin's cost exceeds its value, where it is tested and not recovered.

    Args:
        world: the ledger's.
        number: of the month.
        carried: cost that is neither depleted nor impaired, in cents.
        reserves: that are left, in thousandths of a BOE.
        made: what the month produced, in thousandths of a BOE.
    """
    nothing = np.zeros(len(BASINS), dtype=np.int64)
    if world.month(number).period.number % _QUARTER or number < _QUARTER:
        return nothing
    price, before = (_price(world, each) for each in (number, number - _QUARTER))
    has_fallen = price * 100 < before * (100 - _FALL_PERCENT)
    recovered = reserves * np.maximum(price - _COST_OF_BOE_CENTS, 0) // 1_000
    months = reserves / np.maximum(made, 1)  # as long as it is produced as today
    rate = (1 + _DISCOUNT) ** (1 / 12) - 1
    worth = recovered * (1 - (1 + rate) ** -months) / np.maximum(rate * months, 1e-9)
    lost = carried - np.rint(worth).astype(np.int64)
    return np.where(has_fallen & (carried > recovered), lost, nothing)


@lru_cache(maxsize=64)
def _price(world: World, number: int) -> Ints:
    """What a BOE of each basin brought in a month after production tax, in cents."""
    basin, sold = world.properties.basin, sales(world, number)
    brought = sums(basin[sold.well], sold.value - sold.tax, len(BASINS))
    boe = sums(basin, production(world, number).boe, len(BASINS))
    price: Ints = brought * 1_000 // np.maximum(boe, 1)
    return price


def _opened(world: World, made: Ints) -> _Pool:
    nothing = np.zeros(len(BASINS), dtype=np.int64)
    first = world.month(0)
    whole = made * 30 // np.minimum(len(first.days), 30)
    return _Pool(
        cost=property_cost(world),
        depleted=nothing,
        impaired=nothing,
        charge=nothing,
        impairment=nothing,
        reserves=whole * _RESERVE_MONTHS,
    )
