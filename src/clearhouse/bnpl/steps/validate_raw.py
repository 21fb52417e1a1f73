"""Landing to bronze by contract, and the gate that holds a day before dbt sees it."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from clearhouse.bnpl.bronze import load_days
from clearhouse.bnpl.context import (
    DATASET,
    DOMAIN,
    LANDING_TO_BRONZE,
    RAW_GATE,
    SOURCE,
    Bnpl,
)
from clearhouse.bnpl.gatekeeping import hold_or_pass
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, Side, Status, Totals, digest
from clearhouse.core.columnar import query
from clearhouse.pipeline.runner import StepReport
from clearhouse.core.window import Window
from clearhouse.lake.iceberg import read_parquet_sql
from clearhouse.landing import LandedObject

if TYPE_CHECKING:
    import pandas as pd

_PROFILE = """
    SELECT b._book_date,
        count(*) FILTER (CAST(transaction_timestamp AS DATE) < b._book_date) AS late,
        count(*) FILTER (CAST(transaction_timestamp AS DATE) > b._book_date) AS future,
        count(DISTINCT customer_id) AS customers,
        count(DISTINCT _record_key) AS keys,
        any_value(u.fields) AS unknown
    FROM bronze b LEFT JOIN (
        SELECT _book_date, count(DISTINCT field) AS fields
        FROM (SELECT _book_date, unnest(json_keys(extra)) AS field
            FROM bronze WHERE extra IS NOT NULL)
        GROUP BY _book_date
    ) u USING (_book_date)
    GROUP BY b._book_date"""


# A rejected row that came again and was accepted, or was mended, no longer speaks against its day.
_STILL_REJECTED = """
    SELECT r._book_date, count(*) AS rejected
    FROM rejected r ANTI JOIN bronze b
        ON b._book_date = r._book_date AND b._record_key = r._record_key
    GROUP BY r._book_date"""


def validate_raw_schema(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Type the landed days by contract, and hold those that the raw gate does not pass."""
    landed = bnpl.landing.days(SOURCE, Window(min(days), max(days)))
    missing = [day for day in days if not landed.get(day)]
    keys = bnpl.as_sealed(
        LANDING_TO_BRONZE, {day: _key(bnpl, day, landed[day]) for day in days if landed.get(day)}
    )
    clerk = Clerk(bnpl.books, bnpl.hops[LANDING_TO_BRONZE], bnpl.run_id)
    plan = clerk.plan(keys, bnpl.lake.entries(DATASET))
    bnpl.progress.advance(len(plan.skip))
    statuses: dict[dt.date, Status] = {}
    if plan.redo:
        clerk.open(keys[day] for day in plan.redo)
        load_days(bnpl, landed, {day: keys[day].entry_id for day in plan.redo})
        statuses = clerk.close(keys[day] for day in plan.redo)
    report = StepReport(done=list(plan.redo), skipped=list(plan.skip))
    report.failed = dict.fromkeys(missing, "The day has not landed: run extract_daily_batch first.")
    report.unbalanced = {
        day: "Bronze and quarantine don't hold what landed: run `clearhouse books`."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }
    entries = bnpl.entries(LANDING_TO_BRONZE, report.passed)
    report.held = hold_or_pass(
        bnpl, RAW_GATE, entries, lambda d: {"bnpl_daily_profile": _frame(bnpl, d)}
    )
    return report


def _key(bnpl: Bnpl, day: dt.date, landed: Sequence[LandedObject]) -> EntryKey:
    inputs = digest(*(f"{o.version}:{o.payload_sha256}" for o in landed))
    return EntryKey(DOMAIN, LANDING_TO_BRONZE, day, inputs, bnpl.code.bronze)


def _frame(bnpl: Bnpl, days: Sequence[dt.date]) -> "pd.DataFrame":
    """One row a book date: what the books measured, what bronze holds, and the volume band."""
    import pandas as pd

    entries = bnpl.entries(LANDING_TO_BRONZE, days)
    found, still_rejected = _bronze_profile(bnpl, days)
    rows = []
    for day in days:
        totals = entries[day].totals
        landed = totals.get(Side.IN, Totals()).records
        repeated = totals.get(Side.DUPLICATE, Totals()).records
        accepted = totals.get(Side.OUT, Totals()).records
        bronze = found.get(day, {})
        rejected = still_rejected.get(day, 0)
        net = bronze.get("keys", 0) + rejected  # a correction is no more volume
        band = bnpl.pattern.band(day)
        rows.append(
            {
                "book_date": str(day),
                "landed_rows": landed,
                "accepted_rows": accepted,
                "rejected_rows": rejected,
                "duplicate_rows": repeated,
                "net_rows": net,
                "rejected_share": rejected / max(1, net),
                "volume_low": band.low,
                "volume_high": band.high,
                "late_share": bronze.get("late", 0) / max(1, accepted),
                "future_rows": bronze.get("future", 0),
                "distinct_customers": bronze.get("customers", 0),
                "unknown_fields": bronze.get("unknown") or 0,
            }
        )
    return pd.DataFrame(rows)


def _bronze_profile(
    bnpl: Bnpl, days: Sequence[dt.date]
) -> tuple[dict[dt.date, Mapping[str, int]], dict[dt.date, int]]:
    """Figures of bronze by day, and how many rejected rows were not mended since."""
    rejected = bnpl.quarantine.rows(DATASET, days)
    files = bnpl.lake.files(DATASET, days)
    if not files:
        return {}, Counter(rejected["_book_date"].to_pylist())
    bronze = f"WITH bronze AS ({read_parquet_sql(files)})"
    profile = {row["_book_date"]: row for row in query(f"{bronze} {_PROFILE}").to_pylist()}
    if not len(rejected):
        return profile, {}
    answer = query(f"{bronze} {_STILL_REJECTED}", rejected=rejected).to_pylist()
    return profile, {row["_book_date"]: row["rejected"] for row in answer}
