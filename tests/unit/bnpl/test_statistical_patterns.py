"""The statistical suite over whole years of the sandbox: healthy days pass, shifted ones don't.

Days are drawn as columns, without text in between; that records on the wire say the same is tested
with the sandbox.
"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from simtom_calendar import season

from clearhouse.bnpl import profiles
from clearhouse.bnpl.data_patterns import DataPattern, pattern_for
from clearhouse.core.window import Window
from clearhouse.quality.gates import Gates
from clearhouse.quality.statistics import Baseline, BaselineError, Distribution, drift
from clearhouse.sandbox.simtom import faults
from clearhouse.sandbox.simtom.catalogue import CATEGORIES, catalogue
from clearhouse.sandbox.simtom.credit import INSTALLMENTS, SCENARIOS
from clearhouse.sandbox.simtom.fragments import risk_level
from clearhouse.sandbox.simtom.people import CREDIT, DEVICES, PROVIDERS, period, population
from clearhouse.sandbox.simtom.purchases import SPEEDS, Purchases, of_day

GX = Path(__file__).parents[3] / "gx" / "bnpl"
YEAR = Window.parse("2024-01-01", "2024-12-30")
PEAKS = (12, 19)
RISK_LEVELS = tuple(risk_level(percent) for percent in range(100))
DEVICE_TYPES = tuple(kind for kind, _ in DEVICES)

SATURDAY, SUNDAY = dt.date(2024, 3, 9), dt.date(2024, 3, 10)
TUESDAY, WEDNESDAY = dt.date(2024, 3, 5), dt.date(2024, 3, 6)
INDEPENDENCE_DAY, BLACK_FRIDAY = dt.date(2024, 7, 4), dt.date(2024, 11, 29)

Faults = dict[dt.date, list[str]]


def baseline(name: str) -> Baseline:
    return Baseline.load(GX / "baselines" / f"{name}.json", profiles.DISTRIBUTIONS)


def labels(names: tuple[str, ...], index: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), list(names))


def table(day: Purchases) -> pa.Table:
    """The columns of a day's records that are watched."""
    who, goods = population(day.seed, period(day.day)), catalogue(day.seed)
    midnight = np.datetime64(day.day, "us")
    return pa.table(
        {
            "_book_date": pa.array(np.full(len(day), midnight.astype("datetime64[D]"))),
            "transaction_timestamp": pa.array(midnight + day.second.astype("timedelta64[s]")),
            "amount": pa.array(day.amount_cents / 100),
            "installment_count": pa.array(np.array(INSTALLMENTS)[day.installments]),
            "risk_scenario": labels(SCENARIOS, day.scenario),
            "risk_level": labels(RISK_LEVELS, day.risk_percent),
            "customer_credit_score_range": labels(CREDIT, who.credit[day.customer]),
            "product_category": labels(CATEGORIES, goods.category[day.product]),
            "payment_provider": labels(PROVIDERS, who.provider[day.customer, day.method]),
            "device_type": labels(DEVICE_TYPES, who.device[day.customer, day.device]),
            "checkout_speed": labels(SPEEDS, day.speed),
            "status": labels(("completed",), np.zeros(len(day))),
        }
    )


def profiled(days: list[pa.Table]) -> list[dict[str, Any]]:
    rows = pa.concat_tables([day.unify_dictionaries() for day in days])  # noqa: F841  in SQL
    return profiles.by_day(duckdb.sql(profiles.profile_sql("FROM rows")).to_arrow_table())


def year(
    seed: int, counts: dict[dt.date, int], faulty: Faults | None = None
) -> list[dict[str, Any]]:
    """Profiles of a year of a world: so many records a day, some days with faults."""
    made = (of_day(seed, day, count, PEAKS) for day, count in counts.items())
    faulty = faulty or {}
    return profiled([table(faults.apply(faulty.get(day.day, []), day)) for day in made])


def judged(
    tmp_path: Path,
    found: list[dict[str, Any]],
    pattern: DataPattern,
    days: list[dt.date] | None = None,
) -> dict[dt.date, list[str]]:
    """The days that the suite holds, with the columns of the rules that they broke.

    The gate has other suites too: they get nothing here, and what they say is left out.
    """
    asked = days or [row["book_date"] for row in found]
    frame = profiles.statistics(found, pattern, baseline(pattern.baseline)).to_pandas()
    nothing = frame[["book_date"]].iloc[:0]
    frames = {"bnpl_gold_rows": nothing, "bnpl_gold_days": nothing, "bnpl_gold_statistics": frame}
    verdicts = Gates(GX, tmp_path / "gx").judge("daily_quality_gate", frames, asked)
    broken = {
        day: [
            failure.detail
            for failure in verdict.failures
            if failure.column != "book_date" or "statistics" in failure.detail
        ]
        for day, verdict in verdicts.items()
    }
    return {day: details for day, details in broken.items() if details}


