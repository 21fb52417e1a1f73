"""What the gates of retail judge: figures of a day in bronze, rows and days in gold."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import in_parts
from clearhouse.pipeline.profiles import candidates_of, gold_profile, raw_profile
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
    whole = gold_profile(run, dataset, days, {})
    records = dict(zip(days, whole["rows"].to_pylist(), strict=True))
    return {
        "retail_gold_rows": in_parts(
            run.engine, records, lambda some: _rows_sql(run, dataset, some)
        ),
        "retail_gold_days": whole,
    }


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
        FROM {candidates_of(run, dataset, days)}"""
