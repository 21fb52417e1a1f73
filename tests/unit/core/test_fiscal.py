import datetime as dt

import pytest

from clearhouse.core.errors import UsageError
from clearhouse.core.fiscal import PATTERNS, Calendar


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("start_month", [1, 2, 10])
def test_every_day_is_in_one_period_and_periods_follow_each_other(pattern, start_month):
    calendar = Calendar(pattern, start_month)
    day, period = dt.date(2022, 12, 25), calendar.of(dt.date(2022, 12, 25))
    for _ in range(800):
        if day not in period:
            period = calendar.after(period)
        assert calendar.of(day) == period
        assert calendar.labelled(period.label) == period
        day += dt.timedelta(days=1)


def test_months_are_the_usual_calendar():
    february = Calendar().of(dt.date(2024, 2, 29))
    assert (february.label, february.first, february.last) == (
        "2024-02",
        dt.date(2024, 2, 1),
        dt.date(2024, 2, 29),
    )


def test_a_year_is_named_for_its_last_month():
    october = Calendar(start_month=10).of(dt.date(2024, 10, 1))
    assert october.label == "2025-01"
    assert Calendar(start_month=10).months(2025)[0] == (2024, 10)


# Ends of years of the National Retail Federation's 4-5-4 calendar: 2023 (here 2024) has 53 weeks.
@pytest.mark.parametrize(
    ("year", "end", "weeks"),
    [
        (2023, dt.date(2023, 1, 28), 52),
        (2024, dt.date(2024, 2, 3), 53),
        (2025, dt.date(2025, 2, 1), 52),
    ],
)
def test_the_53rd_week_belongs_to_the_last_period(year, end, weeks):
    periods = Calendar("4-5-4", start_month=2).year(year)
    assert periods[-1].last == end
    assert sum(map(len, periods)) == weeks * 7
    assert [len(each) // 7 for each in periods[:3]] == [4, 5, 4]
    assert len(periods[-1]) // 7 == 4 + weeks - 52


def test_period_13_is_the_last_day_once_more():
    calendar = Calendar(has_adjustments=True)
    *_, december, adjustments = calendar.year(2024)
    assert adjustments.is_adjustment
    assert adjustments.first == adjustments.last == december.last
    assert calendar.of(december.last) == december
    assert calendar.after(december) == adjustments
    assert calendar.after(adjustments).label == "2025-01"


@pytest.mark.parametrize("label", ["2024-13", "2024-00", "2024-1", "24-01", "2024", "2024-0a"])
def test_a_label_that_names_no_period(label):
    with pytest.raises(UsageError, match=label):
        Calendar().labelled(label)


def test_an_unknown_calendar():
    with pytest.raises(UsageError, match="3-5-5"):
        Calendar("3-5-5")
    with pytest.raises(UsageError, match="13"):
        Calendar(start_month=13)
