"""What the gates of retail judge: figures of a day in bronze, rows and days in gold."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.core.columnar import dates
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import in_parts, listed_days
from clearhouse.pipeline.hops import candidates_sql
from clearhouse.pipeline.profiles import raw_profile
from clearhouse.quality.frames import Frames

_RAW_FIGURES: Mapping[str, str] = {
    "other_day_rows": "count(*) FILTER (CAST(sold_at AS DATE) > _book_date)",
    "without_product": "count(*) FILTER (product_name IS NULL OR category IS NULL)",
    "without_store": "count(*) FILTER (store_id IS NULL)",
}


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    for row in rows.values():
        for name in ("without_product", "without_store"):
            row[f"{name}_share"] = row.pop(name) / max(1, row["accepted_rows"])
    return {"retail_daily_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """The lines in parts, and the days."""
    whole = run.engine.query(_days_sql(run, dataset, days))
    records = dict(zip(days, whole["rows"].to_pylist(), strict=True))
    return {
        "retail_gold_rows": in_parts(
            run.engine, records, lambda some: _rows_sql(run, dataset, some)
        ),
        "retail_gold_days": whole,
    }


def _candidates(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    listed = dates(run.engine.dialect, days)
    return f"{candidates_sql(dataset.id, dataset.declared.gold)} WHERE r._book_date IN ({listed})"


def _rows_sql(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """One row a candidate, with the columns that a rule is about and no other.

    `off_by_minor` is how far a line's total is from quantity by unit price.
    """
    minor = run.engine.dialect.minor_units("r.unit_price", "r.currency")
    total = run.engine.dialect.minor_units("r.total_amount", "r.currency")
    return f"""
        SELECT CAST(r._book_date AS VARCHAR) AS book_date, r.retailer,
            {minor} AS unit_price_minor, r.quantity,
            abs({total} - r.quantity * {minor}) AS off_by_minor,
            {run.engine.dialect.minor_units("r.discount_amount", "r.currency")} AS discount_minor,
            (r._book_date - r.sale_date)::BIGINT AS sale_age_days
        FROM {_candidates(run, dataset, days)}"""


def _days_sql(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """One row for each of the days, in their order, also for one without candidates."""
    listed = dates(run.engine.dialect, days)
    return f"""
        SELECT CAST(d.book_date AS VARCHAR) AS book_date, coalesce(g.rows, 0) AS rows,
            coalesce(g.distinct_records, 0) AS distinct_records,
            coalesce(s.rows, 0) AS silver_rows
        FROM {listed_days(run.engine.dialect, days)} d
        LEFT JOIN (
            SELECT r._book_date AS book_date, count(*) AS rows,
                count(DISTINCT r._record_id) AS distinct_records
            FROM {_candidates(run, dataset, days)} GROUP BY r._book_date
        ) g USING (book_date)
        LEFT JOIN (
            SELECT _book_date AS book_date, count(*) AS rows
            FROM {dataset.declared.silver} WHERE NOT _is_superseded AND _book_date IN ({listed})
            GROUP BY _book_date
        ) s USING (book_date)
        ORDER BY position"""
