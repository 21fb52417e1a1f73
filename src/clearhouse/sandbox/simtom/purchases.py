"""The purchases of a day as numbers: drawn column by column, not yet text.

Grain: one row per purchase. A day is a function of (seed, day, count, peak hours) alone.
"""

import datetime as dt
import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearhouse.sandbox.rng import stream
from clearhouse.sandbox.simtom import credit
from clearhouse.sandbox.simtom.catalogue import catalogue
from clearhouse.sandbox.simtom.config import Entity
from clearhouse.sandbox.simtom.credit import HIGH, IMPULSE, STRETCHED, Application
from clearhouse.sandbox.simtom.people import COHORT_SIZE, COHORTS, LIMITS, period, population
from clearhouse.sandbox.times import times_of_day

SPEEDS = ("slow", "normal", "fast", "very_fast")
CARTS = 4
COMPARISON_SECONDS = 300  # price_comparison_time stays below

_SCENARIO_SHARES = (0.60, 0.20, 0.15, 0.05)
_ACTIVITY = 1.6  # above 1: some people of a cohort buy much more than others
_STRETCHED_FLOOR = 0.6  # stretched purchases come from the upper part of what the limit affords

# Ranges by scenario in seconds, [low, high), and speeds, as the recorded answers have them.
_COMPARISON = np.array([(60, 300), (0, 60), (60, 300), (0, 30)])
_ON_SITE = np.array([(180, 900), (120, 300), (300, 600), (30, 120)])
# One row a size of purchase (under 150, under 500, more), one column an entry of INSTALLMENTS.
_SIZES_CENTS = (15_000, 50_000)
_INSTALLMENT_SHARES = np.array(
    [(0.80, 0.20, 0.0, 0.0), (0.50, 0.30, 0.20, 0.0), (0.10, 0.25, 0.40, 0.25)]
)

# Purchases by hour without the peaks; each peak hour adds a bump around itself.
_HOURS = np.array(
    [12, 8, 6, 5, 6, 9, 14, 22, 32, 42, 50, 55, 58, 58, 58, 56, 54, 52, 52, 52, 48, 40, 30, 20]
)
_PEAK, _PEAK_WIDTH_HOURS = 45.0, 1.3


@dataclass(frozen=True)
class Purchases:
    """Columns of one row per purchase, in order of time.

    Attributes:
        seed, day: the seed of the data, and the day whose people buy.
        id_prefix: what stands before the ordinal in a transaction's id.
        ordinal: position in the day as drawn; the id and `_record_id` come of it.
        second: seconds after midnight of `day`; past 86,400 on an endless stream.
        customer: row of `population(seed, period(day))`; product: row of `catalogue(seed)`.
        device, method: which of the person's devices and payment methods, from 0.
        scenario, installments, speed: index into SCENARIOS, INSTALLMENTS, SPEEDS.
        risk_percent: the lender's score in hundredths.
        missed_days: days to the first missed payment; 0: none is missed.
    """

    seed: int
    day: dt.date
    id_prefix: str
    ordinal: NDArray[np.int64]
    second: NDArray[np.int64]
    customer: NDArray[np.int64]
    product: NDArray[np.int64]
    device: NDArray[np.int64]
    method: NDArray[np.int64]
    scenario: NDArray[np.int64]
    amount_cents: NDArray[np.int64]
    first_payment_cents: NDArray[np.int64]
    risk_percent: NDArray[np.int64]
    installments: NDArray[np.int64]
    speed: NDArray[np.int64]
    carts: NDArray[np.int64]
    comparison_seconds: NDArray[np.int64]
    on_site_seconds: NDArray[np.int64]
    trusted: NDArray[np.bool_]
    missed_days: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ordinal)

    def rows(self, keep: NDArray[np.bool_] | slice) -> "Purchases":
        """The rows that a mask or a slice selects."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        columns: dict[str, Any] = {
            name: v[keep] for name, v in values.items() if isinstance(v, np.ndarray)
        }
        return replace(self, **columns)


def economic_stress(day: dt.date) -> float:
    """Stress of the economy on a day, 0 to 0.3: a slow wave, none at the start of 2024."""
    turn = (day.toordinal() - dt.date(2024, 1, 1).toordinal()) / 730
    return round(max(0.0, 0.3 * math.sin(2 * math.pi * turn)), 2)


def of_day(seed: int, day: dt.date, count: int, peak_hours: tuple[int, ...]) -> Purchases:
    """The purchases of a day, `count` of them, spread over its hours."""
    rng = stream(seed, Entity.PURCHASES, day.toordinal())
    seconds = _times_of_day(rng.random(count), peak_hours)
    return replace(_draw(rng, seed, day, seconds), id_prefix=f"txn_{_compact(day)}")


def latecomers(seed: int, day: dt.date, count: int) -> Purchases:
    """Purchases of a day that reach the lender after it, beside those of `of_day`."""
    rng = stream(seed, Entity.LATE, day.toordinal())
    seconds = _times_of_day(rng.random(count), ())
    return replace(_draw(rng, seed, day, seconds), id_prefix=f"txn_late_{_compact(day)}")


def of_batch(
    seed: int, day: dt.date, batch: int, second: NDArray[np.int64], first_ordinal: int
) -> Purchases:
    """A batch of an endless stream by people of `day`, at given seconds after its midnight."""
    drawn = _draw(stream(seed, Entity.LIVE, batch), seed, day, second)
    return replace(
        drawn, id_prefix=f"txn_live_{_compact(day)}", ordinal=first_ordinal + drawn.ordinal
    )


def _draw(
    rng: np.random.Generator, seed: int, day: dt.date, second: NDArray[np.int64]
) -> Purchases:
    n = len(second)
    u = rng.random((14, n))
    people, goods = population(seed, period(day)), catalogue(seed)
    within = (COHORT_SIZE * u[1] ** _ACTIVITY).astype(np.int64)
    customer = (u[0] * COHORTS).astype(np.int64) * COHORT_SIZE + within
    scenario = np.searchsorted(np.cumsum(_SCENARIO_SHARES)[:-1], u[2], side="right")
    method = (u[3] * people.methods[customer]).astype(np.int64)
    limit = people.limit[customer, method]
    product = _affordable(goods.price_cents, limit, scenario, u[4])
    amount = goods.price_cents[product]
    installments = _installments(amount, u[5])
    payments = np.array(credit.INSTALLMENTS)[installments]
    application = Application(
        people=people,
        customer=customer,
        tenure_days=day.toordinal() - people.joined[customer],
        scenario=scenario,
        amount_cents=amount,
        limit=limit,
        installments=installments,
        stress=economic_stress(day),
    )
    defaults = u[6] < credit.default_probability(application)
    return Purchases(
        seed=seed,
        day=day,
        id_prefix="",
        ordinal=np.arange(n),
        second=second,
        customer=customer,
        product=product,
        device=(u[8] < 0.28).astype(np.int64),
        method=method,
        scenario=scenario,
        amount_cents=amount,
        first_payment_cents=first_payment(amount, payments),
        risk_percent=credit.risk_score_percent(application, rng.standard_normal(n)),
        installments=installments,
        speed=_speeds(scenario, u[9]),
        carts=(CARTS * u[10]).astype(np.int64),
        comparison_seconds=_between(_COMPARISON, scenario, u[11]),
        on_site_seconds=_between(_ON_SITE, scenario, u[12]),
        trusted=u[13] < np.where(scenario == HIGH, 0.2, 0.985),
        missed_days=credit.first_missed_days(application, defaults, u[7]),
    )


def _compact(day: dt.date) -> str:
    return day.isoformat().replace("-", "")  # strftime does not pad the years before 1000


def first_payment(
    amount_cents: NDArray[np.int64], payments: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The amount over the number of payments, in cents, halves up."""
    return (2 * amount_cents + payments) // (2 * payments)


