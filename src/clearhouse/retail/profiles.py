"""What a retailer's days look like, and how far one day is from it: volume, drift, freshness.

Every figure is of one answer by itself: what other days or other retailers hold is not looked at,
so that a verdict does not depend on the order in which days are run. Its bounds come from a
profile in gx/retail/profiles, made from published days by scripts/make_retail_profile.py. A
retailer that no profile is of is judged by freshness alone.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow as pa

from clearhouse.core.not_json import NOT_JSON
from clearhouse.quality.shares import amount_class, shares_of, shares_sql
from clearhouse.quality.statistics import BaselineError, Distribution, check_distributions, drift

DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "amount": amount_class(
            "abs(total_amount)", (5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
        ),
        "quantity": "CASE WHEN quantity < 0 THEN 'returned' WHEN quantity < 3 "
        "THEN CAST(quantity AS VARCHAR) ELSE '3_and_over' END",
        "customer": "CASE WHEN customer_id IS NULL THEN 'unknown' ELSE 'known' END",
        "category": "category",
        "part_of_day": "'from_' || CAST(floor(extract(hour FROM sold_at) / 3) * 3 AS INTEGER)",
    }
)
"""What is watched for drift: a name, and its class as SQL over the columns of the fact."""

_BY = ("_book_date", "retailer")
_FIGURES = {"newest": "max(sale_date)"}

_DEVIATIONS = 4.7
"""How far a healthy volume may be off, in standard deviations, either way: three retailers then
hold a day in vain in one year of 350. Half the volume of an ordinary day is 7 off."""

_STRAY_SHARE = 0.1
"""Lines that can come on a day on which the retailer is closed, relative to a usual day: of sales
that are corrected."""
_STRAY_AGE_DAYS = 400
"""The age of a sale on such a day, as the rules of lines have it."""


@dataclass(frozen=True)
class Profile:
    """What one retailer's days look like.

    Attributes:
        lines: of a usual day.
        weekday: what the days of the week make of them, Monday first.
        month: what the months make of them, January first.
        special: what some days of the year make of them, by the name of the day (see `name_of`); 0:
            the retailer is closed.
        sigma: of the noise that healthy days have, as the standard deviation of the logarithm.
        distributions: shares by class of what is in `DISTRIBUTIONS`; the others are not watched.
    """

    lines: float
    weekday: tuple[float, ...]
    month: tuple[float, ...]
    special: Mapping[str, float]
    sigma: float
    distributions: Mapping[str, Distribution]

    def expected(self, day: dt.date) -> float:
        """Lines that a day should have; 0 where the retailer is closed."""
        factor = self.weekday[day.weekday()] * self.month[day.month - 1]
        return self.lines * factor * self.special.get(name_of(day), 1.0)

    def bounds(self, day: dt.date) -> dict[str, int]:
        """The fewest and the most lines of a healthy answer, and the age of its newest sale."""
        expected = self.expected(day)
        if not expected:
            most = math.ceil(self.lines * _STRAY_SHARE)
            return {"lines_low": 0, "lines_high": most, "newest_age_days_high": _STRAY_AGE_DAYS}
        room = math.exp(_DEVIATIONS * math.sqrt(self.sigma**2 + 1 / expected))
        low, high = math.floor(expected / room), math.ceil(expected * room)
        return {"lines_low": low, "lines_high": high, "newest_age_days_high": 0}


def name_of(day: dt.date) -> str:
    """The name of a day of the year: `12-24`, or `thanksgiving+1` in the five days from it on."""
    first = dt.date(day.year, 11, 22)
    after = (day - first).days - (3 - first.weekday()) % 7
    return f"thanksgiving+{after}" if 0 <= after <= 4 else f"{day:%m-%d}"


class _File(msgspec.Struct):
    """A file of profiles: of whom, as `Connection.identity` names it, and what, by retailer."""

    identity: str
    retailers: dict[str, Profile]


Profiles = Mapping[tuple[str, str], Profile]
"""By retailer and by who answers for it."""


def load(paths: Iterable[Path]) -> Profiles:
    """The profiles of some files.

    Raises:
        BaselineError: one is no file of profiles.
    """
    found = {}
    for path in paths:
        try:
            file = msgspec.json.decode(path.read_bytes(), type=_File)
        except NOT_JSON as error:
            raise BaselineError(f"{path} holds no profiles ({error}): make it again.") from error
        for retailer, profile in file.retailers.items():
            if (len(profile.weekday), len(profile.month)) != (7, 12):
                raise BaselineError(f"{path}: {retailer} needs 7 weekdays and 12 months.")
            check_distributions(path, profile.distributions, DISTRIBUTIONS)
            found[retailer, file.identity] = profile
    return found


def profile_sql(rows: str) -> str:
    """A query over a query of lines, whose answer `by_answer` reads."""
    return shares_sql(rows, DISTRIBUTIONS, _FIGURES, _BY)


def by_answer(counts: pa.Table) -> list[dict[str, Any]]:
    """The answer of `profile_sql` as one row a book date and retailer that has lines.

    Keys: _book_date, retailer, records, newest (the last day of a sale), and for each of
    `DISTRIBUTIONS` records by class.
    """
    return shares_of(counts, DISTRIBUTIONS, _BY)


def without_lines(retailer: str, day: dt.date) -> dict[str, Any]:
    """The row of an answer that has no lines, as `by_answer` gives those of others."""
    nothing: dict[str, Any] = {name: {} for name in DISTRIBUTIONS}
    return {"_book_date": day, "retailer": retailer, "records": 0, "newest": day, **nothing}


def statistics(found: Sequence[Mapping[str, Any]], profiles: Sequence[Profile | None]) -> pa.Table:
    """The frame of the suite retail_answers: one row for each answer.

    Without a profile, the bounds of volume are what there is, and the drift is 0; so is that of no
    lines.

    Args:
        found: see `by_answer` and `without_lines`.
        profiles: what each is judged by.
    """
    rows = []
    for row, profile in zip(found, profiles, strict=True):
        day, lines = row["_book_date"], row["records"]
        unjudged = {"lines_low": 0, "lines_high": lines, "newest_age_days_high": 0}
        promised = profile.distributions if profile and lines else {}
        rows.append(
            {
                "book_date": str(day),
                "retailer": row["retailer"],
                "lines": lines,
                "newest_age_days": (day - row["newest"]).days,
                **(profile.bounds(day) if profile else unjudged),
                **{
                    f"drift_{name}": float(drift([row[name]], promised.get(name))[0])
                    for name in DISTRIBUTIONS
                },
            }
        )
    return pa.Table.from_pylist(rows, _SCHEMA)


_COUNTS = ("lines", "lines_low", "lines_high", "newest_age_days", "newest_age_days_high")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("book_date", "retailer")),
        *((name, pa.int64()) for name in _COUNTS),
        *((f"drift_{name}", pa.float64()) for name in DISTRIBUTIONS),
    ]
)
