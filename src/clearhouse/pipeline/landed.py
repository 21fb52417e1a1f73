"""What landed, for an audit: objects that did not land, counts of manifests, remembered totals."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from clearhouse.books.audit import Audit, Finding
from clearhouse.books.model import Entry, EntryKey, Side, Status, Totals
from clearhouse.core.errors import StoreError
from clearhouse.core.window import Window
from clearhouse.landing import LandedObject
from clearhouse.pipeline.context import OpenDataset, Run

_UNDER_WAY = (Status.OPEN, Status.FAILED)


def landing_findings(run: Run, days: Sequence[dt.date] | None, audited: Audit) -> list[Finding]:
    """Objects without a manifest or of days that the books don't know, and manifests whose counts
    are not what is stored.

    Args:
        run: the domain's parts.
        days: of which of the days that the books know; None for all.
        audited: their entries, measured again.
    """
    if not run.books.days(run.name):  # lost, or not begun: what landed is not measured against them
        return []
    found: list[Finding] = []
    for dataset in run.datasets:
        for source, hop in dataset.names.landed.items():
            entries = {e.key.book_date: e for e in run.books.current(run.name, hop)}
            measured = {e.key.book_date: e for e in audited.entries if e.key.hop == hop}
            for day, text in [
                *_not_landed(run, source, entries),
                *_of_no_day(run, source, entries),
                *_miscounted(run, dataset, source, measured),
            ]:
                if days is None or day in days or day not in entries:
                    found.append(_finding(run, hop, day, text))
    return found


def _not_landed(
    run: Run, source: str, entries: Mapping[dt.date, Entry]
) -> Iterator[tuple[dt.date, str]]:
    """Objects without a manifest, but for those that a run was cut short over."""
    for key, day in run.landing.unlanded(source):
        if day is None:
            yield max(entries, default=max(run.books.days(run.name))), f"{key} is no landed object"
        elif day not in entries or entries[day].status not in _UNDER_WAY:
            yield day, f"{key} has no manifest, and so it did not land: no step uses it"


def _of_no_day(
    run: Run, source: str, entries: Mapping[dt.date, Entry]
) -> Iterator[tuple[dt.date, str]]:
    for day in run.landing.landed_days(source):
        if day not in entries:
            for landed in _objects(run, source, [day]).get(day, ()):
                yield day, f"{landed.key} is of a day that the books don't know"


def _miscounted(
    run: Run, dataset: OpenDataset, source: str, measured: Mapping[dt.date, Entry]
) -> Iterator[tuple[dt.date, str]]:
    """Manifests that say another number of records than there are."""
    if not measured:
        return
    for day, objects in _objects(run, source, list(measured)).items():
        counted = measured[day].totals.get(Side.OUT, Totals()).records
        if counted == sum(each.records for each in objects):
            continue
        for each in objects:
            try:
                records = len(dataset.reader.reading(each, run.landing.read(each)))
            except StoreError:  # told where it is measured
                continue
            if records != each.records:
                told = f"{each.key} has {records} records, and its manifest says {each.records}"
                yield day, told


def _objects(run: Run, source: str, days: Sequence[dt.date]) -> dict[dt.date, list[LandedObject]]:
    """What landed for days; a day with a manifest that can't be read is left out."""
    try:
        landed = run.landing.days(source, Window(min(days), max(days)))
        return {day: landed[day] for day in days}
    except StoreError:
        if len(days) == 1:
            return {}
    return {day: some for one in days for day, some in _objects(run, source, [one]).items()}


def remembered_findings(run: Run, audited: Audit) -> list[Finding]:
    """Totals that were remembered of landed bytes and are not what the bytes give.

    They are measured again before anyone is accused: of days where landing differs from what the
    books say, or from bronze.
    """
    found = []
    for dataset in run.datasets:
        readers = {hop: dataset.reader.of(source) for source, hop in dataset.names.landed.items()}
        readers[dataset.names.bronze] = dataset.reader
        for finding in audited.findings:
            key = finding.entry.key
            if (
                key.hop in readers
                and not finding.reason
                and readers[key.hop].recount(key.book_date)
            ):
                text = "the totals that were remembered of what landed were edited: measured again"
                found.append(_finding(run, key.hop, key.book_date, text))
    return found


def _finding(run: Run, hop: str, day: dt.date, text: str) -> Finding:
    entry = Entry(EntryKey(run.name, hop, day, "", ""), Status.UNBALANCED)
    return Finding(entry, Totals(), (), 0, drifted=False, reason=text)
