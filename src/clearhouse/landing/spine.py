"""Landing as the books see it: every landed line, and among them the repeated ones."""

import datetime as dt
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from clearhouse.core.books.measure import SPINE_SCHEMA, filled, totals_of
from clearhouse.core.books.model import Totals
from clearhouse.core.columnar import query
from clearhouse.core.contract import Contract
from clearhouse.core.records import read_records
from clearhouse.core.window import Window
from clearhouse.landing import LandedObject, Landing

_THREADS = 2


class Lines(StrEnum):
    """Which of a day's landed lines: all, or those whose `_record_id` stood there before."""

    ALL = "true"
    REPEATED = "nth > 1"


@dataclass
class LandingReader:
    """Reads landed days for the books.

    A landed object never changes, and each is checked against its SHA-256 when it is read; so the
    totals of a day are kept by its objects' hashes while this reader lives, and the two legs of a
    hop cost one reading.
    """

    landing: Landing
    contract: Contract
    source: str
    _known: dict[tuple[str, ...], dict[Lines, Totals]] = field(default_factory=dict)

    def day_rows(self, day: dt.date) -> pa.Table:
        """Spine rows of a day with `nth`: how often the record id has been seen, from 1."""
        return _numbered(day, self._readings(self.landing.objects(self.source, day)))

    def totals(self, days: Sequence[dt.date], lines: Lines) -> dict[dt.date, Totals]:
        """Totals of each of the days."""
        if not days:
            return {}
        landed = self.landing.days(self.source, Window(min(days), max(days)))
        wanted = {day: landed[day] for day in days if landed.get(day)}
        with ThreadPoolExecutor(_THREADS) as pool:
            found = pool.map(lambda item: self._day_totals(*item)[lines], wanted.items())
            return filled(dict(zip(wanted, found, strict=True)), days)

    def _day_totals(self, day: dt.date, objects: Sequence[LandedObject]) -> dict[Lines, Totals]:
        known_as = tuple(o.key + o.object_sha256 for o in objects)
        if known_as not in self._known or not all(map(self.landing.verify, objects)):
            rows = _numbered(day, self._readings(objects))
            self._known[known_as] = {
                lines: totals_of(_select(rows, lines)).get(day, Totals()) for lines in Lines
            }
        return self._known[known_as]

    def _readings(self, objects: Sequence[LandedObject]) -> list[pa.Table]:
        return [
            read_records(self.landing.read(o), self.contract, self.source)
            .drop_columns(["text", "forms_kept"])
            .append_column("version", pa.array([o.version] * o.records, pa.int32()))
            for o in objects
        ]


@dataclass(frozen=True, slots=True)
class LandingSpine:
    """The landed lines of one source on one side of a hop."""

    reader: LandingReader
    lines: Lines = Lines.ALL

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        return self.reader.totals(days, self.lines)

    def rows(self, days: Sequence[dt.date]) -> pa.Table:
        """The rows, as `SPINE_SCHEMA`."""
        tables = [_select(self.reader.day_rows(day), self.lines) for day in days]
        return pa.concat_tables(tables) if tables else SPINE_SCHEMA.empty_table()


def _numbered(day: dt.date, readings: Sequence[pa.Table]) -> pa.Table:
    if not readings:
        return SPINE_SCHEMA.append(pa.field("nth", pa.int64())).empty_table()
    return query(
        f"""SELECT DATE '{day}' AS _book_date, _record_id, _record_key, amount_minor, currency,
            row_number() OVER (PARTITION BY _record_id ORDER BY version, line) AS nth
        FROM lines""",
        lines=pa.concat_tables(readings),
    )


def _select(rows: pa.Table, lines: Lines) -> pa.Table:
    columns = ", ".join(SPINE_SCHEMA.names)
    return query(f"SELECT {columns} FROM rows_ WHERE {lines}", rows_=rows).cast(SPINE_SCHEMA)
