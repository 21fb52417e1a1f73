"""What the gates of BNPL judge: figures of a day in bronze, rows and days in gold."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.bnpl import profiles
from clearhouse.bnpl.source import pattern_of
from clearhouse.core.resources import resource
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import in_parts
from clearhouse.pipeline.profiles import candidates_of, gold_profile, raw_profile, shared_keys
from clearhouse.quality.frames import Frames
from clearhouse.quality.statistics import Baseline

BASELINES = resource("gx") / "bnpl" / "baselines"

_RAW_FIGURES: Mapping[str, str] = {
    "late": "count(*) FILTER (CAST(transaction_timestamp AS DATE) < _book_date)",
    "future_rows": "count(*) FILTER (CAST(transaction_timestamp AS DATE) > _book_date)",
    "distinct_customers": "count(DISTINCT customer_id)",
}


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, what bronze holds, and the volume band."""
    pattern = pattern_of(run.settings)
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    for day, row in rows.items():
        band = pattern.band(day)
        row |= {"volume_low": band.low, "volume_high": band.high}
        row["late_share"] = row.pop("late") / max(1, row["accepted_rows"])
    return {"bnpl_daily_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """The rows in parts, the days, and their statistics."""
    shared = shared_keys(run, dataset, days)
    whole = gold_profile(run, dataset, days, _day_figures(run)).append_column(
        "shared_keys", pa.array([shared.get(day, 0) for day in days], pa.int64())
    )
    records = dict(zip(days, whole["rows"].to_pylist(), strict=True))
    return {
        "bnpl_gold_rows": in_parts(run.engine, records, lambda some: _rows_sql(run, dataset, some)),
        "bnpl_gold_days": whole,
        "bnpl_gold_statistics": _statistics(run, dataset, days),
    }


def _rows_sql(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """One row a candidate, with the columns that a rule is about and no other."""

    def minor(amount: str) -> str:
        return run.engine.dialect.minor_units(amount, "r.currency")

    return f"""
        SELECT CAST(r._book_date AS VARCHAR) AS book_date, r.customer_id,
            {minor("r.amount")} AS amount_minor,
            {minor("r.first_payment_amount")} AS first_payment_minor,
            {minor("r.product_price")} AS product_price_minor,
            r.currency, r.status, r.installment_count, r.risk_score, r.will_default,
            r.will_default = (r.days_to_first_missed_payment IS NOT NULL) AS default_consistent,
            (r._book_date - CAST(r.transaction_timestamp AS DATE))::BIGINT AS transaction_age_days
        FROM {candidates_of(run, dataset, days)}"""


def _day_figures(run: Run) -> Mapping[str, str]:
    minor = run.engine.dialect.minor_units("r.amount", "r.currency")
    return {
        "default_rate": "avg(CAST(CAST(r.will_default AS INTEGER) AS DOUBLE PRECISION))",
        "mean_amount_minor": f"avg(CAST({minor} AS DOUBLE PRECISION))",
        "distinct_customers": "count(DISTINCT r.customer_id)",
    }


def _statistics(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> pa.Table:
    """Volume, drift and freshness of the days that have candidates, beside what is promised."""
    pattern = pattern_of(run.settings)
    rows = f"SELECT r.* FROM {candidates_of(run, dataset, days)}"
    return profiles.statistics(
        profiles.by_day(run.engine.query(profiles.profile_sql(rows))),
        pattern,
        Baseline.load(BASELINES / f"{pattern.baseline}.json", profiles.DISTRIBUTIONS),
        _released_by_raw_gate(run, dataset, days),
    )


def _released_by_raw_gate(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> set[dt.date]:
    """Days whose volume a person has vouched for: nobody is asked twice for one reason."""
    entries = run.entries(dataset.names.bronze, days)
    decisions = run.decisions.of_many([entry.entry_id for entry in entries.values()])
    return {
        day
        for day, entry in entries.items()
        for decision in decisions.get(entry.entry_id, ())
        if decision.gate == dataset.declared.raw_gate.name
        and not decision.passed
        and not decision.holds
    }
