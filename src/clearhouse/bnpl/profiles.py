"""A day's statistics, each beside what its source promises: volume, drift, freshness.

Every figure is of one day by itself and comes with a bound for that day's own number of records, so
that a day of 150 records is not held for what chance does to 150 records, and a day of 9,000 is not
let pass for it. Grain of what comes out: one row a book date.

*Drift* is how far the day's shares are from the baseline's, over the farthest that a healthy day
can be: 1 is the bound. The distance is the root of the relative entropy (Kullback-Leibler
divergence, in nats). How far chance alone goes is known for any number of records (Agrawal,
"Finite-Sample Concentration of the Multinomial in Relative Entropy", IEEE Transactions on
Information Theory 66, 2020): of n records in k classes,

    P(entropy >= x / n) <= exp(-x) * (e * x / (k - 1)) ** (k - 1)      for x > k - 1

To it comes the baseline's own tolerance, for what differs between healthy days beside chance; the
distances of the two add up.

Figures are rounded, so that a person can read them, and bounds like them: what is within its bound
stays within it.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from clearhouse.bnpl.data_patterns import DataPattern
from clearhouse.core.errors import ClearhouseError

_AMOUNT_EDGES = (25, 50, 100, 150, 200, 300, 500, 1_000)
_AMOUNT_CLASS = (
    "CASE WHEN amount <= 0 THEN 'not_positive' "
    + " ".join(f"WHEN amount < {edge} THEN 'under_{edge}'" for edge in _AMOUNT_EDGES)
    + f" ELSE '{_AMOUNT_EDGES[-1]}_and_over' END"
)

DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "risk_scenario": "risk_scenario",
        "risk_level": "risk_level",
        "credit_score_range": "customer_credit_score_range",
        "installment_count": "installment_count",
        "amount": _AMOUNT_CLASS,
        "product_category": "product_category",
        "payment_provider": "payment_provider",
        "device_type": "device_type",
        "checkout_speed": "checkout_speed",
        "status": "status",
        "part_of_day": "'from_' || hour(transaction_timestamp) // 3 * 3",
    }
)
"""What is watched for drift: a name, and its class as SQL over the columns of the contract."""

_FALSE_ALARM = 1e-6
"""Chance that a healthy day is held for one figure. A year has about 4,000 of them."""

_OTHER_SHARE = 0.001
"""Share of a class that the baseline does not know, null among them: a few records of it are an
oddity, a few per cent of it a change of the source."""

_PUNCTUAL_HOURS = 0.25
_DAY_HOURS = 24.0


class BaselineError(ClearhouseError):
    """A baseline file that can't be used."""

    code = "bad_baseline"


@dataclass(frozen=True)
class Distribution:
    """Shares by class, above 0 and adding up to 1, and how far healthy days are off by nature."""

    shares: Mapping[str, float]
    tolerance_nats: float


@dataclass(frozen=True)
class Baseline:
    """What a source's days look like.

    Attributes:
        name: of the source.
        evening_rate: records an hour at the end of a day, relative to the day's mean hour: at
            least this.
        distributions: by a name of `DISTRIBUTIONS`; what is not there is not watched.
    """

    name: str
    evening_rate: float
    distributions: Mapping[str, Distribution]

    @classmethod
    def load(cls, path: Path) -> "Baseline":
        """A baseline from its file.

        Raises:
            BaselineError: there is no such file, or it is not one.
        """
        try:
            content = json.loads(path.read_text())
            found = {
                name: Distribution(each["shares"], float(each["tolerance_nats"]))
                for name, each in content["distributions"].items()
            }
            baseline = cls(content["name"], float(content["evening_rate"]), found)
        except OSError as error:
            raise BaselineError(
                f"{path} can't be read ({error.strerror}): name one of gx/baselines."
            ) from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BaselineError(f"{path} is not a baseline ({error!r}): make it again.") from error
        _check(path, baseline)
        return baseline


def _check(path: Path, baseline: Baseline) -> None:
    for name, each in baseline.distributions.items():
        if name not in DISTRIBUTIONS:
            known = ", ".join(DISTRIBUTIONS)
            raise BaselineError(f"{path} names {name}, which is not watched: it may name {known}.")
        shares = each.shares.values()
        if not all(share > 0 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-3):
            raise BaselineError(f"The shares of {name} in {path} must be above 0 and add up to 1.")
    if not 0 < baseline.evening_rate <= 1:
        raise BaselineError(f"evening_rate in {path} must be above 0 and at most 1.")


def profile_sql(rows: str) -> str:
    """A query of one row a book date over a query of rows: what `statistics` judges.

    Columns: book_date, records, newest (timestamp), and for each of `DISTRIBUTIONS` a map from
    class to records; the class of a null is the empty text.
    """
    counted = ", ".join(
        f"histogram(coalesce(({sql})::VARCHAR, '')) AS {name}"
        for name, sql in DISTRIBUTIONS.items()
    )
    return f"""
        SELECT _book_date AS book_date, count(*) AS records,
            coalesce(max(transaction_timestamp), _book_date::TIMESTAMP) AS newest, {counted}
        FROM ({rows}) GROUP BY _book_date ORDER BY _book_date"""


