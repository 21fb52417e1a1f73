"""Dates and times of day, as the sources' calendars need them."""

import datetime as dt

import numpy as np
from numpy.typing import NDArray

DAY_SECONDS = 86_400


def nth_weekday(year: int, month: int, *, weekday: int, nth: int) -> dt.date:
    """The nth (from 1) weekday (Monday is 0) of a month."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def times_of_day(u: NDArray[np.float64], by_hour: NDArray[np.float64]) -> NDArray[np.int64]:
    """Seconds after midnight, sorted, from uniform draws; `by_hour` weighs the 24 hours."""
    share = np.concatenate([[0.0], np.cumsum(by_hour)]) / by_hour.sum()
    seconds = np.interp(u, share, np.arange(25) * 3600.0).astype(np.int64)
    return np.sort(seconds.clip(0, DAY_SECONDS - 1))
