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
from clearhouse.quality.statistics import Baseline, drift, stale_limit

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
        "part_of_day": "'from_' || "
        "CAST(floor(extract(hour FROM transaction_timestamp) / 3) * 3 AS INTEGER)",
    }
)
"""What is watched for drift: a name, and its class as SQL over the columns of the contract."""


_CLASS = "class_of_"


def profile_sql(rows: str) -> str:
    """A query over a query of rows, whose answer `by_day` reads: one row a book date and class.

    Columns: book_date, records, newest (timestamp), and for each of `DISTRIBUTIONS` its class in
    the rows that count its classes. The rows in which no class stands count the days.
    """
    classes = ", ".join(
        f"coalesce(CAST(({sql}) AS VARCHAR), '') AS {_CLASS}{name}"
        for name, sql in DISTRIBUTIONS.items()
    )
    names = [f"{_CLASS}{name}" for name in DISTRIBUTIONS]
    sets = ", ".join(f"(_book_date, {name})" for name in names)
    return f"""
        SELECT _book_date AS book_date, count(*) AS records,
            coalesce(max(transaction_timestamp), CAST(_book_date AS TIMESTAMP)) AS newest,
            {", ".join(names)}
        FROM (
            SELECT _book_date, transaction_timestamp, {classes} FROM ({rows}) AS judged
        ) AS classed
        GROUP BY GROUPING SETS ((_book_date), {sets}) ORDER BY _book_date"""


def by_day(counts: pa.Table) -> list[dict[str, Any]]:
    """The answer of `profile_sql` as one profile a book date.

    Keys: book_date, records, newest, and for each of `DISTRIBUTIONS` records by class; the class
    of a null is the empty text.
    """
    found: dict[dt.date, dict[str, Any]] = {}
    for row in counts.to_pylist():
        day = found.setdefault(row["book_date"], {name: {} for name in DISTRIBUTIONS})
        named = [name for name in DISTRIBUTIONS if row[f"{_CLASS}{name}"] is not None]
        for name in named:
            day[name][row[f"{_CLASS}{name}"]] = row["records"]
        if not named:
            day |= {name: row[name] for name in ("book_date", "records", "newest")}
    for day in found.values():
        day |= {name: dict(sorted(day[name].items())) for name in DISTRIBUTIONS}
    return list(found.values())


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
