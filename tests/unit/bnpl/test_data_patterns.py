import datetime as dt

import pytest

from clearhouse.bnpl.data_patterns import (
    HOLIDAY,
    WEEKDAY,
    WEEKEND,
    DayAsk,
    DayType,
    VolumeBand,
    day_type,
    pattern_for,
)
from clearhouse.core.errors import SettingsError
from clearhouse.core.window import Window
from clearhouse.sandbox.simtom.calendar import event_factor

YEAR = Window.parse("2024-01-01", "2024-12-30")
NEW_YEAR, TUESDAY, WEDNESDAY = (dt.date(2024, 1, day) for day in (1, 2, 3))


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2024-03-05", WEEKDAY),
        ("2024-03-09", WEEKEND),
        ("2024-03-10", WEEKEND),
        ("2024-11-28", HOLIDAY),  # Thanksgiving, the fourth Thursday
        ("2023-11-11", HOLIDAY),  # Veterans Day on a Saturday
        ("2023-11-10", HOLIDAY),  # and the Friday on which it was observed
    ],
)
def test_kinds_of_days(day: str, kind: DayType) -> None:
    assert day_type(dt.date.fromisoformat(day)) is kind


@pytest.mark.parametrize("seed", [1, 42, 2024])
def test_a_year_by_day_types_has_its_volume_and_each_day_its_range(seed: int) -> None:
    pattern = pattern_for("day_type", seed)
    volumes = {day: pattern.ask(day).base_daily_volume for day in YEAR}
    assert len(volumes) == 365
    assert 1_750_000 <= sum(volumes.values()) <= 2_000_000
    for kind, tolerance in ((WEEKDAY, 100), (WEEKEND, 100), (HOLIDAY, 500)):
        mine = [volume for day, volume in volumes.items() if day_type(day) is kind]
        assert min(mine) >= kind.low
        assert max(mine) <= kind.high
        assert sum(mine) / len(mine) == pytest.approx(kind.mean, abs=tolerance)


def test_a_day_type_volume_depends_on_seed_and_day_and_nothing_else() -> None:
    ask = pattern_for("day_type", 42).ask(TUESDAY)
    assert ask == pattern_for("day_type", 42, 77).ask(TUESDAY)
    assert ask == DayAsk(TUESDAY, 5049, 42)
    assert ask.base_daily_volume != pattern_for("day_type", 43).ask(TUESDAY).base_daily_volume
    assert ask.base_daily_volume != pattern_for("day_type", 42).ask(WEDNESDAY).base_daily_volume


def test_a_day_type_band_is_the_range_of_the_type_and_a_little_more() -> None:
    band = pattern_for("day_type", 42).band(TUESDAY)
    assert band == VolumeBand(4_750, 7_350, 5049)
    assert 4_750 in band
    assert 7_350 in band
    assert 4_749 not in band
    assert 7_351 not in band
    assert 2_525 not in band


def test_no_count_fits_two_kinds_of_day() -> None:
    pattern = pattern_for("day_type", 42)
    weekend, weekday, holiday = (
        pattern.band(dt.date(2024, 1, day))
        for day in (6, 3, 15)  # Saturday, Wednesday, Martin Luther King's day
    )
    assert weekend.high < weekday.low
    assert weekday.high < holiday.low


@pytest.mark.parametrize(
    ("name", "day", "kind", "weekday_records"),
    [
        ("day_type", "2024-03-05", "ordinary", 5_500),
        ("day_type", "2024-03-09", "weekend", 5_500),
        ("day_type", "2023-11-11", "holiday", 5_500),  # a Saturday too
        ("source", "2024-03-05", "ordinary", 1_234.525),  # 1.15 x 0.95 x 1.13
        ("source", "2024-03-09", "weekend", 1_019.825),  # second week: 0.95 x 0.95 x 1.13
        ("source", "2024-11-28", "holiday", 1_118.7),  # fourth week: 0.90 x 1.10 x 1.13
        ("source", "2024-07-04", "holiday", 1_364.475),  # first week: 1.15 x 1.05 x 1.13
        ("source", "2024-12-27", "ordinary", 1_220.4),  # a period is no holiday
    ],
)
def test_what_a_day_is_compared_with(
    name: str, day: str, kind: str, weekday_records: float
) -> None:
    season = pattern_for(name, 42).season(dt.date.fromisoformat(day))
    assert season.kind == kind
    assert season.weekday_records == pytest.approx(weekday_records)


