"""How many records a day of BNPL should have: what to ask for, and what to expect back.

A band is for one day by itself. What its neighbours hold is not looked at: whether a day is healthy
must not depend on which days are there, or on which was judged first.

Two strategies, chosen by name:

- `day_type` asks each day for the volume of its type. For a source that honours what it is asked
  for and tells days apart itself: our sandbox.
- `source` asks every day alike and expects the source's own seasons. For a real simtom, whose
  volume of a day is base x weekday x week of month x month x event x log-normal noise of 0.1,
  cut off to a whole number, and at least 1.

Neither needs a network or a clock: same arguments, same answer.
"""

import datetime as dt
import hashlib
import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import ClassVar, Literal, Protocol

import holidays

from clearhouse.core.errors import SettingsError
from clearhouse.sandbox.simtom.calendar import (
    NOISE_SIGMA,
    WEEKDAY_FACTORS,
    event_factor,
    season_factor,
    special_days,
)

DEFAULT_BASE_DAILY_VOLUME = 1_000
"""simtom's own default."""


@dataclass(frozen=True, slots=True)
class DayAsk:
    """What to ask a source for one day: the day, its base volume in records, and the seed."""

    day: dt.date
    base_daily_volume: int
    seed: int | None


@dataclass(frozen=True, slots=True)
class VolumeBand:
    """Numbers of records, both ends included, that a healthy day has."""

    low: int
    high: int
    expected: int

    def __contains__(self, records: object) -> bool:
        return isinstance(records, int) and self.low <= records <= self.high


@dataclass(frozen=True, slots=True)
class Season:
    """What kind of day a day is, and what an ordinary weekday at that time of the year holds.

    Attributes:
        kind: ordinary, weekend or holiday. A holiday may have more records than other days (our
            sandbox) or fewer (Thanksgiving and Christmas in simtom).
        weekday_records: expected records of an ordinary weekday; above 0.
    """

    kind: Literal["ordinary", "weekend", "holiday"]
    weekday_records: float


class DataPattern(Protocol):
    """A strategy for the volume of days."""

    @property
    def name(self) -> str:
        """The word by which it is set."""

    @property
    def baseline(self) -> str:
        """The source whose distributions are expected: a file in gx/baselines."""

    def ask(self, day: dt.date) -> DayAsk:
        """What to ask the source for this day."""

    def band(self, day: dt.date) -> VolumeBand:
        """What a healthy answer for this day holds."""

    def season(self, day: dt.date) -> Season:
        """What is to be compared with what on this day."""


SANDBOX, SIMTOM = "sandbox", "simtom"
"""The baselines there are: of our sandbox, and of a real simtom (which promises less)."""


def pattern_for(
    name: str,
    seed: int,
    base_daily_volume: int = DEFAULT_BASE_DAILY_VOLUME,
    *,
    baseline: str | None = None,
) -> DataPattern:
    """The strategy of this name.

    Args:
        name: day_type or source.
        seed: what makes the source's answers repeatable.
        base_daily_volume: records of an ordinary day, for `source`; `day_type` has its own.
        baseline: whose distributions to expect, where it is not the source that the pattern is
            the default of: a real simtom can be asked by `day_type` too.

    Raises:
        SettingsError: no such name, or a volume below 1.
    """
    if base_daily_volume < 1:
        raise SettingsError(
            f"A base daily volume of {base_daily_volume} is not possible: set 1 up."
        )
    match name:
        case DayTypePattern.name:
            return DayTypePattern(seed, baseline or SANDBOX)
        case SourcePattern.name:
            return SourcePattern(seed, base_daily_volume, baseline or SIMTOM)
    raise SettingsError(f"There is no data pattern {name!r}: set day_type or source.")


# --- day_type ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayType:
    """Volumes of one kind of day, in records, ends included, and their mean over many days."""

    low: int
    high: int
    mean: int

    def volume(self, uniform: float) -> int:
        """The volume at a number from [0, 1).

        low + span * u ** k has the mean low + span / (k + 1), which gives k: days crowd at the
        low end of a range as far as its mean says. (A triangle can't have a mean that low.)
        """
        span = self.high - self.low
        power = span / (self.mean - self.low) - 1
        return self.low + round(span * math.pow(uniform, power))


WEEKDAY = DayType(5_000, 7_000, 5_500)
WEEKEND = DayType(3_000, 4_000, 3_300)
HOLIDAY = DayType(8_000, 10_000, 9_000)

_TOLERANCE = 0.05
"""Share by which a healthy answer can miss what was asked for: records that come a day late, lines
that are refused, older versions of corrected ones. The kinds of days stay apart: a weekend of
4,200 at most, a weekday from 4,750 to 7,350, a holiday of 7,600 and more."""


