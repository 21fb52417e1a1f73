"""The series that EIA's stand-in has: what describes each, and its values by period.

Prices by day are `sandbox.prices`; a month's is their mean. Production is drawn by month.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from functools import cache
from types import MappingProxyType

import numpy as np

from clearhouse.sandbox import prices
from clearhouse.sandbox.rng import seed_of, stream

FIRST, LAST = dt.date(2000, 1, 1), dt.date(2027, 12, 31)
"""The days of which there is something."""

_SEED = seed_of(0, "eia")
_PUBLISHED_AFTER_DAYS = 1
_REVISED_WITHIN_DAYS = 4
_REVISED_SHARE = 0.08
_MILLS = 1_000


class _Entity(IntEnum):
    REVISION = 1
    PRODUCTION = 2


@dataclass(frozen=True)
class Series:
    """One series.

    Attributes:
        columns: what each of its rows repeats, by EIA's name, in EIA's order.
        units: of its values.
        of: the daily prices it shows; "" for production.
        scale: of production, its usual value in a month.
    """

    columns: Mapping[str, str] = field(hash=False)
    units: str
    of: str = ""
    scale: int = 0

    @property
    def name(self) -> str:
        """Its identifier."""
        return self.columns["series"]


_NAMES = (
    "duoarea", "area-name", "product", "product-name", "process", "process-name", "series",
    "series-description",
)  # fmt: skip

FACETS = ("duoarea", "product", "process", "series")
"""The columns by which rows can be asked for."""


def _series(units: str, *columns: str, of: str = "", scale: int = 0) -> Series:
    named = MappingProxyType(dict(zip(_NAMES, columns, strict=True)))
    return Series(named, units, of, scale)


_BARREL, _BTU, _THOUSAND = "$/BBL", "$/MMBTU", "MBBL"
_CRUDE = ("EPC0", "Crude Oil")
_PRODUCED = ("FPF", "Field Production")


def _produced(state: str, area: str, series: str, scale: int) -> Series:
    text = f"{area} Field Production of Crude Oil (Thousand Barrels)"
    columns = (state, area.upper(), *_CRUDE, *_PRODUCED, series, text)
    return _series(_THOUSAND, *columns, scale=scale)


@dataclass(frozen=True)
class Route:
    """One route of the API: its frequency, the form of its periods, and its series."""

    frequency: str
    date_format: str
    series: tuple[Series, ...]


ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        "petroleum/pri/spt": Route(
            "daily",
            "YYYY-MM-DD",
            (
                _series(
                    _BARREL, "YCUOK", "NA", "EPCWTI", "WTI Crude Oil", "PF4", "Spot Price FOB",
                    "RWTC", "Cushing, OK WTI Spot Price FOB (Dollars per Barrel)", of="RWTC",
                ),
                _series(
                    _BARREL, "ZEU", "NA", "EPCBRENT", "UK Brent Crude Oil", "PF4",
                    "Spot Price FOB", "RBRTE",
                    "Europe Brent Spot Price FOB (Dollars per Barrel)", of="RBRTE",
                ),
            ),
        ),
        "natural-gas/pri/fut": Route(
            "daily",
            "YYYY-MM-DD",
            (
                _series(
                    _BTU, "RGC", "NA", "EPG0", "Natural Gas", "PS0", "Spot Price", "RNGWHHD",
                    "Henry Hub Natural Gas Spot Price (Dollars per Million Btu)", of="RNGWHHD",
                ),
                _series(
                    _BTU, "Y35NY", "NEW YORK CITY", "EPG0", "Natural Gas", "PE1",
                    "Future Contract 1", "RNGC1",
                    "Natural Gas Futures Contract 1 (Dollars per Million Btu)", of="RNGC1",
                ),
            ),
        ),
        "petroleum/pri/dfp1": Route(
            "monthly",
            "YYYY-MM",
            (
                _series(
                    _BARREL, "STX", "TEXAS", *_CRUDE, "PFP", "First Purchase Price",
                    "F003048__3", "Texas Crude Oil First Purchase Price (Dollars per Barrel)",
                    of="RWTC",
                ),
            ),
        ),
        "petroleum/crd/crpdn": Route(
            "monthly",
            "YYYY-MM",
            (
                _produced("NUS", "U.S.", "MCRFPUS1", 400_000),
                _produced("STX", "Texas", "MCRFPTX1", 170_000),
                _produced("SNM", "New Mexico", "MCRFPNM1", 55_000),
                _produced("SND", "North Dakota", "MCRFPND1", 36_000),
                _produced("SOK", "Oklahoma", "MCRFPOK1", 12_000),
            ),
        ),
    }
)  # fmt: skip
"""The routes, by their path."""


def values(route: Route, series: Series, start: str, end: str) -> Iterator[tuple[str, str]]:
    """Periods and values, ascending, with start <= period <= end as texts; "" for no bound."""
    of = _by_day if route.frequency == "daily" else _by_month
    for period, value in of(series, start, end):
        if period >= start and (not end or period <= end):
            yield period, value


def _by_day(series: Series, start: str, end: str) -> Iterator[tuple[str, str]]:
    as_of = _day(end, LAST)
    first = max(FIRST, _day(start, FIRST))
    last = min(LAST, as_of - dt.timedelta(days=_PUBLISHED_AFTER_DAYS))
    if last < first:
        return
    found = prices.daily(series.of, first, last).tolist()
    traded = prices.trading_days(first, last).tolist()
    for nth, (mills, is_traded) in enumerate(zip(found, traded, strict=True)):
        if is_traded:
            day = first + dt.timedelta(days=nth)
            yield str(day), _text(mills + _to_be_revised(series.of, day, as_of))


def _to_be_revised(name: str, day: dt.date, as_of: dt.date) -> int:
    """By how many mills what is shown of a day is off, until it is revised."""
    if (as_of - day).days >= _REVISED_WITHIN_DAYS:
        return 0
    number = day.toordinal() * len(prices.SERIES) + list(prices.SERIES).index(name)
    rng = stream(_SEED, _Entity.REVISION, number)
    return 10 * int(rng.integers(1, 6)) if rng.random() < _REVISED_SHARE else 0


def _by_month(series: Series, start: str, end: str) -> Iterator[tuple[str, str]]:
    month = max(FIRST, _day(start, FIRST)).replace(day=1)
    last = min(LAST, _day(end, LAST))
    while month <= last:
        following = (month + dt.timedelta(days=31)).replace(day=1)
        yield f"{month:%Y-%m}", _of_month(series, month, following - dt.timedelta(days=1))
        month = following


@cache
def _of_month(series: Series, first: dt.date, last: dt.date) -> str:
    if series.of:
        mean = prices.daily(series.of, first, last)[prices.trading_days(first, last)].mean()
        return _text(10 * round(float(mean) / 10))
    number = (first.year * 12 + first.month) * len(_ALL) + _ALL.index(series.name)
    noise = float(stream(_SEED, _Entity.PRODUCTION, number).standard_normal())
    return str(round(series.scale * (last.day / 30.4) * float(np.exp(0.02 * noise))))


_ALL: Sequence[str] = [series.name for route in ROUTES.values() for series in route.series]


def _day(text: str, otherwise: dt.date) -> dt.date:
    """The day that a bound begins with, as far as it names one."""
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return dt.datetime.strptime(text, form).date()  # noqa: DTZ007  (a date)
        except ValueError:
            continue
    return otherwise


def _text(mills: int) -> str:
    """A value as EIA writes it: without zeros at its end."""
    return f"{(Decimal(mills) / _MILLS).normalize():f}"