def _times_of_day(u: NDArray[np.float64], peak_hours: tuple[int, ...]) -> NDArray[np.int64]:
    """Seconds after midnight, sorted, by the hours' curve; a peak outside 0..23 doesn't count."""
    hours = np.arange(24)
    weight = _HOURS.astype(np.float64)
    for peak in sorted({hour for hour in peak_hours if 0 <= hour < 24}):
        weight += _PEAK * np.exp(-0.5 * ((hours - peak) / _PEAK_WIDTH_HOURS) ** 2)
    return times_of_day(u, weight)


def _affordable(
    price_cents: NDArray[np.int64],
    limit: NDArray[np.int64],
    scenario: NDArray[np.int64],
    u: NDArray[np.float64],
) -> NDArray[np.int64]:
    """A product, by row, that costs less than the limit; stretched customers buy expensive ones."""
    affordable = np.searchsorted(price_cents, 100 * np.array(LIMITS), side="left")[limit]
    floor = np.where(scenario == STRETCHED, _STRETCHED_FLOOR, 0.0)
    product: NDArray[np.int64] = ((floor + (1 - floor) * u) * affordable).astype(np.int64)
    return product


def _installments(amount_cents: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    bounds = _INSTALLMENT_SHARES.cumsum(axis=1)[:, :-1]
    size = np.searchsorted(_SIZES_CENTS, amount_cents, side="right")
    chosen: NDArray[np.int64] = (u[:, None] >= bounds[size]).sum(axis=1)
    return chosen


def _speeds(scenario: NDArray[np.int64], u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Low risk: slow or normal; then each scenario has the one speed of the recorded answers."""
    slow_or_normal = (u < 0.5).astype(np.int64)
    by_scenario = np.array([0, 2, 1, 3])
    assert (IMPULSE, STRETCHED, HIGH) == (1, 2, 3)  # noqa: S101
    return np.where(scenario == 0, slow_or_normal, by_scenario[scenario])


def _between(
    ranges: NDArray[np.int64], scenario: NDArray[np.int64], u: NDArray[np.float64]
) -> NDArray[np.int64]:
    low, high = ranges[scenario, 0], ranges[scenario, 1]
    drawn: NDArray[np.int64] = (low + u * (high - low)).astype(np.int64)
    return drawn
