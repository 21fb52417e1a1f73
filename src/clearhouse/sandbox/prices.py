"""Benchmark prices of oil and gas, day by day, that all sandbox sources agree on.

A price is a function of its series and its day alone: the level of the series, its season, and
noise of several periods (half a year down to a day) between random knots, so that neighbouring days
are alike. One day asked alone is that day in any range. What the generated ledger sells at, and
what the stand-in of EIA shows, is the same price.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.rng import seed_of, stream

_SEED = seed_of(0, "energy prices")
_KNOTS = 1_024  # numbers drawn at once, and kept
_OCTAVES = ((509, 1.0), (127, 0.55), (31, 0.3), (7, 0.14), (1, 0.07))
"""Days between the knots of each noise, and its weight."""
_LOOK_BACK_DAYS = 10  # more than any run of days without trade


@dataclass(frozen=True)
class _Series:
    """One benchmark.

    Attributes:
        number: of its random stream; `like` names another series that it follows, if any.
        level: its usual price in 1/1000 USD; of a series that follows another, the difference.
        swing: size of its noise: of the logarithm of the price, or of the difference.
        winter: what the season adds in the middle of January, as a share of the level.
        tick: prices are whole multiples of it, in 1/1000 USD.
    """

    number: int
    level: float
    swing: float
    winter: float = 0.0
    tick: int = 10
    like: str = ""


SERIES: Mapping[str, _Series] = MappingProxyType(
    {
        "RWTC": _Series(1, 75_000, 0.17),
        "RBRTE": _Series(2, 4_200, 900, like="RWTC"),
        "RNGWHHD": _Series(3, 2_750, 0.34, winter=0.16),
        "RNGC1": _Series(4, 60, 55, tick=1, like="RNGWHHD"),
    }
)
"""WTI at Cushing and Brent in USD a barrel; Henry Hub, spot and front month, in USD a MMBtu."""

_HAPPENED = {("RWTC", dt.date(2020, 4, 20)): -36_980}
"""The day on which WTI closed below zero."""


def daily(series: str, first: dt.date, last: dt.date) -> NDArray[np.int64]:
    """Prices in 1/1000 USD, one per calendar day from first to last, both included.

    A day without trade has the price of the last day with it.

    Raises:
        KeyError: the series is not one of `SERIES`.
    """
    start = first - dt.timedelta(days=_LOOK_BACK_DAYS)
    traded = trading_days(start, last)
    prices = _prices(series, start, last)
    latest = np.maximum.accumulate(np.where(traded, np.arange(len(prices)), 0))
    return prices[latest[_LOOK_BACK_DAYS:]]


def trading_days(first: dt.date, last: dt.date) -> NDArray[np.bool_]:
    """For each calendar day from first to last, whether the benchmarks are traded on it."""
    closed = [day for year in range(first.year, last.year + 1) for day in _closed(year)]
    days = first.toordinal() + np.arange((last - first).days + 1)
    return ((days + 6) % 7 < 5) & ~np.isin(days, closed)


@lru_cache(maxsize=256)
def _closed(year: int) -> tuple[int, ...]:
    """The ordinals of a year's exchange holidays."""
    import holidays

    return tuple(day.toordinal() for day in holidays.financial_holidays("NYSE", years=year))


def _prices(name: str, first: dt.date, last: dt.date) -> NDArray[np.int64]:
    """Prices as if every day were traded."""
    series = SERIES[name]
    noise = _noise(series.number, first.toordinal(), last.toordinal())
    if series.like:
        exact = _prices(series.like, first, last) + series.level + series.swing * noise
    else:
        days = first.toordinal() + np.arange(len(noise))
        season = 1 + series.winter * np.cos((days - 15) * (2 * np.pi / 365.2425))
        exact = series.level * season * np.exp(series.swing * noise)
    prices = np.rint(exact / series.tick).astype(np.int64) * series.tick
    for (of, day), price in _HAPPENED.items():
        if of == name and first <= day <= last:
            prices[(day - first).days] = price
    return prices


def _noise(number: int, first: int, last: int) -> NDArray[np.float64]:
    """Smooth noise of about unit size for the days of these ordinals."""
    days = np.arange(first, last + 1)
    total = np.zeros(len(days))
    for octave, (period, weight) in enumerate(_OCTAVES):
        knot, within = np.divmod(days, period)
        at = within / period
        ease = at * at * (3 - 2 * at)
        left = _knots(number, octave, knot)
        total += weight * (left + (_knots(number, octave, knot + 1) - left) * ease)
    return total


def _knots(number: int, octave: int, knot: NDArray[np.int64]) -> NDArray[np.float64]:
    block, within = np.divmod(knot, _KNOTS)
    low = int(block.min())
    drawn = [_block(number, octave, each) for each in range(low, int(block.max()) + 1)]
    height: NDArray[np.float64] = np.concatenate(drawn)[(block - low) * _KNOTS + within]
    return height


@lru_cache(maxsize=64)
def _block(number: int, octave: int, block: int) -> NDArray[np.float64]:
    return stream(_SEED, number * len(_OCTAVES) + octave, block).standard_normal(_KNOTS)
