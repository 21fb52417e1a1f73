import datetime as dt
from itertools import pairwise

import pytest

from clearhouse.sandbox.prices import SERIES, daily, trading_days

FIRST, LAST = dt.date(2023, 12, 20), dt.date(2025, 1, 10)
DAYS = [FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


@pytest.mark.parametrize("series", SERIES)
def test_a_day_alone_is_the_day_in_the_range(series):
    prices = daily(series, FIRST, LAST).tolist()
    for at in (0, 5, 12, 200, len(DAYS) - 1):
        assert daily(series, DAYS[at], DAYS[at]).tolist() == [prices[at]]


@pytest.mark.parametrize("series", SERIES)
def test_a_day_without_trade_has_the_price_of_the_last_day_with_it(series):
    prices, traded = daily(series, FIRST, LAST).tolist(), trading_days(FIRST, LAST).tolist()
    changes = [a != b for a, b in pairwise(prices)]
    assert not any(
        moved for moved, is_traded in zip(changes, traded[1:], strict=True) if not is_traded
    )
    assert sum(changes) > 0.8 * sum(traded)


def test_exchanges_are_closed_on_weekends_and_holidays():
    open_days = {
        day for day, is_open in zip(DAYS, trading_days(FIRST, LAST), strict=True) if is_open
    }
    assert dt.date(2024, 1, 2) in open_days
    assert not open_days & {dt.date(2024, 1, 1), dt.date(2024, 7, 4), dt.date(2024, 3, 29)}
    assert all(day.weekday() < 5 for day in open_days)


def test_prices_are_what_such_benchmarks_are():
    oil, brent, gas = (daily(name, FIRST, LAST) for name in ("RWTC", "RBRTE", "RNGWHHD"))
    assert 40_000 < oil.min() < oil.max() < 130_000
    assert (brent > oil).mean() > 0.95
    assert 1_000 < gas.min() < gas.max() < 9_000
    assert daily("RWTC", dt.date(2020, 4, 20), dt.date(2020, 4, 20)).tolist() == [-36_980]
