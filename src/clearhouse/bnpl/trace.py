"""One record through every store: raw line, bronze, silver, gold, and what readers see."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clearhouse.bnpl.context import DATASET, DOMAIN, SOURCE, Bnpl
from clearhouse.bnpl.spine import GOLD, HIDDEN, READERS, SILVER
from clearhouse.core.books.model import Status
from clearhouse.core.columnar import query
from clearhouse.core.contract.reading import split_lines
from clearhouse.core.errors import UsageError
from clearhouse.lake.iceberg import read_parquet_sql
from clearhouse.store.quarantine import QuarantinedRow

MAX_VERSIONS = 20


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


def trace(bnpl: Bnpl, wanted: str) -> list[Trace]:
    """Every version of a record, by its record id, its key or the source's own id.

    Raises:
        UsageError: no store knows it.
    """
    traces = [_of_bronze(bnpl, row) for row in _find(bnpl, wanted)]
    traces += [_of_quarantine(row) for row in bnpl.quarantine.find(wanted)]
    if not traces:
        raise UsageError(
            f"No record {wanted!r} is known: give a transaction id, a record id, or a key as "
            "`clearhouse books` prints it.",
            "unknown_record",
        )
    return traces


def some_id(bnpl: Bnpl, days: Sequence[dt.date]) -> str | None:
    """A transaction that readers see of the first published one of the days; None of none."""
    published = sorted(set(days) & set(bnpl.engine.pointers(DOMAIN, DATASET)))
    if not published:
        return None
    sql = f"SELECT min(transaction_id) AS id FROM {READERS} WHERE _book_date = $1"
    found = bnpl.engine.query_of(READERS, sql, [published[0]])
    return found["id"][0].as_py() if found else None


def _find(bnpl: Bnpl, wanted: str) -> list[dict[str, Any]]:
    files = bnpl.lake.files(DATASET)
    if not files:
        return []
    sql = f"""SELECT * FROM ({read_parquet_sql(files)})
        WHERE transaction_id = $1 OR _record_id = $1 OR _record_key = $1
        ORDER BY _book_date, _object_version, _line LIMIT {MAX_VERSIONS}"""
    return list(query(sql, [wanted]).to_pylist())


def _of_bronze(bnpl: Bnpl, row: dict[str, Any]) -> Trace:
    record_id, day = row["_record_id"], row["_book_date"]
    landed = [o for o in bnpl.landing.objects(SOURCE, day) if o.version == row["_object_version"]]
    raw = split_lines(bnpl.landing.read(landed[0]))[row["_line"] - 1] if landed else None
    found = Trace(
        record_id=record_id,
        raw=raw.decode("utf-8", "replace") if raw is not None else None,
        raw_place=f"{landed[0].key}, line {row['_line']}" if landed else None,
        bronze=row,
    )
    silver = _rows(bnpl, SILVER, record_id, day)
    found.silver = silver[0] if silver else None
    pointer = bnpl.engine.pointers(DOMAIN, DATASET).get(day)
    found.gold = [
        {**gold, "_is_published": gold["_entry_id"] == pointer}
        for gold in _rows(bnpl, GOLD, record_id, day)
    ]
    found.is_visible = bool(_rows(bnpl, READERS, record_id, day))
    hidden = _rows(bnpl, HIDDEN, record_id, day)
    found.hidden_because = hidden[0]["reason"] if hidden else None
    if found.silver and found.silver["_is_superseded"]:
        found.superseded_by = _version(bnpl, f"{SILVER} WHERE NOT _is_superseded", row, day)
    elif found.hidden_because == "superseded":
        found.superseded_by = _version(bnpl, f"{READERS} WHERE true", row, None)
    elif found.hidden_because == "duplicate":
        sql = f"SELECT min(_book_date) AS day FROM {GOLD} WHERE _record_id = $1"
        found.first_arrived_on = bnpl.engine.query(sql, [record_id])["day"][0].as_py()
    found.entries = _entries(bnpl, day)
    return found


def _version(
    bnpl: Bnpl, among: str, row: dict[str, Any], day: dt.date | None
) -> dict[str, str] | None:
    """The version of a record that stands among some rows, of a day or of all days."""
    sql = f"""SELECT _record_id, _book_date FROM {among}
        AND _record_key = $1 AND _book_date = coalesce($2::DATE, _book_date) LIMIT 1"""
    found = bnpl.engine.query(sql, [row["_record_key"], day]).to_pylist()
    return {k.removeprefix("_"): str(v) for k, v in found[0].items()} if found else None


def _entries(bnpl: Bnpl, day: dt.date) -> list[dict[str, Any]]:
    hops = list(bnpl.hops)
    entries = bnpl.books.current(DOMAIN, days=[day])
    decisions = bnpl.decisions.of_many([e.entry_id for e in entries])
    told = []
    for entry in sorted(entries, key=lambda e: hops.index(e.key.hop)):
        failed = [d for d in decisions.get(entry.entry_id, []) if not d.passed]
        is_held = entry.status is Status.HELD
        told.append(
            {
                "hop": entry.key.hop,
                "status": str(entry.status),
                "entry_id": entry.entry_id,
                "held": {d.gate: "; ".join(d.failures) for d in failed if d.holds and is_held},
                "released": {d.gate: d.release_reason for d in failed if d.release_reason},
            }
        )
    return told


def _rows(bnpl: Bnpl, relation: str, record_id: str, day: Any) -> list[dict[str, Any]]:
    sql = f"SELECT * FROM {relation} WHERE _record_id = $1 AND _book_date = $2"
    found = bnpl.engine.query_of(relation, sql, [record_id, day])
    return found.to_pylist() if found else []


def _of_quarantine(row: QuarantinedRow) -> Trace:
    return Trace(
        record_id=row.record_id,
        raw=row.raw.decode("utf-8", "replace"),
        raw_place=f"{row.object_key}, line {row.line}",
        quarantined=row,
    )
