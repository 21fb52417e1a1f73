"""Landing as the books see it: every landed row, and among them the repeated ones."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.books.digests import NO_ROWS, digests_of
from clearhouse.books.measure import (
    SPINE_SCHEMA,
    Counted,
    filled,
    totals_of,
)
from clearhouse.books.model import Totals, digest
from clearhouse.core.columnar import query
from clearhouse.core.contract import (
    READING_SCHEMA,
    Contract,
    read_payloads,
)
from clearhouse.core.window import Window
from clearhouse.landing.objects import CORRECTS, LandedObject, by_source, days_in_parts
from clearhouse.landing.store import Landing

_LINES = READING_SCHEMA.append(pa.field("version", pa.int32()))
_THREADS = 2
ROWS_AT_ONCE = 10_000
"""So many are worth a query: few would mostly wait for it to begin, and many need memory."""
_MOST_ROWS_KEPT = 4_000_000
"""Of readings that wait to be typed, at some 90 bytes a row."""


class Lines(StrEnum):
    """Which of a day's landed rows: all, or those whose `_record_id` stood there before."""

    ALL = "all"
    REPEATED = "repeated"


DayTotals = Mapping[str, Counted]
"""What was counted of a day by `Lines`."""


class TotalsMemory(Protocol):
    """Keeps totals by a digest of the bytes that they were measured from."""

    def load(self, contents: Collection[str]) -> None:
        """Read what was kept of some contents at once, before each is asked for."""
        ...

    def get(self, content: str) -> DayTotals | None:
        """What was kept, or None."""
        ...

    def keep(self, found: Mapping[str, DayTotals]) -> None:
        """Keep totals, each under its content."""
        ...

    def forget(self, content: str) -> None:
        """Keep the totals of a content no longer."""
        ...


