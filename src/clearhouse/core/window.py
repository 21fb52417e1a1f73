"""Windows of whole days: what a step is a function of."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from clearhouse.core.errors import UsageError

MAX_DAYS = 3_660
"""Ten years, of what is asked for: a typing error must not start a century. The days that a home
holds may lie further apart."""


def parse_day(text: str) -> dt.date:
    """A date written YYYY-MM-DD.

    Raises:
        UsageError: anything else.
    """
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or str(day) != text:  # fromisoformat takes 20240309 and 2024-W10-6 too
        raise UsageError(f"{text!r} is not a date: write it as YYYY-MM-DD.", "bad_date")
    if not 1000 <= day.year <= 2999:  # as dates of records; a source may be asked for days before
        raise UsageError(f"{text} is not a day of the years 1000 to 2999.", "bad_date")
    return day


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `first` to `last`, both included, and days before them that a step also reads."""

    first: dt.date
    last: dt.date
    look_back_days: int = 0

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise UsageError(
                f"The window ends ({self.last}) before it begins ({self.first}): swap the dates.",
                "inverted_window",
            )
        if self.look_back_days < 0:
            raise UsageError("A look-back can't be negative.", "bad_look_back")

    @classmethod
    def parse(cls, first: str, last: str) -> "Window":
        """A window from two dates written YYYY-MM-DD."""
        return cls(parse_day(first), parse_day(last))._bounded()

    @classmethod
    def day(cls, day: dt.date) -> "Window":
        """The window of a single day."""
        return cls(day, day)

    @classmethod
    def starting(cls, first: dt.date, days: int) -> "Window":
        """The window of `days` days that begins at `first`."""
        if days < 1:
            raise UsageError("A window has at least one day.", "empty_window")
        try:
            return cls(first, first + dt.timedelta(days=days - 1))._bounded()
        except OverflowError:
            raise UsageError(
                f"{days} days from {first} go past the year 9999: ask for less.", "window_too_long"
            ) from None

    def _bounded(self) -> "Window":
        if len(self) > MAX_DAYS:
            raise UsageError(
                f"A window of {len(self)} days is more than {MAX_DAYS}: ask for less at a time.",
                "window_too_long",
            )
        return self

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[dt.date]:
        return self.days()

    def __contains__(self, day: object) -> bool:
        return isinstance(day, dt.date) and self.first <= day <= self.last

    def days(self) -> Iterator[dt.date]:
        """Each day of the window, in order, without the look-back."""
        for offset in range(len(self)):
            yield self.first + dt.timedelta(days=offset)

    @property
    def reads_from(self) -> dt.date:
        """The first day that a step over this window may read."""
        return self.first - dt.timedelta(days=self.look_back_days)

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}..{self.last}"