def columns(details: list[str]) -> set[str]:
    return {detail.partition(":")[0] for detail in details}


@pytest.fixture(scope="module")
def sandbox_volumes() -> dict[dt.date, int]:
    pattern = pattern_for("day_type", 7)
    return {day: pattern.ask(day).base_daily_volume for day in YEAR}


def test_of_a_year_of_the_sandbox_the_shifted_days_are_held_and_all_others_pass(
    tmp_path: Path, sandbox_volumes: dict[dt.date, int]
) -> None:
    """Seed 7 is none of those that the baseline was made from."""
    faulty: Faults = {
        SATURDAY: ["weekend_shift"],
        SUNDAY: ["weekend_shift"],
        WEDNESDAY: ["weekend_shift"],
        INDEPENDENCE_DAY: ["flat_holiday"],
        TUESDAY: ["drifted_risk"],
    }
    held = judged(tmp_path, year(7, sandbox_volumes, faulty), pattern_for("day_type", 7))

    assert len(sandbox_volumes) == 365
    assert held.keys() == faulty.keys()
    assert columns(held[SATURDAY]) == columns(held[SUNDAY]) == {"records", "weekend_level"}
    assert columns(held[WEDNESDAY]) == {"records"}
    assert columns(held[INDEPENDENCE_DAY]) == {"records", "holiday_level"}
    assert {"drift_risk_scenario", "drift_risk_level"} <= columns(held[TUESDAY])
    assert not {"records", "drift_amount", "drift_part_of_day"} & columns(held[TUESDAY])
    assert "holiday_level: 1.03" in " ".join(held[INDEPENDENCE_DAY])


@pytest.mark.parametrize("base_daily_volume", [20, 150, 1_000])
def test_of_a_year_by_simtoms_formula_the_shifted_days_are_held_and_all_others_pass(
    tmp_path: Path, base_daily_volume: int
) -> None:
    pattern = pattern_for("source", 42, base_daily_volume)
    noise = np.random.default_rng(42).lognormal(0, 0.1, len(YEAR)).tolist()
    counts = {
        day: max(1, int(base_daily_volume * season(day) * factor))
        for day, factor in zip(YEAR, noise, strict=True)
    }
    like_a_weekday = round(base_daily_volume * 1.25 * 0.90 * 1.10)  # what an event multiplies
    faulty: Faults = {}
    if base_daily_volume >= 150:  # of 20 records none of this can be told
        counts[BLACK_FRIDAY] = like_a_weekday
        faulty[TUESDAY] = ["drifted_risk"]

    held = judged(tmp_path, year(42, counts, faulty), pattern)

    if base_daily_volume < 150:
        assert held == {}
    elif base_daily_volume == 150:  # at 150 a rush of 1.6 is 4.1 deviations
        assert {day: columns(details) for day, details in held.items()} == {
            BLACK_FRIDAY: {"records", "holiday_level"},
            TUESDAY: {"drift_risk_scenario"},
        }
    else:
        assert held.keys() == {BLACK_FRIDAY, TUESDAY}


def test_a_days_verdict_is_its_own(tmp_path: Path, sandbox_volumes: dict[dt.date, int]) -> None:
    week = {day: sandbox_volumes[day] for day in Window(TUESDAY, SUNDAY)}
    found = year(7, week, {SATURDAY: ["weekend_shift"]})
    pattern = pattern_for("day_type", 7)

    whole = judged(tmp_path, found, pattern)
    alone = judged(tmp_path, found, pattern, [SATURDAY])
    assert whole == alone
    assert whole.keys() == {SATURDAY}
    assert judged(tmp_path, found, pattern, [SUNDAY, WEDNESDAY]) == {}


@pytest.mark.parametrize("volume", [16, 150, 5_000])
def test_chance_alone_does_not_drift_at_any_volume(volume: int) -> None:
    expected = Distribution({"low": 0.6, "medium": 0.25, "high": 0.1, "very_high": 0.05}, 0.0)
    rng = np.random.default_rng(volume)
    drawn = np.unique(rng.multinomial(volume, [*expected.shares.values()], 50_000), axis=0)
    counts = [dict(zip(expected.shares, row, strict=True)) for row in drawn.tolist()]
    found = drift(counts, expected)
    assert found.max() < 1
    assert found.max() > 0.5  # and the bound is not so wide that it holds nothing


