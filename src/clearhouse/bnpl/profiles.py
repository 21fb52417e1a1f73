"""A day's statistics, each beside what its source promises: volume, drift, freshness.

Every figure is of one day by itself and comes with a bound for that day's own number of records, so
that a day of 150 records is not held for what chance does to 150 records, and a day of 9,000 is not
let pass for it. Grain of what comes out: one row a book date.

Drift and freshness are measured by `quality.statistics`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from clearhouse.bnpl.data_patterns import DataPattern
from clearhouse.quality.shares import amount_class, shares_of, shares_sql
from clearhouse.quality.statistics import Baseline, drift, stale_limit

DISTRIBUTIONS: Mapping[str, str] = MappingProxyType(
    {
        "risk_scenario": "risk_scenario",
        "risk_level": "risk_level",
        "credit_score_range": "customer_credit_score_range",
        "installment_count": "installment_count",
        "amount": amount_class("amount", (25, 50, 100, 150, 200, 300, 500, 1_000)),
        "product_category": "product_category",
        "payment_provider": "payment_provider",
        "device_type": "device_type",
        "checkout_speed": "checkout_speed",
        "status": "status",
        "part_of_day": "'from_' || "
        "CAST(floor(extract(hour FROM transaction_timestamp) / 3) * 3 AS INTEGER)",
    }
)
"""What is watched for drift: a name, and its class as SQL over the columns of the contract."""

_BY = ("_book_date",)
_FIGURES = {
    "book_date": "_book_date",
    "newest": "coalesce(max(transaction_timestamp), CAST(_book_date AS TIMESTAMP))",
}


def profile_sql(rows: str) -> str:
    """A query over a query of rows, whose answer `by_day` reads."""
    return shares_sql(rows, DISTRIBUTIONS, _FIGURES, _BY)


def by_day(counts: pa.Table) -> list[dict[str, Any]]:
    """The answer of `profile_sql` as one profile a book date.

    Keys: book_date, records, newest (timestamp), and for each of `DISTRIBUTIONS` records by class.
    """
    return shares_of(counts, DISTRIBUTIONS, _BY)


def statistics(
    found: Sequence[Mapping[str, Any]],
    pattern: DataPattern,
    baseline: Baseline,
    volume_vouched: Iterable[dt.date] = (),
) -> pa.Table:
    """The frame of the suite bnpl_statistical_patterns: one row for each day that has records.

    Args:
        found: profiles, see `by_day`.
        pattern: what volume a day should have.
        baseline: what shares, and what hours.
        volume_vouched: days whose volume a person has released already; it is not judged again.
    """
    vouched = frozenset(volume_vouched)
    drifts = {
        f"drift_{name}": drift([row[name] for row in found], baseline.distributions.get(name))
        for name in DISTRIBUTIONS
    }
    rows = [
        {
            "book_date": str(day := row["book_date"]),
            **_volume(day, row["records"], pattern, vouched=day in vouched),
            **_freshness(day, row["records"], row["newest"], baseline),
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
    for bound, count in {"": records, "_low": low, "_high": high}.items():
        name = f"{season.kind}_level{bound}"
        if name in levels:
            levels[name] = round(count / season.weekday_records, 3)
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