def test_a_real_simtom_can_be_asked_by_day_type_and_keeps_its_own_baseline() -> None:
    assert pattern_for("day_type", 42).baseline == "sandbox"
    assert pattern_for("source", 42).baseline == "simtom"
    assert pattern_for("day_type", 42, baseline="simtom").baseline == "simtom"


def test_the_source_is_asked_alike_every_day_but_for_the_seed() -> None:
    pattern = pattern_for("source", 42)
    asks = [pattern.ask(day) for day in YEAR]
    assert {ask.base_daily_volume for ask in asks} == {1_000}
    assert len({ask.seed for ask in asks}) == 365
    assert asks[0] == DayAsk(NEW_YEAR, 1_000, 42 + NEW_YEAR.toordinal())


@pytest.mark.parametrize(
    ("day", "records", "expected"), [(NEW_YEAR, 16, 20), (TUESDAY, 99, 95), (WEDNESDAY, 91, 91)]
)
def test_recorded_days_of_the_source_are_healthy(day: dt.date, records: int, expected: int) -> None:
    band = pattern_for("source", 42, base_daily_volume=100).band(day)
    assert records in band
    assert band.expected == expected
    assert 0 not in band


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2024-03-05", 1_202),  # Tuesday, first week: 1.10 x 1.15 x 0.95
        ("2024-03-31", 598),  # Sunday after the fourth week: 0.70 x 0.90 x 0.95
        ("2024-11-29", 1_980),  # Black Friday: 1.25 x 0.90 x 1.10 x 1.6
        ("2024-12-02", 2_222),  # Cyber Monday: 1.15 x 1.15 x 1.20 x 1.4
        ("2024-12-25", 113),  # Christmas Day: 1.05 x 0.90 x 1.20 x 0.1
    ],
)
def test_the_sources_own_formula(day: str, expected: int) -> None:
    band = pattern_for("source", 42).band(dt.date.fromisoformat(day))
    assert band.expected == expected
    assert expected in band
    assert expected // 2 not in band
    assert expected * 2 not in band


@pytest.mark.parametrize(
    ("day", "as_if"),
    [
        ("2024-11-29", 1_238),  # Black Friday without its rush: 1.25 x 0.90 x 1.10
        ("2024-12-25", 1_134),  # Christmas Day like any other: 1.05 x 0.90 x 1.20
        ("2024-03-10", 1_202),  # a Sunday that sells like a Tuesday of the first week
    ],
)
def test_a_source_day_that_sells_like_another_kind_of_day_does_not_fit(
    day: str, as_if: int
) -> None:
    assert as_if not in pattern_for("source", 42).band(dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        ("2024-02-11", 1.1),
        ("2024-02-14", 1.15),
        ("2024-05-12", 1.15),  # Mother's Day is a Monday in simtom
        ("2024-05-13", 1.2),
        ("2024-06-17", 1.1),
        ("2024-07-04", 0.8),
        ("2024-08-15", 1.2),
        ("2024-09-02", 1.2),  # Labor Day within the weeks before school
        ("2024-10-31", 1.05),
        ("2024-11-27", 1.3),
        ("2024-11-28", 0.2),
        ("2024-11-29", 1.6),
        ("2024-12-02", 1.4),
        ("2024-12-19", 1.2),
        ("2024-12-20", 0.5),
        ("2024-12-24", 0.3),
        ("2024-12-25", 0.1),
        ("2024-12-27", 0.5),
        ("2024-12-30", 0.5),
        ("2024-12-31", 0.4),
        ("2025-01-01", 0.2),
        ("2025-01-02", 1.0),
    ],
)
def test_of_several_events_one_counts_and_they_are_not_multiplied(day: str, factor: float) -> None:
    assert event_factor(dt.date.fromisoformat(day)) == factor


@pytest.mark.parametrize("base_daily_volume", [1, 2, 10, 1_000])
def test_no_day_is_without_records(base_daily_volume: int) -> None:
    pattern = pattern_for("source", 42, base_daily_volume)
    assert all(0 not in pattern.band(day) for day in YEAR)
    assert 1 in pattern_for("source", 42, base_daily_volume=2).band(TUESDAY)
    assert "16" not in pattern.band(TUESDAY)


def test_what_can_not_be_a_pattern() -> None:
    with pytest.raises(SettingsError, match="set day_type or source"):
        pattern_for("weekly", 42)
    with pytest.raises(SettingsError, match="base daily volume"):
        pattern_for("source", 42, base_daily_volume=0)
