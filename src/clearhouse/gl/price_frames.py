"""What the gates of prices judge: a day in bronze; in gold its prices, and the day."""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.gl.eia_source import DAYS_BEFORE
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import in_parts
from clearhouse.pipeline.profiles import candidates_of, gold_profile, raw_profile
from clearhouse.quality.frames import Frames

_RAW_FIGURES: Mapping[str, str] = {
    "outside_window": "count(*) FILTER "
    f"(period > _book_date OR period < _book_date - INTERVAL {DAYS_BEFORE} DAY)"
}
_DOLLARS_A: Mapping[str, str] = {"dollars_a_barrel": "$/BBL", "dollars_a_mmbtu": "$/MMBTU"}


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    return {"gl_prices_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """The prices in parts, and the days."""
    whole = gold_profile(run, dataset, days, {})
    records = dict(zip(days, whole["rows"].to_pylist(), strict=True))
    return {
        "gl_price_rows": in_parts(run.engine, records, lambda some: _rows_sql(run, dataset, some)),
        "gl_price_days": whole,
    }


def _rows_sql(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """One row a candidate, with its price in the column of its unit."""
    by_unit = ", ".join(
        f"CAST(CASE WHEN r.unit = '{unit}' THEN r.price END AS DOUBLE PRECISION) AS {name}"
        for name, unit in _DOLLARS_A.items()
    )
    known = ", ".join(f"'{unit}'" for unit in _DOLLARS_A.values())
    return f"""
        SELECT CAST(r._book_date AS VARCHAR) AS book_date, r.series,
            CASE WHEN r.unit IN ({known}) THEN 1 ELSE 0 END AS is_known_unit, {by_unit}
        FROM {candidates_of(run, dataset, days)}"""