def day_type(day: dt.date) -> DayType:
    """Kind of a day: a US federal holiday, also where it is observed, comes before a weekend."""
    if day in _us_holidays():
        return HOLIDAY
    return WEEKEND if day.weekday() >= 5 else WEEKDAY


@dataclass(frozen=True, slots=True)
class DayTypePattern:
    """Volumes by day type, each a pure function of seed and day.

    One seed for all days: the source keeps days apart and its customers the same over them.
    """

    name: ClassVar[str] = "day_type"
    seed: int
    baseline: str = SANDBOX

    def ask(self, day: dt.date) -> DayAsk:
        """What to ask the source for this day."""
        return DayAsk(day, day_type(day).volume(_uniform(self.seed, day)), self.seed)

    def band(self, day: dt.date) -> VolumeBand:
        """The range of the day's type, around what is asked for."""
        kind = day_type(day)
        return VolumeBand(
            low=math.floor(kind.low * (1 - _TOLERANCE)),
            high=math.ceil(kind.high * (1 + _TOLERANCE)),
            expected=self.ask(day).base_daily_volume,
        )

    def season(self, day: dt.date) -> Season:
        """The day's type, beside a weekday's mean."""
        kind = day_type(day)
        if kind is HOLIDAY:
            return Season("holiday", WEEKDAY.mean)
        return Season("weekend" if kind is WEEKEND else "ordinary", WEEKDAY.mean)


def _uniform(seed: int, day: dt.date) -> float:
    """A number from [0, 1) by seed and day.

    From a hash, as NumPy may change the streams of its distributions between versions.
    """
    digest = hashlib.sha256(f"volume|{seed}|{day.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)


# --- source -----------------------------------------------------------------------------------

_FALSE_HOLDS_A_YEAR = 0.001
"""Chance that a healthy year has an ordinary day that is held for its volume; the same again for
its special days. Both gates judge by one band, so that a day is held by both or by none."""


def _deviations(days_a_year: int) -> float:
    """How far a healthy count may be off on these days, in standard deviations, either way."""
    return -NormalDist().inv_cdf(_FALSE_HOLDS_A_YEAR / days_a_year / 2)


_ORDINARY_DEVIATIONS = _deviations(366)
"""4.7. Half the volume of an ordinary day is 6.9 off."""

_SPECIAL_DEVIATIONS = _deviations(13)
"""4.0: there are fewer of them, and a missing one must show. Black Friday without its factor of
1.6 is 4.1 off at 150 records a day."""


@dataclass(frozen=True, slots=True)
class SourcePattern:
    """The same base volume for every day; the seasons are the source's own.

    The seed differs by day: simtom starts its random numbers afresh with every request, so the
    same seed would give the same purchases by the same customers day after day.
    """

    name: ClassVar[str] = "source"
    seed: int
    base_daily_volume: int = DEFAULT_BASE_DAILY_VOLUME
    baseline: str = SIMTOM

    def ask(self, day: dt.date) -> DayAsk:
        """What to ask the source for this day."""
        return DayAsk(day, self.base_daily_volume, self.seed + day.toordinal())

    def band(self, day: dt.date) -> VolumeBand:
        """The source's own formula, with room for its noise and for small counts.

        Noise is log-normal, and a count of n may vary by about 1/sqrt(n) besides, so the room is a
        factor, wider for a day of 20 records than for one of 2,000. No day is without records.
        """
        expected = self._before_weekday(day) * WEEKDAY_FACTORS[day.weekday()] * event_factor(day)
        is_special = day in special_days(day.year)
        deviations = _SPECIAL_DEVIATIONS if is_special else _ORDINARY_DEVIATIONS
        room = math.exp(deviations * math.sqrt(NOISE_SIGMA**2 + 1 / max(expected, 1.0)))
        return VolumeBand(
            low=max(1, math.floor(expected / room)),
            high=math.ceil(expected * room),
            expected=max(1, round(expected)),
        )

    def season(self, day: dt.date) -> Season:
        """The day's kind, beside a weekday of its week and month."""
        weekday_records = self._before_weekday(day) * sum(WEEKDAY_FACTORS[:5]) / 5
        if day in special_days(day.year):
            return Season("holiday", weekday_records)
        return Season("weekend" if day.weekday() >= 5 else "ordinary", weekday_records)

    def _before_weekday(self, day: dt.date) -> float:
        """The formula up to the weekday's factor: base x week of month x month."""
        return self.base_daily_volume * season_factor(day)


@cache
def _us_holidays() -> holidays.HolidayBase:
    """US federal holidays and the days on which they are observed; years fill in as asked."""
    return holidays.country_holidays("US")
