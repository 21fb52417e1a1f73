"""Bronze to files for other tools, where EXPORT_URL names a place for them.

Data flow: bronze → `raw/` and `columnar/` at EXPORT_URL (`pipeline.export_files`).
Grain: one file a source, day and format. A source that did not answer has none, one without records
an empty one.
Idempotency: a file is replaced as a whole. Days whose files hold what bronze holds are left as they
are; of others, files of which the bytes are the same are left too.
How to run: it is part of the step validate_raw_schema.

Who reads the files is a reader: a day is written when it balances and the raw gate lets it pass.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.clerk import Clerk
from clearhouse.books.model import Entry, EntryKey, Status, digest
from clearhouse.core.errors import StoreError
from clearhouse.pipeline.bronze import bronze_rows, landed_objects, to_bronze
from clearhouse.pipeline.clearance import bronze_cleared
from clearhouse.pipeline.context import OpenDataset, Run
from clearhouse.pipeline.export_files import DAYS_AT_ONCE, ExportSpine, prepared, to_bytes
from clearhouse.pipeline.runner import StepReport

_VERSION = digest("export", "1")  # what a file holds of bronze
_WRITES_AT_ONCE = 8


def validate_and_export(run: Run, days: Sequence[dt.date]) -> StepReport:
    """Type the landed days by contract, hold those that the raw gate stops, export the others."""
    report = StepReport()
    for dataset in run.chosen:
        one = to_bronze(run, dataset, days)
        for hop in dataset.exports:
            entries = bronze_cleared(run, dataset, one.passed).entries
            one.unbalanced |= _export(run, dataset, hop, entries)
        report.add(one, run.called(dataset))
    return report


def _export(
    run: Run, dataset: OpenDataset, hop: str, entries: Mapping[dt.date, Entry]
) -> dict[dt.date, str]:
    """Write the files of one format that don't hold what bronze holds; days that don't balance."""
    if not entries:
        return {}
    files = dataset.exports[hop]
    keys = run.as_sealed(
        hop,
        {day: EntryKey(run.name, hop, day, e.entry_id, _VERSION) for day, e in entries.items()},
    )
    answered = {
        day: {landed.source for landed in objects}
        for day, objects in landed_objects(dataset, list(keys)).items()
    }
    clerk = Clerk(run.books, dataset.hops[hop], run.run_id)
    plan = clerk.plan(keys, {day: keys[day].entry_id for day in _whole(files, answered)})
    clerk.open(keys[day] for day in plan.redo)
    with ThreadPoolExecutor(_WRITES_AT_ONCE) as pool:
        for at in range(0, len(plan.redo), DAYS_AT_ONCE):
            some = plan.redo[at : at + DAYS_AT_ONCE]
            _write(files, answered, some, bronze_rows(run, dataset, some), pool)
    statuses = clerk.close(keys[day] for day in plan.redo)
    return {
        day: f"The files at EXPORT_URL don't hold what bronze holds ({hop}): run `clearhouse "
        "books` for the records."
        for day, status in statuses.items()
        if status is Status.UNBALANCED
    }


def _whole(files: ExportSpine, answered: Mapping[dt.date, set[str]]) -> list[dt.date]:
    """Days of which there is a file of each source that answered, and no other, and all can be
    read: only these are held against bronze before anything is written.
    """
    stored = files.stored(list(answered))
    return _readable(files, [day for day in answered if set(stored[day]) == answered[day]])


def _readable(files: ExportSpine, days: list[dt.date]) -> list[dt.date]:
    """Days of which no file is damaged; where some are, days are halved until they are alone."""
    try:
        files.totals(days)
    except StoreError:
        middle = len(days) // 2
        return [
            d for some in (days[:middle], days[middle:]) if middle for d in _readable(files, some)
        ]
    return days


def _write(
    files: ExportSpine,
    answered: Mapping[dt.date, set[str]],
    days: Sequence[dt.date],
    rows: pa.Table,
    pool: ThreadPoolExecutor,
) -> None:
    """Write the files of some days; several at a time, since a store far away is waited for."""
    order = ("_book_date", "_source", "_object_version", "_line")
    ordered = rows.sort_by([(name, "ascending") for name in order])
    ready = prepared(ordered.select(files.schema.names).cast(files.schema), files.form)

    def put(source: str, day: dt.date, data: bytes) -> None:
        key = files.key(source, day)
        if files.folder.get(key) != data:
            files.folder.replace(key, data)

    writing = []
    for day, source in product(days, files.sources):
        if source not in answered[day]:
            writing.append(pool.submit(files.folder.remove, files.key(source, day)))
            continue
        part = ready.filter((pc.field("_book_date") == day) & (pc.field("_source") == source))
        writing.append(pool.submit(put, source, day, to_bytes(part, files.form)))
    for each in writing:
        each.result()
