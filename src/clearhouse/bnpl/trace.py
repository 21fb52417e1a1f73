"""One record through every store: raw line, bronze, silver, gold, and what readers see."""

from dataclasses import dataclass, field
from typing import Any

from clearhouse.bnpl.context import DATASET, DOMAIN, SOURCE, Bnpl
from clearhouse.bnpl.spine import GOLD, HIDDEN, READERS, SILVER
from clearhouse.core.columnar import query
from clearhouse.core.errors import UsageError
from clearhouse.core.records import split_lines
from clearhouse.lake.iceberg import read_parquet_sql
from clearhouse.store.quarantine import QuarantinedRow

MAX_VERSIONS = 20


@dataclass
class Trace:
    """One version of a record, as each store has it; None where a store has nothing of it."""

    record_id: str
    raw: str | None
    raw_place: str | None
    bronze: dict[str, Any] | None = None
    silver: dict[str, Any] | None = None
    gold: list[dict[str, Any]] = field(default_factory=list)
    is_visible: bool = False
    hidden_because: str | None = None
    entries: list[dict[str, str]] = field(default_factory=list)
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
    found.entries = [
        {"hop": e.key.hop, "status": str(e.status), "entry_id": e.entry_id}
        for e in bnpl.books.current(DOMAIN, days=[day])
    ]
    return found


def _rows(bnpl: Bnpl, relation: str, record_id: str, day: Any) -> list[dict[str, Any]]:
    if not bnpl.engine.has(relation):
        return []
    sql = f"SELECT * FROM {relation} WHERE _record_id = $1 AND _book_date = $2"
    return list(bnpl.engine.query(sql, [record_id, day]).to_pylist())


def _of_quarantine(row: QuarantinedRow) -> Trace:
    return Trace(
        record_id=row.record_id,
        raw=row.raw.decode("utf-8", "replace"),
        raw_place=f"{row.object_key}, line {row.line}",
        quarantined=row,
    )
