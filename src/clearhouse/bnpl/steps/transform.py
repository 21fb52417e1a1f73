"""Bronze to silver and silver to the gold candidates, by dbt."""

import datetime as dt
from collections.abc import Mapping, Sequence

from clearhouse.bnpl.bronze import bronze_schema
from clearhouse.bnpl.context import (
    BRONZE_TO_SILVER,
    DATASET,
    DOMAIN,
    LANDING_TO_BRONZE,
    SILVER_TO_GOLD,
    Bnpl,
)
from clearhouse.bnpl.spine import GOLD, SILVER
from clearhouse.books.clerk import Clerk
from clearhouse.books.model import Entry, EntryKey, Status
from clearhouse.pipeline.runner import StepReport
from clearhouse.lake.iceberg import read_parquet_sql


def normalize_entities(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Silver: one row a bronze record, the superseded ones marked, and the day's customers."""
    keys = _keys(bnpl, BRONZE_TO_SILVER, bnpl.entries(LANDING_TO_BRONZE, days))
    marks = {
        day: entry_ids[0]
        for day, entry_ids in bnpl.engine.marks(SILVER, days).items()
        if len(entry_ids) == 1
    }
    return _build(bnpl, BRONZE_TO_SILVER, days, keys, marks)


def run_dbt_pipeline(bnpl: Bnpl, days: Sequence[dt.date]) -> StepReport:
    """Gold: candidates, written beside what is published."""
    keys = _keys(bnpl, SILVER_TO_GOLD, bnpl.entries(BRONZE_TO_SILVER, days))
    marks = {
        day: keys[day].entry_id
        for day, entry_ids in bnpl.engine.marks(GOLD, days).items()
        if day in keys and keys[day].entry_id in entry_ids
    }
    bnpl.engine.set_candidates(DOMAIN, {day: key.entry_id for day, key in keys.items()})
    return _build(bnpl, SILVER_TO_GOLD, days, keys, marks)


def _keys(bnpl: Bnpl, hop: str, upstream: Mapping[dt.date, Entry]) -> dict[dt.date, EntryKey]:
    """Entries of a hop: functions of the entries before them and of the SQL."""
    code = bnpl.code.silver if hop == BRONZE_TO_SILVER else bnpl.code.gold
    made_from = {
        day: EntryKey(DOMAIN, hop, day, before.entry_id, code) for day, before in upstream.items()
    }
    return bnpl.as_sealed(hop, made_from)


def _build(
    bnpl: Bnpl,
    hop: str,
    days: Sequence[dt.date],
    keys: Mapping[dt.date, EntryKey],
    marks: Mapping[dt.date, str],
) -> StepReport:
    clerk = Clerk(bnpl.books, bnpl.hops[hop], bnpl.run_id)
    plan = clerk.plan(keys, marks)
    report = StepReport(done=list(plan.redo), skipped=list(plan.skip))
    report.failed = {
        day: "The step before has not been run for this day." for day in days if day not in keys
    }
    if plan.redo:
        clerk.open(keys[day] for day in plan.redo)
        _prepare(bnpl, hop, {day: keys[day].entry_id for day in plan.redo})
        bnpl.dbt.build("tag:normalize" if hop == BRONZE_TO_SILVER else "tag:gold")
        statuses = clerk.close(keys[day] for day in plan.redo)
        report.unbalanced = {
            day: f"The books don't balance from {hop}: run `clearhouse books`."
            for day, status in statuses.items()
            if status is Status.UNBALANCED
        }
    bnpl.progress.advance(len(days))
    return report


def _prepare(bnpl: Bnpl, hop: str, entries: Mapping[dt.date, str]) -> None:
    """Tell dbt which days to build under which entries, and show it bronze as it is now."""
    if hop == BRONZE_TO_SILVER:
        files = bnpl.lake.files(DATASET)
        rows = read_parquet_sql(files) if files else _no_rows(bnpl)
        bnpl.engine.execute(f"CREATE OR REPLACE VIEW bronze.bnpl_transactions AS {rows}")
        build = {day: (entry_id, "") for day, entry_id in entries.items()}
    else:
        silver = bnpl.entries(BRONZE_TO_SILVER, list(entries))
        build = {day: (silver[day].entry_id, entry_id) for day, entry_id in entries.items()}
    bnpl.engine.set_build_days(DOMAIN, build)


def _no_rows(bnpl: Bnpl) -> str:
    types = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "bool": "BOOLEAN"}
    types |= {"double": "DOUBLE", "timestamp[us]": "TIMESTAMP", "date32[day]": "DATE"}
    columns = ", ".join(
        f'NULL::{types.get(str(f.type), "DECIMAL(15, 2)")} AS "{f.name}"'
        for f in bronze_schema(bnpl.contract)
    )
    return f"SELECT {columns} WHERE false"
