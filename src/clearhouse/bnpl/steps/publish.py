"""Publication: flip the pointers of the days that passed, rebuild what derives from them."""

import datetime as dt
import json
from collections.abc import Sequence

import pyarrow as pa

from clearhouse.bnpl.context import (
    DATASET,
    DOMAIN,
    GOLD_TO_READERS,
    LANDING_TO_BRONZE,
    SILVER_TO_GOLD,
    Bnpl,
)
from clearhouse.bnpl.spine import READERS
from clearhouse.books.model import (
    EntryKey,
    Side,
    Status,
    Totals,
    difference,
    digest,
    totals_digest,
)
from clearhouse.pipeline.runner import StepReport

METRICS = "marts.quality_metrics"
_METRICS_SCHEMA = pa.schema(
    [
        ("domain", pa.string()),
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


def publish_quality_metrics(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Show readers the days that passed both gates, and the figures that led there."""
    candidates = bnpl.entries(SILVER_TO_GOLD, days)
    before = bnpl.engine.pointers(DOMAIN, DATASET)
    wanted = {day: entry.entry_id for day, entry in candidates.items()}
    changed = {day: e for day, e in wanted.items() if before.get(day) != e}
    bnpl.engine.publish(DOMAIN, DATASET, changed)
    rebuilt = refresh_readers(bnpl)
    statuses = _enter_readers(bnpl)
    publish_metrics(bnpl)
    done = [day for day in wanted if rebuilt or day in changed]
    report = StepReport(done=done, skipped=[day for day in wanted if day not in set(done)])
    report.unbalanced = {
        day: "Readers don't see what is published: run `clearhouse books`."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }
    bnpl.progress.advance(len(days))
    return report


def refresh_readers(bnpl: Bnpl) -> bool:
    """Build what derives from published rows, unless it stands as it should; True if built."""
    pointers = bnpl.engine.pointers(DOMAIN, DATASET)
    if not pointers:
        return False
    built_from = digest(
        bnpl.code.published, json.dumps({str(d): e for d, e in sorted(pointers.items())})
    )
    if bnpl.engine.derived_from(DOMAIN) == built_from and bnpl.engine.has(READERS):
        measured = bnpl.hops[GOLD_TO_READERS].measure(list(pointers))
        if not any(difference(totals) for totals in measured.values()):
            return False
    bnpl.dbt.build("tag:published")
    bnpl.engine.set_derived_from(DOMAIN, built_from)
    return True


def _enter_readers(bnpl: Bnpl) -> dict[dt.date, Status]:
    """Enter what readers see of every published day whose totals are not in the books yet.

    A correction that arrives on a later day changes what readers see of an earlier one: its entry
    here is a new one, and the earlier one stays in the books as it was.
    """
    pointers = bnpl.engine.pointers(DOMAIN, DATASET)
    measured = bnpl.hops[GOLD_TO_READERS].measure(list(pointers))
    known = {
        e.entry_id: e.status for e in bnpl.books.current(DOMAIN, GOLD_TO_READERS, list(pointers))
    }
    fresh = {}
    statuses = {}
    for day, totals in measured.items():
        inputs = digest(pointers[day], totals_digest(totals))
        key = EntryKey(DOMAIN, GOLD_TO_READERS, day, inputs, bnpl.code.published)
        if known.get(key.entry_id) is Status.BALANCED:
            continue
        fresh[key] = totals
    refs = {key: totals_digest(totals) for key, totals in fresh.items()}
    for key, status in bnpl.books.close(fresh, bnpl.run_id, output_refs=refs).items():
        statuses[key.book_date] = status
    return statuses


def publish_metrics(bnpl: Bnpl) -> None:
    """Put the daily figures of every day in the books where readers find them."""
    raw = {e.key.book_date: e for e in bnpl.books.current(DOMAIN, LANDING_TO_BRONZE)}
    gold = {e.key.book_date: e for e in bnpl.books.current(DOMAIN, SILVER_TO_GOLD)}
    pointers = bnpl.engine.pointers(DOMAIN, DATASET)
    entry_ids = [e.entry_id for e in (*raw.values(), *gold.values())]
    decisions = bnpl.decisions.of_many(entry_ids)
    rows = []
    for day, entry in sorted(raw.items()):
        last = gold.get(day)
        judged = [d for e in (entry, last) if e is not None for d in decisions.get(e.entry_id, [])]
        held = Status.HELD in (entry.status, last.status if last else None)
        band = bnpl.pattern.band(day)
        rows.append(
            {
                "domain": DOMAIN,
                "book_date": day,
                "status": str(Status.HELD if held else entry.status),
                "is_published": day in pointers,
                "landed_records": entry.totals.get(Side.IN, Totals()).records,
                "duplicate_records": entry.totals.get(Side.DUPLICATE, Totals()).records,
                "rejected_records": entry.totals.get(Side.REJECTED, Totals()).records,
                "gold_records": last.totals.get(Side.OUT, Totals()).records if last else 0,
                "volume_low": band.low,
                "volume_high": band.high,
                "reasons": "; ".join(f for d in judged for f in d.failures),
            }
        )
    bnpl.engine.put(METRICS, pa.Table.from_pylist(rows, _METRICS_SCHEMA))
