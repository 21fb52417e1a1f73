"""What is sold: values and taxes by well and product, cut by revenue decks.

Oil of a month is settled in the next one, gas and liquids in the second; then what was estimated at
the ends of the periods between is replaced by the purchaser's statement. A few statements are
corrected four months after production.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from clearhouse.core.fiscal import end_of_month
from clearhouse.core.shares import cut
from clearhouse.sandbox.gl.numbers import Entity, Ints, Mask, rounded, sums
from clearhouse.sandbox.gl.places import BASINS
from clearhouse.sandbox.gl.production import production
from clearhouse.sandbox.gl.taxes import GAS, NGL, OIL, PRODUCTS, rates_at
from clearhouse.sandbox.gl.world import PURCHASERS, World
from clearhouse.sandbox.prices import daily

SETTLED_AFTER = {OIL: 1, GAS: 2, NGL: 2}
"""Months from production to the purchaser's statement."""
CORRECTED_AFTER = 4

_GALLONS_A_BARREL = 42
_LIQUIDS_PERCENT_OF_OIL = 33
BTU_PERCENT = 104
"""Millions of BTU in a hundred mcf of gas as sold."""
_LEAST_PRICE = 120  # 1/1000 USD: what is worth less is not sold
_QUALITY = 400  # by which prices differ from lease to lease, 1/1000 USD a barrel
_ESTIMATE_SIGMA = 0.02
_CORRECTED_SHARE = 0.03


@dataclass(frozen=True)
class Sales:
    """Sales of production months, a row by well and product.

    Attributes:
        month: number of the production month; code: it as 202401.
        volume: 8/8, in thousandths of the unit; own_volume: the operator's net part.
        value, tax: 8/8, in cents. remits: whether the purchaser pays the tax.
        values, taxes: cut by the deck: the operator's part, then the owners' parts.
        estimate: factor in millionths by which the estimate missed.
        is_corrected: whether the statement will be corrected.
    """

    month: Ints
    code: Ints
    well: Ints
    product: Ints
    purchaser: Ints
    volume: Ints
    value: Ints
    tax: Ints
    remits: Mask
    estimate: Ints
    is_corrected: Mask

    def __len__(self) -> int:
        return len(self.well)

    def rows(self, keep: Mask) -> "Sales":
        """The rows of a mask."""
        return Sales(**{name: getattr(self, name)[keep] for name in self.__dataclass_fields__})

    def and_(self, other: "Sales") -> "Sales":
        """These rows, then those of others."""
        names = self.__dataclass_fields__
        return Sales(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        )

    def settled_after(self) -> Ints:
        """Months from production to settlement, of each row."""
        return np.array([SETTLED_AFTER[each] for each in range(len(PRODUCTS))])[self.product]


@lru_cache(maxsize=16)
def sales(world: World, number: int) -> Sales:
    """The sales of a production month, as they will be settled."""
    month = world.month(number)
    wells = world.properties
    product, well = np.nonzero(production(world, number).sold)
    volume = production(world, number).sold[product, well]
    rng = world.rng(Entity.SALES, number)
    miss = 1 + _ESTIMATE_SIGMA * rng.standard_normal(len(well)).clip(-3, 3)
    value = rounded(volume * _prices(world, month.production, well, product), 10_000)
    value_ppm, unit_micro = rates_at(month.production)
    at = wells.state[well], product
    tax = rounded(value * value_ppm[at], 1_000_000) + rounded(volume * unit_micro[at], 10_000_000)
    purchaser = (wells.lease[well] + 3 * product) % PURCHASERS
    return Sales(
        month=np.full(len(well), number),
        code=np.full(len(well), month.production_code),
        well=well,
        product=product,
        purchaser=purchaser,
        volume=volume,
        value=value,
        tax=np.minimum(tax, value),
        remits=(purchaser % 4 == 0) & (product == OIL),
        estimate=np.rint(miss * 1_000_000).astype(np.int64),
        is_corrected=rng.random(len(well)) < _CORRECTED_SHARE,
    )


@dataclass(frozen=True)
class Cut:
    """Sales cut by their decks. Columns: the operator, then the deck's slots of owners.

    Attributes:
        shares: hundred-millionths. owner: of each slot, -1 for none. values, taxes: cents.
        own_volume: the operator's, in thousandths.
    """

    shares: Ints
    owner: Ints
    values: Ints
    taxes: Ints
    own_volume: Ints


def cut_sales(world: World, sold: Sales) -> Cut:
    """The parts of the operator and of the owners."""
    lease = world.properties.lease[sold.well]
    shares = world.decks.revenue[lease]
    return Cut(
        shares=shares,
        owner=world.decks.owners_at(lease, sold.month),
        values=cut(sold.value, shares),
        taxes=cut(sold.tax, shares),
        own_volume=cut(sold.volume, shares)[:, 0],
    )


def statements(world: World, number: int) -> tuple[Sales, Mask]:
    """What purchasers settle in a month, and which of it corrects an earlier statement."""
    settled = _empty(world)
    for after in sorted(set(SETTLED_AFTER.values())):
        if number >= after:
            sold = sales(world, number - after)
            settled = settled.and_(sold.rows(sold.settled_after() == after))
    if number < CORRECTED_AFTER:
        return settled, np.zeros(len(settled), dtype=bool)
    corrections = _corrections(sales(world, number - CORRECTED_AFTER))
    is_correction = np.repeat([False, True], [len(settled), len(corrections)])
    return settled.and_(corrections), is_correction


@lru_cache(maxsize=8)
def due(world: World, number: int) -> Ints:
    """What each owner is due for the statements of a month, in cents."""
    settled, _ = statements(world, number)
    parts = cut_sales(world, settled)
    amount, there = parts.values[:, 1:] - parts.taxes[:, 1:], parts.owner >= 0
    return sums(parts.owner[there], amount[there], world.decks.owners)


def _corrections(sold: Sales) -> Sales:
    """What the corrected statements of a month change: volume, value and tax, up or down."""
    wrong = sold.rows(sold.is_corrected)
    factor = (wrong.estimate - 1_000_000) * 2
    columns = {name: getattr(wrong, name) for name in wrong.__dataclass_fields__}
    changes = {name: rounded(columns[name] * factor, 1_000_000) for name in ("volume", "tax")}
    value = rounded(wrong.value * factor, 1_000_000)
    return Sales(**{**columns, **changes, "value": value})


def _empty(world: World) -> Sales:
    sold = sales(world, 0)
    return sold.rows(np.zeros(len(sold), dtype=bool))


def _prices(world: World, month: dt.date, well: Ints, product: Ints) -> Ints:
    """What a unit brings, in 1/1000 USD: the month's benchmark and what the place makes of it."""
    last = end_of_month(month.year, month.month)
    oil, gas = (int(daily(series, month, last).mean()) for series in ("RWTC", "RNGWHHD"))
    basin, lease = world.properties.basin[well], world.properties.lease[well]
    quality = lease * 131 % (2 * _QUALITY) - _QUALITY
    of_oil = oil + np.array([each.oil_differential for each in BASINS])[basin] + quality
    basis = np.array([each.gas_differential for each in BASINS])[basin] + quality // 8
    of_gas = gas * BTU_PERCENT // 100 + basis
    of_liquids = np.full(len(well), oil * _LIQUIDS_PERCENT_OF_OIL // 100 // _GALLONS_A_BARREL)
    price: Ints = np.choose(product, [of_oil, of_gas, of_liquids])
    return np.maximum(price, _LEAST_PRICE)
