"""One record through every store: raw line, bronze, silver, gold, and what readers see."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clearhouse.books.model import Status
from clearhouse.core.columnar import query, read_parquet_sql
from clearhouse.core.contract import row_texts
from clearhouse.core.errors import UsageError
from clearhouse.engines.engine import Ask
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.store.quarantine import QuarantinedRow

MAX_VERSIONS = 100
"""Of a record, and of the lines that share the source's id."""


@dataclass
class Trace:
    """One version of a record, as each store has it; None where a store has nothing of it.

    Attributes:
        superseded_by: record id and arrival of the version that took its place, if one did.
        hidden_because: why readers don't see a published row: `superseded`, or `duplicate` of
            bytes that had arrived on `first_arrived_on`.
        entries: the entries of its day, in the order of the hops: hop, status, entry_id,
            `held` (a sentence by gate) and `released` (a reason by gate).
    """

    record_id: str
    raw: str | None
    raw_place: str | None
    bronze: dict[str, Any] | None = None
    silver: dict[str, Any] | None = None
    gold: list[dict[str, Any]] = field(default_factory=list)
    is_visible: bool = False
    hidden_because: str | None = None
    superseded_by: dict[str, str] | None = None
    first_arrived_on: dt.date | None = None
    entries: list[dict[str, Any]] = field(default_factory=list)
    quarantined: QuarantinedRow | None = None


def trace(run: Run, wanted: str) -> list[Trace]:
    """Every version of a record, by its record id, its key or the source's own id.

    Raises:
        UsageError: no store knows it.
    """
    traces = [
        _of_bronze(run, dataset, row)
        for dataset in run.datasets
        for row in find(run, dataset, wanted)
    ]
    traces += map(_of_quarantine, run.quarantined(wanted))
    if not traces:
        raise UsageError(
            f"No record {wanted!r} is known: give the source's id of a record, a record id, or a "
            "key as `clearhouse books` prints it.",
            "unknown_record",
        )
    return traces


def some_id(run: Run, days: Sequence[dt.date]) -> str | None:
    """A record that readers see of the first published one of the days; None of none."""
    dataset = run.dataset()
    published = sorted(run.publications.pointers(dataset.id, days))
    if not published:
        return None
    readers, name = dataset.declared.readers, dataset.declared.id_column
    sql = f"SELECT CAST(min({name}) AS VARCHAR) AS id FROM {readers} WHERE _book_date = $1"
    found = run.engine.query_readers(readers, sql, [published[0]])
    return found["id"][0].as_py() if found else None


def find(run: Run, dataset: OpenDataset, wanted: str) -> list[dict[str, Any]]:
    """Bronze rows of a record, by the source's id, its record id or its key."""
    files = run.lake.files(dataset.id)
    if not files:
        return []
    sql = f"""SELECT * FROM ({read_parquet_sql(files)})
        WHERE CAST({dataset.declared.id_column} AS VARCHAR) = $1
            OR _record_id = $1 OR _record_key = $1
        ORDER BY _book_date, _object_version, _line LIMIT {MAX_VERSIONS}"""
    return list(query(sql, [wanted]).to_pylist())


def _of_bronze(run: Run, dataset: OpenDataset, row: dict[str, Any]) -> Trace:
    record_id, day = row["_record_id"], row["_book_date"]
    table = dataset.declared
    found = _with_raw(run, dataset, row)
    engine, readers = run.engine.query_of, run.engine.query_readers
    silver = _rows(engine, table.silver, record_id, day)
    found.silver = silver[0] if silver else None
    pointer = run.publications.pointers(dataset.id, [day]).get(day)
    found.gold = [
        {**gold, "_is_published": gold["_entry_id"] == pointer}
        for gold in _rows(engine, table.gold, record_id, day)
    ]
    found.is_visible = bool(_rows(readers, table.readers, record_id, day))
    hidden = _rows(readers, f"gold.{table.hidden}", record_id, day)
    found.hidden_because = hidden[0]["reason"] if hidden else None
    if found.silver and found.silver["_is_superseded"]:
        found.superseded_by = _version(engine, table.silver, "NOT _is_superseded", row, day)
    elif found.hidden_because == "superseded":
        found.superseded_by = _version(readers, table.readers, "true", row, None)
    elif found.hidden_because == "duplicate":
        sql = f"SELECT min(_book_date) AS day FROM {table.gold} WHERE _record_id = $1"
        found.first_arrived_on = run.engine.query(sql, [record_id])["day"][0].as_py()
    found.entries = _entries(run, day)
    return found


def _with_raw(run: Run, dataset: OpenDataset, row: dict[str, Any]) -> Trace:
    """The trace of a bronze row, begun with the line that it came from."""
    landed = [
        o
        for o in run.landing.objects(row["_source"], row["_book_date"])
        if o.version == row["_object_version"]
    ]
    raw = None
    if landed:
        contract = dataset.contract.of(row["_source"])
        texts = row_texts(run.landing.read(landed[0]), contract, landed[0].payload_format)
        raw = texts[row["_line"] - 1]
    return Trace(
        record_id=row["_record_id"],
        raw=raw.decode("utf-8", "replace") if raw is not None else None,
        raw_place=f"{landed[0].key}, line {row['_line']}" if landed else None,
        bronze=row,
    )


def _version(
    ask: Ask, relation: str, where: str, row: dict[str, Any], day: dt.date | None
) -> dict[str, str] | None:
    """The version of a record that stands among some rows, of a day or of all days."""
    sql = f"""SELECT _record_id, _book_date FROM {relation} WHERE {where}
        AND _record_key = $1 AND _book_date = coalesce($2::DATE, _book_date) LIMIT 1"""
    answer = ask(relation, sql, [row["_record_key"], day])
    found = answer.to_pylist() if answer else []
    return {k.removeprefix("_"): str(v) for k, v in found[0].items()} if found else None


def _entries(run: Run, day: dt.date) -> list[dict[str, Any]]:
    hops = [hop.name for hop in run.hops]  # without those of exports, where nothing is exported
    entries = [e for e in run.books.current(run.name, days=[day]) if e.key.hop in hops]
    decisions = run.decisions.of_many([e.entry_id for e in entries])
    listed = []
    for entry in sorted(entries, key=lambda e: hops.index(e.key.hop)):
        failed = [d for d in decisions.get(entry.entry_id, []) if not d.passed]
        is_held = entry.status is Status.HELD
        listed.append(
            {
                "hop": entry.key.hop,
                "status": str(entry.status),
                "entry_id": entry.entry_id,
                "held": {d.gate: "; ".join(d.failures) for d in failed if d.holds and is_held},
                "released": {d.gate: d.release_reason for d in failed if d.release_reason},
            }
        )
    return listed


def _rows(ask: Ask, relation: str, record_id: str, day: Any) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM {relation} WHERE _record_id = $1 AND _book_date = $2"
    found = ask(relation, sql, [record_id, day])
    return found.to_pylist() if found else []


def _of_quarantine(row: QuarantinedRow) -> Trace:
    return Trace(
        record_id=row.record_id,
        raw=row.raw.decode("utf-8", "replace"),
        raw_place=f"{row.object_key}, line {row.line}",
        quarantined=row,
    )
