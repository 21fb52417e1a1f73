"""Landed days to bronze rows and quarantine, by contract.

Data flow: landing → Iceberg `bnpl.transactions` and quarantine.
Grain: one row a record, distinct within its day: the same line again is a duplicate, counted and
not kept twice. Another line of the same key is another row; silver marks the superseded one.
Idempotency: a day is replaced as a whole, in one commit that carries its entry id.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.bnpl.context import DATASET, SOURCE, Bnpl
from clearhouse.core.columnar import query
from clearhouse.core.contract import Contract, TypedRecords, type_records
from clearhouse.landing import LandedObject
from clearhouse.store.quarantine import QuarantinedRow

_DAYS_PER_COMMIT = 16
"""pyiceberg filters a commit's rows once a day, so that days cost their square; and it copies the
table's metadata some thirty times a commit, which grows with the number of commits."""
_THREADS = 2


@dataclass(frozen=True)
class TypedDay:
    """A day's distinct records: accepted as columns, rejected as quarantine rows."""

    day: dt.date
    accepted: pa.Table
    rejected: tuple[QuarantinedRow, ...]


def bronze_schema(contract: Contract) -> pa.Schema:
    """Columns of the bronze table: the contract's, then the spine's."""
    spine = [
        ("extra", pa.string()),
        ("_record_id", pa.string()),
        ("_record_key", pa.string()),
        ("_line", pa.int32()),
        ("_object_version", pa.int32()),
        ("_book_date", pa.date32()),
    ]
    return pa.schema([*contract.arrow_schema, *(pa.field(n, t) for n, t in spine)])


def load_days(
    bnpl: Bnpl,
    landed: Mapping[dt.date, Sequence[LandedObject]],
    entries: Mapping[dt.date, str],
) -> None:
    """Type days and put them in bronze and quarantine, some days in one commit.

    Quarantine is written first: the bronze commit carries the entry ids, so that a day counts as
    done only when both are in place. The next days are typed while one commit is made.
    """
    days = sorted(entries)
    chunks = [days[at : at + _DAYS_PER_COMMIT] for at in range(0, len(days), _DAYS_PER_COMMIT)]
    with ThreadPoolExecutor(_THREADS) as pool:

        def typing(chunk: Sequence[dt.date]) -> list[Future[TypedDay]]:
            return [pool.submit(_typed_day, bnpl, day, landed.get(day, ())) for day in chunk]

        ahead = typing(chunks[0]) if chunks else []
        for chunk, following in zip_longest(chunks, chunks[1:], fillvalue=()):
            typed = [each.result() for each in ahead]
            ahead = typing(following)
            bnpl.quarantine.replace(DATASET, {t.day: (entries[t.day], t.rejected) for t in typed})
            # Of one piece: pyiceberg filters every piece of every column once a day.
            rows = pa.concat_tables([t.accepted for t in typed]).combine_chunks()
            bnpl.lake.replace_days(DATASET, rows, {day: entries[day] for day in chunk})
            bnpl.progress.advance(len(chunk))


def _typed_day(bnpl: Bnpl, day: dt.date, objects: Sequence[LandedObject]) -> TypedDay:
    accepted: list[pa.Table] = [bronze_schema(bnpl.contract).empty_table()]
    rejected: dict[str, QuarantinedRow] = {}
    for landed in objects:
        payload = bnpl.landing.read(landed)
        typed = type_records(payload, bnpl.contract, SOURCE, bnpl.reader.reading(landed, payload))
        accepted.append(_with_origin(typed.accepted, day, landed).select(accepted[0].column_names))
        for row in _quarantined(typed, day, landed):
            rejected.setdefault(row.record_id, row)
    return TypedDay(day, _distinct(pa.concat_tables(accepted)), tuple(rejected.values()))


def _with_origin(rows: pa.Table, day: dt.date, landed: LandedObject) -> pa.Table:
    count = len(rows)
    return rows.append_column(
        "_object_version", pa.repeat(pa.scalar(landed.version, pa.int32()), count)
    ).append_column("_book_date", pa.repeat(pa.scalar(day, pa.date32()), count))


def _distinct(rows: pa.Table) -> pa.Table:
    """Rows without those whose `_record_id` stands earlier in the day."""
    if pc.count_distinct(rows["_record_id"]).as_py() == len(rows):
        return rows
    first = query(
        """SELECT row_number() OVER (
                PARTITION BY _record_id ORDER BY _object_version, _line) = 1 AS is_first
        FROM (SELECT *, row_number() OVER () AS ordinal FROM numbered) ORDER BY ordinal""",
        numbered=rows.select(["_record_id", "_object_version", "_line"]),
    )
    return rows.filter(first["is_first"])


def _quarantined(
    typed: TypedRecords, day: dt.date, landed: LandedObject
) -> Sequence[QuarantinedRow]:
    return [
        QuarantinedRow(
            dataset=DATASET,
            book_date=day,
            record_id=row.record_id,
            record_key=row.record_key,
            object_key=landed.key,
            line=row.line,
            violations=row.violations,
            raw=row.raw,
            amount_minor=row.amount_minor,
            currency=row.currency,
        )
        for row in typed.rejected
    ]
