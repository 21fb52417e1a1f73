"""What the gates of payment events judge: figures of a day in bronze, and of its events in gold.

One row a book date: each figure counts what breaks a rule, in SQL, whatever the number of events.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

import pyarrow as pa

from clearhouse.core.money import iso_exponents
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.profiles import gold_profile, raw_profile
from clearhouse.quality.frames import Frames

_RAW_FIGURES: Mapping[str, str] = {
    "other_day_rows": "count(*) FILTER (event_book_date <> _book_date)",
}
_AHEAD = "INTERVAL '1' DAY"
"""A provider's clock may differ from ours by less than that."""
_MONEY = ("captured", "refunded", "funds_withdrawn", "funds_reinstated")
_OBJECTS = {
    "capture_id": ("captured", "capture_failed"),
    "refund_id": ("refund_pending", "refunded", "refund_undone"),
    "dispute_id": (
        *("dispute_opened", "dispute_updated", "funds_withdrawn", "funds_reinstated"),
        "dispute_closed",
    ),
    "payout_id": (
        *("payout_sent", "payout_paid", "payout_failed", "payout_canceled", "payout_reversed"),
    ),
}
"""Of each kind of object, the types of event that are about one."""


def raw_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: what the books measured, and what bronze holds."""
    rows = raw_profile(run, dataset, days, _RAW_FIGURES)
    return {"payments_profile": pa.Table.from_pylist(list(rows.values()))}


def business_frames(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> Frames:
    """One row a book date: its events."""
    return {"payments_days": gold_profile(run, dataset, days, _figures())}


def _figures() -> Mapping[str, str]:
    """Events that break a rule, by the rule."""
    without_object = " OR ".join(
        f"(r.event_type IN ({_listed(types)}) AND r.{name} IS NULL)"
        for name, types in _OBJECTS.items()
    )
    broken = {
        "unknown_currency_events": f"r.currency NOT IN ({_listed(iso_exponents())})",
        "events_ahead": f"r.occurred_at > r.received_at + {_AHEAD}",
        "other_day_events": "r.event_book_date <> r._book_date",
        "money_without_amount": f"r.event_type IN ({_listed(_MONEY)}) AND r.amount_minor IS NULL",
        "amount_without_currency": "(r.amount_minor IS NULL) <> (r.currency IS NULL)",
        "negative_amounts": "r.amount_minor < 0 AND r.payout_id IS NULL",
        "events_without_object": without_object,
    }
    counted = {name: f"count(CASE WHEN {sql} THEN 1 END)" for name, sql in broken.items()}
    return {**counted, "doubled_events": "count(*) - count(DISTINCT r.event_id)"}


def _listed(values: Sequence[str] | Mapping[str, int]) -> str:
    return ", ".join(f"'{value}'" for value in values)
