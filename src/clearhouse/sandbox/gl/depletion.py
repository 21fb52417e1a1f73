"""Depletion by units of production: of each basin's properties, over its own reserves."""

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
from clearhouse.sandbox.gl.world import Month, World

_RESERVE_MONTHS, _LEAST_RESERVE_MONTHS = 110, 14  # of present production
_RESERVES_OF_NEW_WELL = 420_000_000  # thousandths of a BOE, 8/8


@dataclass(frozen=True)
class _Pool:
    """The properties of each basin at the end of a month.

    Attributes:
        cost, depleted: cents. charge: of the month, a part of `depleted`.
        reserves: thousandths of a BOE, the operator's.
    """

    cost: Ints
    depleted: Ints
    charge: Ints
    reserves: Ints


def all_of(world: World, month: Month) -> Iterable[Entries]:
    """The charge of a month by basin, spread over its wells by production."""
    charge = _pool(world, month.number).charge
    made = _own_boe(world, month.number)
    rng = world.rng(Entity.CLOCK, month.number * 64 + 60)
    words = ("recurring", "DDA", "ALLOC", "Depletion by units of production")
    entries = Entries(len(BASINS), words, month.last, clock.job(rng, len(BASINS), 21.5))
    for basin in np.flatnonzero(charge).tolist():
        well = np.flatnonzero((world.properties.basin == basin) & (made > 0))
        parts = cut(charge[basin : basin + 1], shares_of(made[None, well]))[0]
        entries.add(chart.DEPLETION, parts, np.full(len(well), basin), well=well)
    entries.add(chart.ACCUMULATED_DEPLETION, -charge)
    yield entries


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
    left = (cost - before.depleted).astype(float)
    charge = np.rint(left * made / np.maximum(made + closing, 1)).astype(np.int64)
    return _Pool(cost, before.depleted + charge, charge, closing)


def _opened(world: World, made: Ints) -> _Pool:
    nothing = np.zeros(len(BASINS), dtype=np.int64)
    first = world.month(0)
    whole = made * 30 // np.minimum(len(first.days), 30)
    return _Pool(property_cost(world), nothing, nothing, whole * _RESERVE_MONTHS)
