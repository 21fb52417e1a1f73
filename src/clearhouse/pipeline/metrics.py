"""The daily figures that readers find beside the data: what became of each day."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from clearhouse.books.model import Side, Status, Totals
from clearhouse.core.columnar import dates
from clearhouse.engines.engine import Insert
from clearhouse.pipeline import ops
from clearhouse.pipeline.context import OpenDataset, Run

TABLE = "marts.quality_metrics"
CREATE = f"""CREATE TABLE IF NOT EXISTS {TABLE} (
    domain VARCHAR(40), dataset VARCHAR(80), book_date DATE, status VARCHAR(12),
    is_published BOOLEAN, landed_records BIGINT, duplicate_records BIGINT,
    rejected_records BIGINT, gold_records BIGINT, volume_low BIGINT, volume_high BIGINT,
    reasons VARCHAR)"""
_SCHEMA = pa.schema(
    [
        ("domain", pa.string()),
        ("dataset", pa.string()),
        ("book_date", pa.date32()),
        ("status", pa.string()),
        ("is_published", pa.bool_()),
        ("landed_records", pa.int64()),
        ("duplicate_records", pa.int64()),
        ("rejected_records", pa.int64()),
        ("gold_records", pa.int64()),
        ("volume_low", pa.int64()),
        ("volume_high", pa.int64()),
        ("reasons", pa.string()),
    ]
)


def update(run: Run, days: Sequence[dt.date]) -> None:
    """Put the figures of some days in place of those they had, where they differ."""
    rows = [row for dataset in run.datasets for row in _rows(run, dataset, days)]
    fresh = pa.Table.from_pylist(rows, _SCHEMA).sort_by(
        [("book_date", "ascending"), ("dataset", "ascending")]
    )
    if not rows:
        return
    where = f"domain = '{run.name}' AND book_date IN ({dates(run.engine.dialect, days)})"
    known = run.engine.query(f"SELECT * FROM {TABLE} WHERE {where} ORDER BY book_date, dataset")
    if known.cast(_SCHEMA).equals(fresh):
        return
    run.engine.execute(
        f"DELETE FROM {TABLE} WHERE {where}",
        Insert(TABLE, fresh),
        ops.to_serve(run.name, [(TABLE, "", None)]),
    )


def _rows(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> list[dict[str, Any]]:
    names = dataset.names
    raw = {e.key.book_date: e for e in run.books.current(run.name, names.bronze, days)}
    gold = {e.key.book_date: e for e in run.books.current(run.name, names.gold, days)}
    pointers = run.publications.pointers(dataset.id, days)
    decisions = run.decisions.of_many([e.entry_id for e in (*raw.values(), *gold.values())])
    rows = []
    for day, entry in sorted(raw.items()):
        last = gold.get(day)
        judged = [d for e in (entry, last) if e for d in decisions.get(e.entry_id, [])]
        held = Status.HELD in (entry.status, last.status if last else None)
        band = run.domain.volume_band
        low, high = band(run.settings, day) if band else (None, None)
        rows.append(
            {
                "domain": run.name,
                "dataset": dataset.id,
                "book_date": day,
                "status": str(Status.HELD if held else entry.status),
                "is_published": day in pointers,
                "landed_records": entry.totals.get(Side.IN, Totals()).records,
                "duplicate_records": entry.totals.get(Side.DUPLICATE, Totals()).records,
                "rejected_records": entry.totals.get(Side.REJECTED, Totals()).records,
                "gold_records": last.totals.get(Side.OUT, Totals()).records if last else 0,
                "volume_low": low,
                "volume_high": high,
                "reasons": "; ".join(failure for d in judged for failure in d.failures),
            }
        )
    return rows
