"""What is for sale: 5,000 products for each seed, sorted by price.

The order lets a purchase be drawn from what its credit limit affords by an index alone.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.simtom.config import Entity

PRODUCTS = 5_000


class _Category(NamedTuple):
    name: str
    share: float
    typical_price_usd: float
    subcategories: tuple[str, ...]
    brands: tuple[str, ...]


_CATEGORIES = (
    _Category(
        "electronics",
        0.30,
        210.0,
        ("smartphones", "laptops", "headphones", "cameras", "tablets"),
        ("Apple", "Samsung"),
    ),
    _Category(
        "clothing",
        0.25,
        75.0,
        ("jeans", "shoes", "dresses", "jackets", "accessories"),
        ("Nike", "Adidas", "Zara", "H&M"),
    ),
    _Category(
        "home",
        0.20,
        140.0,
        ("furniture", "decor", "kitchen", "bedding", "appliances"),
        ("IKEA", "Samsung", "H&M"),
    ),
    _Category(
        "beauty",
        0.13,
        45.0,
        ("skincare", "makeup", "haircare", "fragrances", "tools"),
        ("Sephora", "Zara"),
    ),
    _Category(
        "sports",
        0.12,
        95.0,
        ("fitness", "outdoor", "team_sports", "athletic_wear"),
        ("Nike", "Adidas"),
    ),
)
CATEGORIES = tuple(each.name for each in _CATEGORIES)
SUBCATEGORIES = tuple(dict.fromkeys(name for each in _CATEGORIES for name in each.subcategories))
BRANDS = tuple(dict.fromkeys(name for each in _CATEGORIES for name in each.brands))
PRODUCT_RISKS = ("low", "medium", "high")

# One tuple a category, of indices into the labels.
_SUBCATEGORY_CHOICES = tuple(
    tuple(SUBCATEGORIES.index(name) for name in each.subcategories) for each in _CATEGORIES
)
_BRAND_CHOICES = tuple(tuple(BRANDS.index(name) for name in each.brands) for each in _CATEGORIES)

_PRICE_SIGMA = 0.65
_LOWEST_CENTS, _HIGHEST_CENTS = 800, 249_900


@dataclass(frozen=True)
class Catalogue:
    """Columns of one row per product, cheapest first; labels by index into this module's lists."""

    number: NDArray[np.int64]
    price_cents: NDArray[np.int64]
    category: NDArray[np.int64]
    subcategory: NDArray[np.int64]
    brand: NDArray[np.int64]
    eligible: NDArray[np.bool_]
    risk: NDArray[np.int64]


@lru_cache(maxsize=8)
def catalogue(seed: int) -> Catalogue:
    """The products of a seed."""
    rng = stream(seed, Entity.CATALOGUE, 0)
    u = rng.random((5, PRODUCTS))
    bounds = np.cumsum([each.share for each in _CATEGORIES])
    category = np.searchsorted(bounds / bounds[-1], u[0], side="right")
    typical = np.array([each.typical_price_usd for each in _CATEGORIES])[category]
    price = np.rint(100 * typical * np.exp(_PRICE_SIGMA * rng.standard_normal(PRODUCTS)))
    price_cents = price.astype(np.int64).clip(_LOWEST_CENTS, _HIGHEST_CENTS)
    order = np.argsort(price_cents, kind="stable")
    return Catalogue(
        number=order + 1,
        price_cents=price_cents[order],
        category=category[order],
        subcategory=_pick(_SUBCATEGORY_CHOICES, category, u[1])[order],
        brand=_pick(_BRAND_CHOICES, category, u[2])[order],
        eligible=(u[3] < 0.72)[order],
        risk=np.searchsorted([0.5, 0.84], u[4])[order],
    )


def _pick(
    choices: tuple[tuple[int, ...], ...], category: NDArray[np.int64], u: NDArray[np.float64]
) -> NDArray[np.int64]:
    """One choice per product, drawn evenly from those of its category."""
    sizes = np.array([len(each) for each in choices])
    starts = np.cumsum(sizes) - sizes
    flat = np.array([index for each in choices for index in each])
    picked: NDArray[np.int64] = flat[starts[category] + (u * sizes[category]).astype(np.int64)]
    return picked