def statistics(
    profiles: pa.Table,
    pattern: DataPattern,
    baseline: Baseline,
    volume_vouched: Iterable[dt.date] = (),
) -> pa.Table:
    """The frame of the suite bnpl_statistical_patterns: one row for each day that has records.

    Args:
        profiles: the answer of `profile_sql`.
        pattern: what volume a day should have.
        baseline: what shares, and what hours.
        volume_vouched: days whose volume a person has released already; it is not judged again.
    """
    vouched = frozenset(volume_vouched)
    found = profiles.to_pylist()
    drifts = {
        f"drift_{name}": drift([dict(row[name]) for row in found], baseline.distributions.get(name))
        for name in DISTRIBUTIONS
    }
    rows = [
        {
            "book_date": str(row["book_date"]),
            **_volume(
                row["book_date"], row["records"], pattern, vouched=row["book_date"] in vouched
            ),
            **_freshness(row["book_date"], row["records"], row["newest"], baseline),
            **{name: float(values[at]) for name, values in drifts.items()},
        }
        for at, row in enumerate(found)
    ]
    counts = {name: pa.int64() for name in ("records", "volume_low", "volume_high")}
    types = {"book_date": pa.string(), **counts}
    columns = [*_COLUMNS, *drifts]
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in columns])
    return pa.Table.from_pylist(rows, schema)


_LEVELS = (
    "weekend_level",
    "weekend_level_high",
    "holiday_level",
    "holiday_level_low",
    "holiday_level_high",
)
_COLUMNS = (
    *("book_date", "records", "volume_low", "volume_high"),
    *_LEVELS,
    *("stale_hours", "stale_hours_high"),
)


def _volume(
    day: dt.date, records: int, pattern: DataPattern, *, vouched: bool
) -> dict[str, float | int]:
    """The volume and its band, and on a weekend or holiday both as multiples of a weekday's.

    On other days a level and its bounds are 0, which keeps every rule: a null would be let pass
    by a rule of one column and held by a rule of two.
    """
    band, season = pattern.band(day), pattern.season(day)
    low, high = (0, records) if vouched else (band.low, band.high)
    levels = dict.fromkeys(_LEVELS, 0.0)

    def level(count: int) -> float:
        return round(count / season.weekday_records, 3)

    if season.kind == "weekend":
        levels["weekend_level"] = level(records)
        levels["weekend_level_high"] = level(high)
    elif season.kind == "holiday":
        levels["holiday_level"] = level(records)
        levels["holiday_level_low"] = level(low)
        levels["holiday_level_high"] = level(high)
    return {"records": records, "volume_low": low, "volume_high": high, **levels}


def _freshness(
    day: dt.date, records: int, newest: dt.datetime, baseline: Baseline
) -> dict[str, float]:
    """Hours from the newest record to the end of the day asked for, and the healthy limit."""
    end = dt.datetime.combine(day, dt.time()) + dt.timedelta(days=1)
    return {
        "stale_hours": round((end - newest).total_seconds() / 3600, 3),
        "stale_hours_high": float(stale_limit(np.array([records]), baseline.evening_rate)[0]),
    }


def stale_limit(records: npt.NDArray[np.int64], evening_rate: float) -> npt.NDArray[np.float64]:
    """The longest healthy time in hours from a day's newest record to its end, by its records.

    Records that come at a rate leave a gap of t hours with the chance exp(-rate * t).
    """
    rate_per_hour = records.astype(np.float64) * (evening_rate / _DAY_HOURS)
    gap_hours = _PUNCTUAL_HOURS - math.log(_FALSE_ALARM) / rate_per_hour
    return np.asarray(np.round(np.minimum(gap_hours, _DAY_HOURS), 3), dtype=np.float64)


def drift(
    counts: Sequence[Mapping[str, int]], expected: Distribution | None
) -> npt.NDArray[np.float64]:
    """How far the shares of each day are from those expected; 1 is the most that is healthy.

    Args:
        counts: by day, records by class; at least one record a day.
        expected: None: nothing is promised, and the drift is 0.
    """
    if expected is None:
        return np.zeros(len(counts))
    classes = list(expected.shares)
    known = np.array([[day.get(name, 0) for name in classes] for day in counts], dtype=np.float64)
    known = known.reshape(len(counts), len(classes))
    records = np.array([sum(day.values()) for day in counts], dtype=np.float64)
    seen = np.column_stack([known, records - known.sum(axis=1)]) / records[:, None]
    promised = np.array([*expected.shares.values()])
    promised = np.append(promised / promised.sum() * (1 - _OTHER_SHARE), _OTHER_SHARE)
    entropy = (seen * np.log(np.where(seen > 0, seen / promised, 1.0))).sum(axis=1)
    # Rounding in the sum can leave shares that are as promised a hair below 0.
    distance = np.sqrt(np.maximum(entropy, 0))
    drifts: npt.NDArray[np.float64] = np.round(
        distance / drift_limit(records, len(promised), expected.tolerance_nats), 3
    )
    return drifts


def drift_limit(
    records: npt.NDArray[np.float64], classes: int, tolerance_nats: float
) -> npt.NDArray[np.float64]:
    """The farthest that a healthy day is from its baseline, in root nats, by its records."""
    limit: npt.NDArray[np.float64] = np.sqrt(_chance(classes) / records) + math.sqrt(tolerance_nats)
    return limit


@cache
def _chance(classes: int) -> float:
    """The x at which the bound in this module's docstring is `_FALSE_ALARM`; above classes - 1."""
    free = classes - 1
    x = -math.log(_FALSE_ALARM) + free
    for _ in range(100):  # a contraction: the error shrinks by free / x < 1 each time
        x = -math.log(_FALSE_ALARM) + free * (1 + math.log(x / free))
    return x