def test_the_same_shares_drift_more_the_more_records_have_them() -> None:
    expected = Distribution({"low": 0.8, "high": 0.2}, 0.001)
    shifted = [{"low": 7 * n, "high": 3 * n} for n in (2, 15, 200, 500)]
    found = drift(shifted, expected)
    assert (np.diff(found) > 0).all()
    assert found[0] < found[1] < 1 < found[2] < found[3]


def test_a_tolerance_lets_pass_what_chance_does_not_explain() -> None:
    counts = [{"low": 8_300, "high": 1_700}]
    strict, lenient = (
        drift(counts, Distribution({"low": 0.8, "high": 0.2}, tolerance))[0]
        for tolerance in (0.0, 0.002)
    )
    assert lenient < 1 < strict
    assert drift(counts, None).tolist() == [0]


def test_a_label_that_nobody_announced_and_a_column_of_nulls_drift() -> None:
    found = drift(
        [{"completed": 4_998, "pending": 2}, {"completed": 4_500, "refunded": 500}, {"": 5_000}],
        baseline("sandbox").distributions["status"],
    )
    assert found[0] < 1 < found[1] < found[2]


def test_nulls_count_as_a_label_and_no_time_as_no_freshness(tmp_path: Path) -> None:
    day = table(of_day(7, TUESDAY, 5_500, PEAKS))
    for name in ("risk_level", "transaction_timestamp"):
        at = day.schema.get_field_index(name)
        day = day.set_column(at, name, pa.nulls(len(day), day.schema.field(name).type))

    held = judged(tmp_path, profiled([day]), pattern_for("day_type", 7))

    assert columns(held[TUESDAY]) == {"drift_risk_level", "drift_part_of_day", "stale_hours"}


def test_freshness_is_measured_against_the_day_asked_for(tmp_path: Path) -> None:
    """A day of 1999: its last record lies decades back, and the day is as fresh as can be."""
    day, next_day = dt.date(1999, 3, 3), dt.date(1999, 3, 4)
    pattern = pattern_for("day_type", 7)
    purchases = of_day(7, day, 5_500, PEAKS)
    cut = of_day(7, next_day, 9_000, PEAKS)
    cut = cut.rows(cut.second < 19 * 3600)  # enough records, and none of the evening

    held = judged(tmp_path, profiled([table(purchases), table(cut)]), pattern)

    assert held.keys() == {next_day}
    assert {"stale_hours", "drift_part_of_day"} <= columns(held[next_day])
    assert "stale_hours: 5" in " ".join(held[next_day])


def test_few_records_may_end_early() -> None:
    pattern = pattern_for("source", 42, 20)
    found = profiled([table(of_day(42, TUESDAY, 20, PEAKS).rows(slice(0, 14)))])
    [row] = profiles.statistics(found, pattern, baseline("simtom")).to_pylist()
    assert 1 < row["stale_hours"] < row["stale_hours_high"] == 24


def test_a_volume_that_a_person_released_is_not_judged_again() -> None:
    found = profiled([table(of_day(7, SATURDAY, 5_500, PEAKS))])
    pattern = pattern_for("day_type", 7)
    [row] = profiles.statistics(
        found, pattern, baseline("sandbox"), volume_vouched=[SATURDAY]
    ).to_pylist()
    assert row["volume_low"] <= row["records"] <= row["volume_high"]
    assert row["weekend_level"] <= row["weekend_level_high"]
    assert 0 < row["drift_risk_level"] < 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read"),
        ("{", "is not a baseline"),
        ('{"name": "x"}', "is not a baseline"),
        ({"weather": {"fair": 1.0}}, "names weather, which is not watched"),
        ({"status": {"completed": 0.7}}, "must be above 0 and add up to 1"),
        ({"status": {"completed": 1.0, "lost": 0.0}}, "must be above 0 and add up to 1"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(
    tmp_path: Path, content: dict | str | None, message: str
) -> None:
    path = tmp_path / "baseline.json"
    if isinstance(content, dict):
        told = {name: {"tolerance_nats": 0, "shares": shares} for name, shares in content.items()}
        content = json.dumps({"name": "x", "evening_rate": 0.5, "distributions": told})
    if content is not None:
        path.write_text(content)
    with pytest.raises(BaselineError, match=message):
        Baseline.load(path, profiles.DISTRIBUTIONS)


def test_an_evening_without_records_is_no_baseline(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(json.dumps({"name": "x", "evening_rate": 0, "distributions": {}}))
    with pytest.raises(BaselineError, match="evening_rate"):
        Baseline.load(path, profiles.DISTRIBUTIONS)


def test_the_committed_baseline_of_the_sandbox_watches_everything() -> None:
    assert set(baseline("sandbox").distributions) == set(profiles.DISTRIBUTIONS)
    assert set(baseline("simtom").distributions) == {"risk_scenario"}
