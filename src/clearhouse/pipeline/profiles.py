"""Figures of a day in bronze and in gold that every gate can judge: one row a book date."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clearhouse.books.model import Side, Totals
from clearhouse.core.columnar import dates, query, read_parquet_sql
from clearhouse.pipeline import ops
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.frames import listed_days
from clearhouse.pipeline.hops import candidates_sql

_UNKNOWN_FIELDS = """
    SELECT _book_date, count(DISTINCT field) AS unknown_fields
    FROM (SELECT _book_date, unnest(json_keys(extra)) AS field FROM bronze WHERE extra IS NOT NULL)
    GROUP BY _book_date"""

# A rejected row that came again and was accepted no longer speaks against its day.
_STILL_REJECTED = """
    SELECT r._book_date, count(*) AS rejected
    FROM rejected r ANTI JOIN bronze b
        ON b._book_date = r._book_date AND b._record_key = r._record_key
    GROUP BY r._book_date"""


def raw_profile(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], figures: Mapping[str, str]
) -> dict[dt.date, dict[str, Any]]:
    """What the books measured of each day, and what bronze holds.

    Columns: book_date, landed_rows, accepted_rows, rejected_rows (not put right since),
    duplicate_rows, net_rows (a correction is no more volume), rejected_share, unknown_fields, and
    the figures.

    Args:
        run: the domain's parts.
        dataset: which of its datasets.
        days: days that are entered in bronze.
        figures: aggregates over the day's rows in bronze, as SQL, by name; 0 for a day without any.
    """
    entries = run.entries(dataset.names.bronze, days)
    found, rejected = _of_bronze(run, dataset, days, figures)
    rows = {}
    for day in days:
        totals = entries[day].totals
        bronze = found.get(day, {})
        net = bronze.get("keys", 0) + rejected.get(day, 0)
        rows[day] = {
            "book_date": str(day),
            "landed_rows": totals.get(Side.IN, Totals()).records,
            "accepted_rows": totals.get(Side.OUT, Totals()).records,
            "rejected_rows": rejected.get(day, 0),
            "duplicate_rows": totals.get(Side.DUPLICATE, Totals()).records,
            "net_rows": net,
            "rejected_share": rejected.get(day, 0) / max(1, net),
            "unknown_fields": bronze.get("unknown_fields") or 0,
            **{name: bronze.get(name) or 0 for name in figures},
        }
    return rows


def _of_bronze(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], figures: Mapping[str, str]
) -> tuple[dict[dt.date, dict[str, Any]], dict[dt.date, int]]:
    """Figures of bronze by day, and how many rejected rows were not put right since."""
    rejected = run.quarantine.rows(dataset.id, days)
    files = run.lake.files(dataset.id, days)
    if not files:
        return {}, Counter(rejected["_book_date"].to_pylist())
    bronze = f"WITH bronze AS ({read_parquet_sql(files)})"
    asked = "".join(f", {sql} AS {name}" for name, sql in figures.items())
    profile = query(
        f"""{bronze}, unknown AS ({_UNKNOWN_FIELDS}), figures AS (
            SELECT _book_date, count(DISTINCT _record_key) AS keys{asked}
            FROM bronze GROUP BY _book_date)
        SELECT * FROM figures LEFT JOIN unknown USING (_book_date)"""
    )
    found = {row["_book_date"]: row for row in profile.to_pylist()}
    if not len(rejected):
        return found, {}
    answer = query(f"{bronze} {_STILL_REJECTED}", rejected=rejected).to_pylist()
    return found, {row["_book_date"]: row["rejected"] for row in answer}


def candidates_of(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> str:
    """SQL, to be used behind FROM, for the gold rows `r` that a gate judges of some days."""
    listed = dates(run.engine.dialect, days)
    return f"{candidates_sql(dataset.id, dataset.declared.gold)} WHERE r._book_date IN ({listed})"


def gold_profile(
    run: Run, dataset: OpenDataset, days: Sequence[dt.date], figures: Mapping[str, str]
) -> pa.Table:
    """One row for each of the days, in their order, also for one without candidates.

    Columns: book_date (text), rows, distinct_records, silver_rows, and the figures.

    Args:
        run: the domain's parts.
        dataset: which of its datasets.
        days: which days.
        figures: aggregates over the day's candidates `r`, as SQL, by name; null for a day without
            any, but 0 for a count.
    """
    listed = dates(run.engine.dialect, days)
    own = "".join(f", {sql} AS {name}" for name, sql in figures.items())
    given = "".join(
        f", coalesce(g.{name}, 0) AS {name}" if sql.startswith("count(") else f", g.{name}"
        for name, sql in figures.items()
    )
    return run.engine.query(f"""
        SELECT CAST(d.book_date AS VARCHAR) AS book_date, coalesce(g.rows, 0) AS rows,
            coalesce(g.distinct_records, 0) AS distinct_records,
            coalesce(s.rows, 0) AS silver_rows{given}
        FROM {listed_days(run.engine.dialect, days)} d
        LEFT JOIN (
            SELECT r._book_date AS book_date, count(*) AS rows,
                count(DISTINCT r._record_id) AS distinct_records{own}
            FROM {candidates_of(run, dataset, days)} GROUP BY r._book_date
        ) g USING (book_date)
        LEFT JOIN (
            SELECT _book_date AS book_date, count(*) AS rows
            FROM {dataset.declared.silver} WHERE NOT _is_superseded AND _book_date IN ({listed})
            GROUP BY _book_date
        ) s USING (book_date)
        ORDER BY position""")


def shared_keys(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> dict[dt.date, int]:
    """Candidates whose key another day uses for another record, by day.

    A correction has the same identity as what it corrects. Where a source begins its ids anew in
    each answer, two answers give the same key to different records, and no key tells them apart.
    Other days are those that are published and those that may be: what waits for its publication
    counts, and of days that are judged together the first one passes.
    """
    identity = [field.name for field in dataset.contract.fields if field.is_identity]
    if not identity:
        return {}
    dialect, published = run.engine.dialect, f"gold.{dataset.declared.published}"
    candidates = candidates_sql(dataset.id, dataset.declared.gold)
    columns = ", ".join(f"r.{name}" for name in ("_record_key", "_book_date", *identity))
    judged = dates(dialect, days)
    others = []
    if waiting := ops.unpublished_days(run.engine, dataset.id):
        others.append(
            f"""SELECT {columns}, false AS is_published FROM {candidates}
                WHERE r._book_date IN ({dates(dialect, waiting)})"""
        )
    if run.engine.has(published):
        others.append(f"SELECT {columns}, true AS is_published FROM {published} r")
    if not others:
        return {}
    differs = " OR ".join(f"r.{name} IS DISTINCT FROM o.{name}" for name in identity)
    answer = run.engine.query(
        f"""
        SELECT r._book_date, count(DISTINCT r._record_id) AS records
        FROM {candidates}
        JOIN ({" UNION ALL ".join(others)}) o
            ON o._record_key = r._record_key AND o._book_date <> r._book_date
        WHERE r._book_date IN ({judged}) AND ({differs})
            AND (o.is_published OR o._book_date < r._book_date OR o._book_date NOT IN ({judged}))
        GROUP BY r._book_date"""
    )
    return {row["_book_date"]: row["records"] for row in answer.to_pylist()}
