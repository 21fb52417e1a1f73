"""Landing to bronze by contract, and the gate that holds a day before dbt sees it.

Data flow: landing → the Iceberg table of the dataset, and quarantine.
Grain: one row a record, distinct within its day: the same line again is a duplicate, counted and
not kept twice, and stands where it came last. Another line of the same key is another row; silver
marks the superseded one.
Idempotency: a day is replaced as a whole, in one commit that carries its entry id.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import zip_longest

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.clerk import Clerk
from clearhouse.books.model import EntryKey, Status, digest
from clearhouse.core.columnar import query, read_parquet_sql
from clearhouse.core.contract import Contract, TypedRecords, type_payloads
from clearhouse.landing import LandedObject
from clearhouse.landing.objects import by_source, days_in_parts
from clearhouse.landing.spine import ROWS_AT_ONCE
from clearhouse.pipeline.compare import SPINE_NAMES, differences
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.gates import judge
from clearhouse.pipeline.runner import StepReport
from clearhouse.store.quarantine import QuarantinedRow

_RECORDS_PER_COMMIT = 80_000
_DAYS_PER_COMMIT = 64
"""pyiceberg filters a commit's rows once a day, so that days cost their square; and it copies the
table's metadata some thirty times a commit, which grows with the number of commits."""
_THREADS = 2
_MOST_DAYS_COMPARED = 8

Landed = Mapping[dt.date, Sequence[LandedObject]]


