"""What a retailer sells: products that are renamed, move to another category and change in price.

A product's state on a day is a function of seed, product and day: nothing is remembered. Each thing
that changes has an age: how many whole periods of that product have passed.
"""

import datetime as dt
import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.retail.retailer import Entity, Retailer
from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.text import Text, strings

_VARIANTS = (("", 1.0), (" Mini", 0.7), (" Plus", 1.3), (" Pro", 1.8))
_EDITIONS = ("", " II", " (New)", " Classic")
_PRICES = 16  # list prices that a product goes through before they come again
_MOVING_SHARE = 0.3
_ENDINGS = (99, 99, 95, 50)  # of the prices, in cents; of the last two, discounts have half cents

# Days between two changes of a product, the shortest and the longest; one row each for its edition,
# its category and its price. Of the products, one in seven is renamed in a year.
_PERIODS = np.array([[1_200, 4_000], [1_000, 3_000], [60, 240]])


@dataclass(frozen=True)
class Products:
    """The products of a seed, in the order of their codes.

    Attributes:
        codes: by product, for instance 1003; names: by product and edition; categories: by kind;
            names and categories are JSON texts.
        kind, other: the category, and the one to which the product moves.
        cents: list prices, shape (products, _PRICES).
        period, offset: in days, shape (3, products), see _PERIODS.
        liking: relative demand.
    """

    codes: Text
    names: Text
    categories: Text
    kind: NDArray[np.int64]
    other: NDArray[np.int64]
    cents: NDArray[np.int64]
    period: NDArray[np.int64]
    offset: NDArray[np.int64]
    liking: NDArray[np.float64]


@dataclass(frozen=True)
class Catalogue:
    """The products on a day, one row a product.

    Attributes:
        name, category: rows of `products.names` and `products.categories`.
        edition: how often the product was renamed.
        list_cents: the price of the day.
        demand: cumulative, up to 1.
    """

    products: Products
    name: NDArray[np.int64]
    category: NDArray[np.int64]
    edition: NDArray[np.int64]
    list_cents: NDArray[np.int64]
    demand: NDArray[np.float64]


@lru_cache(maxsize=128)
def catalogue(retailer: Retailer, seed: int, day: dt.date) -> Catalogue:
    """What the retailer sells on a day."""
    goods = products(retailer, seed)
    rows = np.arange(len(goods.kind))
    edition, moves, prices = (day.toordinal() + goods.offset) // goods.period
    season = np.array([each.season[day.month - 1] for each in retailer.categories])
    demand = np.cumsum(goods.liking * season[goods.kind])
    return Catalogue(
        products=goods,
        name=rows * len(_EDITIONS) + edition % len(_EDITIONS),
        category=np.where(moves % 2 == 1, goods.other, goods.kind),
        edition=edition,
        list_cents=goods.cents[rows, prices % _PRICES],
        demand=demand / demand[-1],
    )


@lru_cache(maxsize=8)
def products(retailer: Retailer, seed: int) -> Products:
    """All products of a retailer."""
    kinds = [category.name for category in retailer.categories]
    made = [
        (kind, name + variant, cents * factor, code)
        for kind, category in enumerate(retailer.categories)
        for code, (variant, factor, name, cents) in enumerate(
            ((*variant, *item) for variant in _VARIANTS for item in category.items.items()),
            start=1_000 * (kind + 1) + 1,
        )
    ]
    kind = np.array([each[0] for each in made])
    rng = stream(seed, Entity.CATALOGUE, 0)
    shape = (len(_PERIODS), len(made))
    low, high = _PERIODS[:, :1], _PERIODS[:, 1:]
    factors = rng.uniform(0.9, 1.12, (len(made), _PRICES))
    moved_to = np.array([kinds.index(category.moved_to) for category in retailer.categories])
    moving = rng.random(len(made)) < _MOVING_SHARE
    return Products(
        codes=strings(str(each[3]) for each in made),
        names=strings(json.dumps(each[1] + edition) for each in made for edition in _EDITIONS),
        categories=strings(json.dumps(name) for name in kinds),
        kind=kind,
        other=np.where(moving, moved_to[kind], kind),
        cents=_priced(np.array([each[2] for each in made])[:, None] * factors),
        period=(low + rng.random(shape) * (high - low)).astype(np.int64),
        offset=(rng.random(shape) * high).astype(np.int64),
        liking=rng.pareto(2.0, len(made)) + 0.2,
    )


def _priced(cents: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest price with the product's ending, one row a product; none is below 4.50."""
    ending = np.resize(_ENDINGS, len(cents))[:, None]
    priced: NDArray[np.int64] = (
        100 * np.rint((cents - ending) / 100).astype(np.int64).clip(4) + ending
    )
    return priced
