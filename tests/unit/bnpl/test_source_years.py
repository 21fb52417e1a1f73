"""Two hundred healthy years of a simtom, drawn by its own formula: hardly any has a false hold.

A year is drawn as figures of days: their volume, the scenarios of their records, and the time of
the newest one. Each figure is judged as both gates judge it.
"""

import datetime as dt

import numpy as np
import numpy.typing as npt
import pytest
from simtom_calendar import season

from clearhouse.bnpl import profiles
from clearhouse.bnpl.data_patterns import pattern_for
from clearhouse.bnpl.frames import BASELINES
from clearhouse.quality import statistics
from clearhouse.quality.statistics import Baseline

BASELINE = Baseline.load(BASELINES / "simtom.json", profiles.DISTRIBUTIONS)
SEED = 20_240_101
CALENDAR_YEARS = range(2020, 2028)
YEARS = 200
VOLUMES = (300, 1_000, 5_000)
MOST_WITH_A_FALSE_HOLD = 0.02

SCENARIOS = {
    "low_risk_purchase": 0.60,
    "impulse_purchase": 0.20,
    "credit_stretched": 0.15,
    "high_risk_behavior": 0.05,
}
# Seven in ten records come from 9 to 17, two from 18 to 22, one in the ten hours of the night.
HOURS = np.array([0.01] * 9 + [0.7 / 9] * 9 + [0.04] * 5 + [0.01])


def calendar() -> list[dt.date]:
    first = dt.date(CALENDAR_YEARS[0], 1, 1)
    days = (dt.date(CALENDAR_YEARS[-1] + 1, 1, 1) - first).days
    return [first + dt.timedelta(days=number) for number in range(days)]


DAYS = calendar()
YEAR_OF_DAY = np.array([day.year for day in DAYS]) - CALENDAR_YEARS[0]
SEASONS = np.array([season(day) for day in DAYS])


def drawn_volumes(rng: np.random.Generator, base: int, *, poisson: bool) -> npt.NDArray[np.int64]:
    """Volumes of many years, as rows of `DAYS` (which are eight years)."""
    rounds = YEARS // len(CALENDAR_YEARS)
    mean = base * SEASONS * rng.lognormal(0, 0.1, (rounds, len(DAYS)))
    counts = rng.poisson(mean) if poisson else mean.astype(np.int64)
    return np.maximum(counts, 1)


def newest_hours(
    rng: np.random.Generator, counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Hours from the newest of so many records to midnight."""
    uniform = rng.random(counts.shape) ** (1 / counts)  # the largest of so many
    return 24 - np.interp(uniform, np.concatenate(([0], np.cumsum(HOURS))), np.arange(25.0))


def bands(base: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    found = [pattern_for("source", 42, base).band(day) for day in DAYS]
    return np.array([band.low for band in found]), np.array([band.high for band in found])


def held_by_drift(rng: np.random.Generator, counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    scenarios = rng.multinomial(counts, [*SCENARIOS.values()]).reshape(-1, len(SCENARIOS))
    days = [dict(zip(SCENARIOS, row, strict=True)) for row in scenarios.tolist()]
    drift = statistics.drift(days, BASELINE.distributions["risk_scenario"])
    return (drift > 1).reshape(counts.shape)


@pytest.mark.parametrize(
    ("base", "poisson"),
    [
        (20, False),
        (150, False),
        *((base, poisson) for base in VOLUMES for poisson in (False, True)),
    ],
)
def test_hardly_any_healthy_year_has_a_false_hold(base: int, poisson: bool) -> None:
    rng = np.random.default_rng(SEED + base)
    counts = drawn_volumes(rng, base, poisson=poisson)
    low, high = bands(base)
    held = (counts < low) | (counts > high) | held_by_drift(rng, counts)
    held |= newest_hours(rng, counts) > statistics.stale_limit(counts, BASELINE.evening_rate)

    of_a_year = np.array(
        [held[:, year == YEAR_OF_DAY].any(axis=1) for year in np.unique(YEAR_OF_DAY)]
    )

    assert of_a_year.size == YEARS
    assert of_a_year.mean() <= MOST_WITH_A_FALSE_HOLD


@pytest.mark.parametrize("base", VOLUMES)
def test_half_a_day_twice_a_day_and_no_day_are_held_on_nearly_every_ordinary_day(base: int) -> None:
    rng = np.random.default_rng(SEED)
    counts = drawn_volumes(rng, base, poisson=False)[:, SEASONS > 0.7]
    low, high = (bound[SEASONS > 0.7] for bound in bands(base))

    assert (counts // 2 < low).mean() > 0.9
    assert (counts * 2 > high).mean() > 0.9
    assert (low > 0).all()


def test_a_year_with_other_scenarios_is_held() -> None:
    shifted = {"low_risk_purchase": 45, "impulse_purchase": 20, "high_risk_behavior": 35}
    [drift] = statistics.drift([shifted], BASELINE.distributions["risk_scenario"])
    assert drift > 1
