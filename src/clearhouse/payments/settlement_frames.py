"""What the gates of settlement entries judge: a day in bronze, and its entries in gold."""

import datetime as dt
from collections.abc import Sequence

import pyarrow as pa

from clearhouse.core.money import iso_exponents
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.profiles import gold_profile, raw_profile
from clearhouse.quality.frames import Frames

_BROKEN = {
    "net_off_entries": "r.net_minor <> r.amount_minor - r.fee_minor",
    "payouts_off_entries": "r.kind IN ('payout', 'transfer') AND r.fee_minor <> 0",
}


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, {})
    return {"settlements_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: its entries."""
    codes = ", ".join(f"'{code}'" for code in iso_exponents())
    broken = {**_BROKEN, "unknown_currency_entries": f"r.currency NOT IN ({codes})"}
    figures = {name: f"count(CASE WHEN {sql} THEN 1 END)" for name, sql in broken.items()}
    doubled = {"doubled_entries": "count(*) - count(DISTINCT r.entry_id)"}
    return {"settlements_days": gold_profile(run, dataset, days, {**figures, **doubled})}