@dataclass
class LandingReader:
    """Reads landed days of one dataset for the books.

    A day is what landed for it from each of the dataset's sources. A row belongs to the source of
    its object: the same bytes from two sources are two records.

    Whenever a total is asked for, the stored bytes are held against their SHA-256 (of an object
    store, which says so itself: whether they are those that were written). The reading is
    a pure function of those bytes, so totals that were measured from the same bytes by the same
    code are taken from `memory` and not measured again.

    Attributes:
        shown: by source and day, how many of the landed versions are looked at, where it is not
            all: a rebuild makes what readers saw before a correction. Shared by `of`.
    """

    landing: Landing
    contract: Contract
    sources: tuple[str, ...]
    memory: TotalsMemory
    shown: dict[tuple[str, dt.date], int] = field(default_factory=dict)
    _readings: dict[tuple[str, str], pa.Table] = field(default_factory=dict)
    """Readings that wait to be typed. Shared by `of`."""

    def of(self, source: str) -> "LandingReader":
        """The same reader over one of the sources."""
        return self if self.sources == (source,) else replace(self, sources=(source,))

    def day_rows(self, day: dt.date) -> pa.Table:
        """Spine rows of a day with `nth`: how often the record id has been seen, from 1."""
        return _dated(day, _numbered(self._lines(self.objects([day]))[day]))

    def corrections(self, day: dt.date) -> pa.Table:
        """Spine rows of a day that came by correcting one of its rows, and not from the source."""
        corrects = {
            o.version: o.request[CORRECTS] for o in self.objects([day])[day] if not o.is_given
        }
        rows = self.day_rows(day)
        is_given = pc.invert(pc.is_in(rows["version"], pa.array([*corrects], pa.int32())))
        given = {*rows.filter(is_given)["_record_id"].to_pylist()}
        versions = [version for version, record_id in corrects.items() if record_id in given]
        is_new = (pc.field("nth") == 1) & pc.field("version").isin(pa.array(versions, pa.int32()))
        return rows.filter(is_new).select(SPINE_SCHEMA.names).cast(SPINE_SCHEMA)

    def totals(self, days: Sequence[dt.date], lines: Lines) -> dict[dt.date, Totals]:
        """Totals of each of the days."""
        return filled({day: of[lines].totals for day, of in self.counted(days).items()}, days)

    def counted(self, days: Sequence[dt.date]) -> dict[dt.date, DayTotals]:
        """What was counted of each of the days that anything landed for."""
        if not days:
            return {}
        wanted = {day: objects for day, objects in self.objects(days).items() if objects}
        self.memory.load([_content(objects) for objects in wanted.values()])
        with ThreadPoolExecutor(_THREADS) as pool:
            known = dict(zip(wanted, pool.map(self._remembered, wanted.values()), strict=True))
            unknown = {day: objects for day, objects in wanted.items() if known[day] is None}
            parts = days_in_parts(unknown, ROWS_AT_ONCE)
            for found in pool.map(self._counted, ({d: unknown[d] for d in p} for p in parts)):
                known |= found
        return {day: found for day, found in known.items() if found is not None}

    def recount(self, day: dt.date) -> bool:
        """Measure again what is remembered of a day; whether something else was remembered."""
        objects = self.objects([day])[day]
        before = self.memory.get(_content(objects))
        if before is None:
            return False
        self.memory.forget(_content(objects))
        return self.counted([day])[day] != before

    def measure(self, days: Sequence[dt.date], source: str) -> None:
        """Measure what has just landed for days; the readings are kept for who types them next.

        What a source gave is measured by itself, and a day as a whole when what all sources gave
        has been read: the last one's turn finds the readings of the others.
        """
        objects = self.objects(days)
        given = {day: [o for o in objects[day] if o.source == source] for day in days}
        self._keep_readings([o for some in given.values() for o in some])
        whole = {
            day: some
            for day, some in objects.items()
            if some != given[day]
            and {o.source for o in some} == set(self.sources)
            and all(_same_rows(o) in self._readings for o in some)
        }
        self.memory.load([_content(some) for each in (given, whole) for some in each.values()])
        for each in (given, whole):
            self._counted({d: some for d, some in each.items() if self._remembered(some) is None})

    def _keep_readings(self, objects: Sequence[LandedObject]) -> None:
        kept = sum(map(len, list(self._readings.values())))
        fresh = [o for o in objects if _same_rows(o) not in self._readings]
        if kept < _MOST_ROWS_KEPT:
            self._readings |= self._read(fresh)

    def reading(self, landed: LandedObject, payload: bytes) -> pa.Table:
        """The books' reading of an object (`READING_SCHEMA`); a kept one is let go of."""
        return self.readings([landed], [payload])[0]

    def readings(
        self, objects: Sequence[LandedObject], payloads: Sequence[bytes]
    ) -> list[pa.Table]:
        """The same of several objects of one source and format."""
        found = [self._readings.pop(_same_rows(each), None) for each in objects]
        lacking = [n for n, reading in enumerate(found) if reading is None]
        if lacking:
            first = objects[lacking[0]]
            read = read_payloads(
                [payloads[n] for n in lacking], self.contract, first.source, first.payload_format
            )
            for n, reading in zip(lacking, read, strict=True):
                found[n] = reading
        return found

    def _remembered(self, objects: Sequence[LandedObject]) -> DayTotals | None:
        """What is known of a day's objects, if they are stored as they were when it was counted."""
        known = self.memory.get(_content(objects))
        if known is not None and not all(map(self.landing.verify, objects)):
            for landed in objects:  # what was read of them before is no longer what is stored
                self._readings.pop(_same_rows(landed), None)
            return None
        return known

    def _counted(self, days: Mapping[dt.date, Sequence[LandedObject]]) -> dict[dt.date, DayTotals]:
        """Count the rows of days' objects, and remember what was found."""
        lines = self._lines(days)
        repeated = {
            day: _numbered(rows).filter(pc.field("nth") > 1)
            for day, rows in lines.items()
            if pc.count_distinct(rows["_record_id"]).as_py() < len(rows)
        }
        all_lines, repeated_lines = _summed(lines), _summed(repeated)
        found: dict[dt.date, DayTotals] = {
            day: {
                str(Lines.ALL): all_lines[day],
                str(Lines.REPEATED): repeated_lines.get(day, Counted()),
            }
            for day in days
        }
        self.memory.keep({_content(days[day]): of_day for day, of_day in found.items()})
        return found

    def objects(self, days: Sequence[dt.date]) -> dict[dt.date, list[LandedObject]]:
        """What has landed for each of the days, in order of source and version."""
        window = Window(min(days), max(days))
        landed = {source: self.landing.days(source, window) for source in self.sources}
        return {
            day: [o for s in self.sources for o in landed[s][day][: self.shown.get((s, day))]]
            for day in days
        }

    def _lines(self, days: Mapping[dt.date, Sequence[LandedObject]]) -> dict[dt.date, pa.Table]:
        """The reading of every row of days' objects, with the object's `version`."""
        kept = dict(self._readings)
        objects = [o for some in days.values() for o in some]
        read = kept | self._read([o for o in objects if _same_rows(o) not in kept])
        found = {}
        for day, some in days.items():
            readings = (_versioned(read[_same_rows(o)], o) for o in some)
            found[day] = pa.concat_tables([_LINES.empty_table(), *readings])
        return found

    def _read(self, objects: Iterable[LandedObject]) -> dict[tuple[str, str], pa.Table]:
        """The readings of objects, each by what it is a function of."""
        found: dict[tuple[str, str], pa.Table] = {}
        for (source, kind), some in by_source(objects).items():
            payloads = {_same_rows(each): self.landing.read(each) for each in some}
            read = read_payloads(list(payloads.values()), self.contract, source, kind)
            found |= dict(zip(payloads, read, strict=True))
        return found