def to_bronze(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> StepReport:
    """Type the landed days by contract, and hold those that the raw gate does not pass."""
    landed = landed_objects(dataset, days)
    hop = dataset.names.bronze
    keys = run.as_sealed(
        hop, {day: _key(run, dataset, day, landed[day]) for day in days if landed[day]}
    )
    clerk = Clerk(run.books, dataset.hops[hop], run.run_id)
    plan = clerk.plan(keys, _sound_marks(run, dataset, landed, keys))
    run.advance(dataset, len(plan.skip))
    statuses: dict[dt.date, Status] = {}
    if plan.redo:
        clerk.open(keys[day] for day in plan.redo)
        load_days(run, dataset, landed, {day: keys[day].entry_id for day in plan.redo})
        differing = _differing(run, dataset, landed, plan.redo)
        statuses = clerk.close((keys[day] for day in plan.redo), differing)
    report = StepReport(done=list(plan.redo), skipped=list(plan.skip))
    report.failed = {
        day: f"Nothing has landed for {day}: run extract_daily_batch first."
        for day in days
        if day not in keys
    }
    report.unbalanced = {
        day: "Bronze and quarantine don't hold what landed: run `clearhouse books` for the records "
        "and `clearhouse verify` for every column."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }
    entries = run.entries(hop, report.passed)
    _, report.held = judge(run, dataset, dataset.declared.raw_gate, entries)
    return report


def _sound_marks(
    run: Run, dataset: OpenDataset, landed: Landed, keys: Mapping[dt.date, EntryKey]
) -> dict[dt.date, str]:
    """The entry ids that bronze carries, but for days that no run closed and that differ.

    A run that was killed after its commit did not compare what it wrote, and one that found a
    difference left the rows as evidence: the next run makes the day anew.
    """
    marks = run.lake.entries(dataset.id)
    marked = [day for day, key in keys.items() if marks.get(day) == key.entry_id]
    entries = {
        e.key.book_date: e for e in run.books.current(run.name, dataset.names.bronze, marked)
    }
    unclosed = [
        day
        for day in marked
        if day not in entries or entries[day].status in (Status.OPEN, Status.UNBALANCED)
    ]
    differing = _differing(run, dataset, landed, unclosed)
    return {day: entry_id for day, entry_id in marks.items() if day not in differing}


def _differing(
    run: Run, dataset: OpenDataset, landed: Landed, days: Sequence[dt.date]
) -> set[dt.date]:
    """Days of which bronze does not hold what landing gives when it is typed once more.

    Every column of every row is compared, and the books record what differs. Many days at once are
    left to `clearhouse verify`: a year's first load would take a third longer.
    """
    if len(days) > _MOST_DAYS_COMPARED:
        return set()
    found: list[tuple[str, dt.date | None, str]] = []
    for day in days:
        again = typed_days(run, dataset, {day: landed[day]})[0].accepted
        stored = bronze_rows(run, dataset, [day])
        found += [
            (dataset.names.bronze, day, f"{dataset.bronze}: {sentence}")
            for each in differences(again, stored, SPINE_NAMES)
            for sentence in each.sentences
        ]
    run.books.add_findings(run.name, found, run.run_id)
    return {day for _, day, _ in found if day}


def bronze_rows(run: Run, dataset: OpenDataset, days: Sequence[dt.date]) -> pa.Table:
    """Every column of bronze of some days, by the files of the table's current snapshot."""
    files = run.lake.files(dataset.id, days)
    empty = bronze_schema(dataset.contract).empty_table()
    return query(read_parquet_sql(files)) if files else empty


def landed_objects(dataset: OpenDataset, days: Sequence[dt.date]) -> Landed:
    """What has landed of all sources for each of the days, in order of source and version."""
    return dataset.reader.objects(days)


def input_of(objects: Sequence[LandedObject]) -> str:
    """What a day's bronze is a function of."""
    return digest(*(f"{o.source}:{o.version}:{o.payload_sha256}" for o in objects))


def _key(run: Run, dataset: OpenDataset, day: dt.date, landed: Sequence[LandedObject]) -> EntryKey:
    hop = dataset.names.bronze
    return EntryKey(run.name, hop, day, input_of(landed), dataset.versions.bronze)


def bronze_schema(contract: Contract) -> pa.Schema:
    """Columns of the bronze table: the contract's, then the spine's."""
    spine = [
        ("extra", pa.string()),
        ("_record_id", pa.string()),
        ("_record_key", pa.string()),
        ("_source", pa.string()),
        ("_line", pa.int32()),
        ("_object_version", pa.int32()),
        ("_book_date", pa.date32()),
    ]
    return pa.schema([*contract.arrow_schema, *(pa.field(n, t) for n, t in spine)])


@dataclass(frozen=True)
class TypedDay:
    """A day's distinct records: accepted as columns, rejected as quarantine rows."""

    day: dt.date
    accepted: pa.Table
    rejected: tuple[QuarantinedRow, ...]
    unknown: Counter[tuple[str, str]]


def load_days(
    run: Run, dataset: OpenDataset, landed: Landed, entries: Mapping[dt.date, str]
) -> None:
    """Type days and put them in bronze and quarantine, some days in one commit.

    Quarantine is written first: the bronze commit carries the entry ids, so that a day counts as
    done only when both are in place. The next days are typed while one commit is made.
    """
    in_order = {day: landed[day] for day in sorted(entries)}
    chunks = list(days_in_parts(in_order, _RECORDS_PER_COMMIT, _DAYS_PER_COMMIT))
    with ThreadPoolExecutor(_THREADS) as pool:

        def typing(chunk: Sequence[dt.date]) -> list[Future[list[TypedDay]]]:
            of_chunk = {day: landed[day] for day in chunk}
            parts = days_in_parts(of_chunk, ROWS_AT_ONCE)
            return [
                pool.submit(typed_days, run, dataset, {day: landed[day] for day in part})
                for part in parts
            ]

        ahead = typing(chunks[0]) if chunks else []
        for chunk, following in zip_longest(chunks, chunks[1:], fillvalue=()):
            typed = [each for future in ahead for each in future.result()]
            ahead = typing(following)
            run.quarantine.replace(dataset.id, {t.day: (entries[t.day], t.rejected) for t in typed})
            for each in typed:
                run.unknown_values.update(each.unknown)
            # Of one piece: pyiceberg filters every piece of every column once a day.
            rows = pa.concat_tables([t.accepted for t in typed]).combine_chunks()
            run.lake.replace_days(dataset.id, rows, {day: entries[day] for day in chunk})
            run.advance(dataset, len(chunk))


def typed_days(run: Run, dataset: OpenDataset, landed: Landed) -> list[TypedDay]:
    """What the landed objects of days are by contract."""
    typed: dict[str, TypedRecords] = {}
    for (source, kind), objects in by_source(o for some in landed.values() for o in some).items():
        payloads = [run.landing.read(each) for each in objects]
        readings = dataset.reader.readings(objects, payloads)
        records = type_payloads(payloads, readings, dataset.contract, source, kind)
        typed |= zip([each.key for each in objects], records, strict=True)
    return [
        _typed_day(dataset, day, [(each, typed[each.key]) for each in objects])
        for day, objects in landed.items()
    ]


def _typed_day(
    dataset: OpenDataset, day: dt.date, objects: Sequence[tuple[LandedObject, TypedRecords]]
) -> TypedDay:
    accepted: list[pa.Table] = [bronze_schema(dataset.contract).empty_table()]
    rejected: dict[str, QuarantinedRow] = {}
    unknown: Counter[tuple[str, str]] = Counter()
    for landed, typed in objects:
        unknown.update({(field, value): n for field, value, n in typed.unknown_values})
        accepted.append(_with_origin(typed.accepted, day, landed).select(accepted[0].column_names))
        for row in _quarantined(dataset, typed, day, landed):
            rejected.setdefault(row.record_id, row)
    distinct = _distinct(pa.concat_tables(accepted))
    return TypedDay(day, distinct, tuple(rejected.values()), unknown)


def _with_origin(rows: pa.Table, day: dt.date, landed: LandedObject) -> pa.Table:
    origin = {
        "_source": pa.scalar(landed.source, pa.string()),
        "_object_version": pa.scalar(landed.version, pa.int32()),
        "_book_date": pa.scalar(day, pa.date32()),
    }
    for name, value in origin.items():
        rows = rows.append_column(name, pa.repeat(value, len(rows)))
    return rows


def _distinct(rows: pa.Table) -> pa.Table:
    """Each record once: the first row of the last object that has it.

    So a source that goes back to an earlier version of a record has it stand after the one between.
    Within an answer, a line that comes twice is one that was sent twice.
    """
    if pc.count_distinct(rows["_record_id"]).as_py() == len(rows):
        return rows
    first = query(
        """SELECT row_number() OVER (
                PARTITION BY _record_id ORDER BY _object_version DESC, _line) = 1 AS is_first
        FROM (SELECT *, row_number() OVER () AS ordinal FROM numbered) ORDER BY ordinal""",
        numbered=rows.select(["_record_id", "_object_version", "_line"]),
    )
    return rows.filter(first["is_first"])


def _quarantined(
    dataset: OpenDataset, typed: TypedRecords, day: dt.date, landed: LandedObject
) -> Sequence[QuarantinedRow]:
    return [
        QuarantinedRow(
            dataset=dataset.id,
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
