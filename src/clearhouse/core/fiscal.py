"""Fiscal calendars: years cut into periods, of months or of weeks.

A fiscal year is named for the calendar year of its last month. A calendar of weeks ends its year on
the Saturday nearest to the end of that month, so that every fifth or sixth year has a 53rd week:
it belongs to the last period. Period 13, where there is one, is the last day of the year once more,
for adjustments.
"""

import calendar as months_of
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

from clearhouse.core.errors import UsageError

PATTERNS = ("months", "4-4-5", "4-5-4", "5-4-4")
PERIODS = 12
_SATURDAY = 5
_WEEK_DAYS = 7
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """One period of a fiscal year, from its first day to its last, both included."""

    year: int
    number: int
    first: dt.date
    last: dt.date

    @property
    def label(self) -> str:
        """`2024-01`: the fiscal year and the number of the period."""
        return f"{self.year:04}-{self.number:02}"

    @property
    def is_adjustment(self) -> bool:
        """Whether it is period 13, which shares its day with period 12."""
        return self.number > PERIODS

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and self.first <= day <= self.last

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """How years are cut.

    Attributes:
        pattern: `months`, or the weeks in the three periods of a quarter, as `4-4-5`.
        start_month: the month with which a year starts; 1 is January.
        has_adjustments: whether a year has a period 13.

    Raises:
        UsageError: no such pattern or month.
    """

    pattern: str = "months"
    start_month: int = 1
    has_adjustments: bool = False

    def __post_init__(self) -> None:
        if self.pattern not in PATTERNS:
            known = ", ".join(PATTERNS)
            raise UsageError(
                f"{self.pattern!r} is not a calendar: choose from {known}.", "bad_calendar"
            )
        if not 1 <= self.start_month <= PERIODS:
            raise UsageError(f"A year can't start in month {self.start_month}.", "bad_calendar")

    def year(self, year: int) -> tuple[Period, ...]:
        """The periods of a fiscal year, in order."""
        return _year(self, year)

    def of(self, day: dt.date) -> Period:
        """The period of a day; never period 13."""
        for year in (day.year - 1, day.year, day.year + 1):
            for period in self.year(year)[:PERIODS]:
                if day in period:
                    return period
        raise AssertionError(day)  # three fiscal years hold every day of a calendar year

    def after(self, period: Period) -> Period:
        """The next period; after the last of a year, the first of the next year."""
        periods = self.year(period.year)
        if period.number < len(periods):
            return periods[period.number]
        return self.year(period.year + 1)[0]

    def labelled(self, label: str) -> Period:
        """The period of a label such as `2024-01`.

        Raises:
            UsageError: there is none.
        """
        year, dash, number = label.partition("-")
        if dash and len(year) == 4 and len(number) == 2 and (year + number).isdecimal():
            periods = self.year(int(year))
            if 1 <= int(number) <= len(periods):
                return periods[int(number) - 1]
        raise UsageError(f"{label!r} is not a fiscal period: write it as 2024-01.", "bad_period")

    def months(self, year: int) -> tuple[tuple[int, int], ...]:
        """The calendar month (year, month) that each of the twelve periods stands for."""
        first = (year - (self.start_month > 1)) * 12 + self.start_month - 1
        return tuple((at // 12, at % 12 + 1) for at in range(first, first + PERIODS))


@lru_cache(maxsize=256)
def _year(calendar: Calendar, year: int) -> tuple[Period, ...]:
    spans = _spans_of_months if calendar.pattern == "months" else _spans_of_weeks
    periods = tuple(
        Period(year, number, first, last)
        for number, (first, last) in enumerate(spans(calendar, year), start=1)
    )
    if not calendar.has_adjustments:
        return periods
    last = periods[-1].last
    return (*periods, Period(year, PERIODS + 1, last, last))


def _spans_of_months(calendar: Calendar, year: int) -> list[tuple[dt.date, dt.date]]:
    return [(dt.date(y, m, 1), end_of_month(y, m)) for y, m in calendar.months(year)]


def _spans_of_weeks(calendar: Calendar, year: int) -> list[tuple[dt.date, dt.date]]:
    first, end = (_end_of_year(calendar, each) for each in (year - 1, year))
    weeks = [int(each) for each in calendar.pattern.split("-")] * 4
    weeks[-1] += (end - first).days // _WEEK_DAYS - sum(weeks)
    spans = []
    day = first + _DAY
    for count in weeks:
        after = day + count * _WEEK_DAYS * _DAY
        spans.append((day, after - _DAY))
        day = after
    return spans


def _end_of_year(calendar: Calendar, year: int) -> dt.date:
    """The Saturday nearest to the end of the last month."""
    end = end_of_month(*calendar.months(year)[-1])
    after_saturday = (end.weekday() - _SATURDAY) % _WEEK_DAYS
    back = after_saturday if after_saturday < _WEEK_DAYS / 2 else after_saturday - _WEEK_DAYS
    return end - back * _DAY


def end_of_month(year: int, month: int) -> dt.date:
    """The last day of a calendar month."""
    return dt.date(year, month, months_of.monthrange(year, month)[1])