@dataclass(frozen=True, slots=True)
class LandingSpine:
    """The landed rows of one dataset on one side of a hop."""

    reader: LandingReader
    lines: Lines = Lines.ALL

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        return self.reader.totals(days, self.lines)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows; landed rows are text, so that they have no content."""
        del content
        counted = self.reader.counted(days)
        return {day: counted[day][self.lines].digest if day in counted else NO_ROWS for day in days}

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA`."""
        del content
        tables = [self._of_day(self.reader.day_rows(day)) for day in days]
        return pa.concat_tables([SPINE_SCHEMA.empty_table(), *tables])

    def _of_day(self, rows: pa.Table) -> pa.Table:
        least = 1 if self.lines is Lines.ALL else 2
        return rows.filter(pc.field("nth") >= least).select(SPINE_SCHEMA.names).cast(SPINE_SCHEMA)


def _same_rows(landed: LandedObject) -> tuple[str, str]:
    """What an object's reading is a function of."""
    return f"{landed.source}.{landed.payload_format}", landed.object_sha256


def _content(objects: Sequence[LandedObject]) -> str:
    """What a day's rows are a function of."""
    return digest(*(":".join((str(o.version), *_same_rows(o), *_listed_as(o))) for o in objects))


def _listed_as(landed: LandedObject) -> tuple[str, ...]:
    """What an object store listed as the object when its rows were measured: one that was put in
    its place, with a manifest that names it, is read.
    """
    return (landed.e_tag,) if landed.e_tag else ()


def _dated(day: dt.date, lines: pa.Table) -> pa.Table:
    return lines.append_column("_book_date", pa.repeat(pa.scalar(day, pa.date32()), len(lines)))


def _versioned(reading: pa.Table, landed: LandedObject) -> pa.Table:
    version = pa.repeat(pa.scalar(landed.version, pa.int32()), len(reading))
    return reading.append_column("version", version)


def _summed(days: Mapping[dt.date, pa.Table]) -> dict[dt.date, Counted]:
    """Totals and digest of each day's lines."""
    if not days:
        return {}
    rows = pa.concat_tables([_dated(day, of_day) for day, of_day in days.items()])
    rows = rows.select(SPINE_SCHEMA.names).cast(SPINE_SCHEMA)
    totals, digests = totals_of(rows), digests_of(rows, days)
    return {day: Counted(totals.get(day, Totals()), digests[day]) for day in days}


def _numbered(lines: pa.Table) -> pa.Table:
    return query(
        """SELECT _record_id, _record_key, amount_minor, currency, version,
            row_number() OVER (PARTITION BY _record_id ORDER BY version, line) AS nth
        FROM lines""",
        lines=lines,
    )
