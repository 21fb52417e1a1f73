"""A day's accepted records as files for other tools, and their rows as the books see them.

raw/<source>/year=YYYY/month=MM/day=DD/<dataset>_data.json           JSON, one record a line
columnar/<source>/year=YYYY/month=MM/day=DD/<dataset>_data.parquet   Parquet, zstd

Both have the columns of bronze. In JSON a decimal is a number with all its digits, which a reader
of decimals takes as it is; times and dates are texts, and what a record lacks is null.
"""

import datetime as dt
import hashlib
import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from clearhouse.books.digests import digests_of
from clearhouse.books.measure import (
    FIELD,
    SPINE_SCHEMA,
    Counted,
    filled,
    rows_schema,
    totals_of,
)
from clearhouse.books.model import Totals, digest
from clearhouse.core.columnar import DIALECT, query, readable
from clearhouse.core.contract import Contract
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.landing.folder import ObjectFolder, Stored
from clearhouse.landing.objects import partition
from clearhouse.landing.spine import TotalsMemory

_READS_AT_ONCE = 8
_JSON_BLOCK_BYTES = 16 << 20
"""A line must fit in one."""
DAYS_AT_ONCE = 16
"""Are measured by one query, and written: single days take longer to ask for than to read."""
_MEASURED = "export"

StoredByDay = Mapping[dt.date, Mapping[str, Stored]]
"""Files by source, of each day."""


class Form(StrEnum):
    """The folder that the files of one format lie in."""

    RAW = "raw"
    COLUMNAR = "columnar"


SUFFIXES = {Form.RAW: "json", Form.COLUMNAR: "parquet"}


def prepared(rows: pa.Table, form: Form) -> pa.Table:
    """Rows of bronze made ready for `to_bytes`, which is given those of one file."""
    if form is Form.COLUMNAR:
        return rows
    return query(
        f"SELECT _book_date, _source, {_line_sql(rows.schema)} AS line FROM rows", rows=rows
    )


def to_bytes(part: pa.Table, form: Form) -> bytes:
    """A file of prepared rows: the same bytes for the same rows."""
    if form is Form.COLUMNAR:
        sink = io.BytesIO()
        pq.write_table(part, sink, compression="zstd")
        return sink.getvalue()
    if not len(part):
        return b""
    lines = part["line"].combine_chunks()
    _, offsets, texts = lines.buffers()  # a text of each line, one after the other
    ends = memoryview(offsets).cast("i")[lines.offset : lines.offset + len(lines) + 1]
    data: bytes = texts.slice(ends[0], ends[-1] - ends[0]).to_pybytes()
    return data


def _line_sql(schema: pa.Schema) -> str:
    """SQL of a row as a line of JSON."""
    fields = ", ',' , ".join(
        f"""'"{f.name}":', coalesce({_value_sql(f.name, f.type)}, 'null')""" for f in schema
    )
    return f"concat('{{', {fields}, '}}', chr(10))"


def _value_sql(name: str, kind: pa.DataType) -> str:
    column = f'"{name}"'
    if pa.types.is_string(kind):
        return f"CAST(to_json({column}) AS VARCHAR)"
    if pa.types.is_timestamp(kind) and kind.tz:
        return f"""'"' || CAST({column} AT TIME ZONE 'UTC' AS VARCHAR) || 'Z"'"""
    text = f"CAST({column} AS VARCHAR)"
    return f"""'"' || {text} || '"'""" if pa.types.is_temporal(kind) else text


def from_bytes(data: bytes, form: Form, schema: pa.Schema, key: str) -> pa.Table:
    """The rows of a file.

    Raises:
        StoreError: it is damaged, or has other columns.
    """
    with readable(f"The export {key}"):
        if form is Form.COLUMNAR:
            rows = pq.read_table(pa.BufferReader(data))
        elif data:
            rows = _json_rows(data, schema)
        else:
            return schema.empty_table()
        if rows.column_names != schema.names:
            raise pa.ArrowInvalid("its columns are others")
        return rows.cast(schema)


def _json_rows(data: bytes, schema: pa.Schema) -> pa.Table:
    as_read = pa.schema(  # Arrow's reader of JSON knows no dates
        f.with_type(pa.timestamp("s")) if pa.types.is_date(f.type) else f for f in schema
    )
    return pyarrow.json.read_json(
        pa.BufferReader(data),
        read_options=pyarrow.json.ReadOptions(block_size=_JSON_BLOCK_BYTES),
        parse_options=pyarrow.json.ParseOptions(
            explicit_schema=as_read, unexpected_field_behavior="error"
        ),
    )


@dataclass(frozen=True)
class ExportSpine:
    """The exported files of one dataset in one format (`books.hop.Relation`).

    A file that an object store lists as it did when it was measured, or a local one of the same
    bytes, is not parsed again.

    Attributes:
        folder: at EXPORT_URL.
        dataset: its name, which the files are called by.
        sources: whose files there can be.
        schema: the files' columns.
        memory: of what was measured.
    """

    folder: ObjectFolder
    form: Form
    dataset: str
    sources: tuple[str, ...]
    contract: Contract
    schema: pa.Schema
    memory: TotalsMemory

    def key(self, source: str, day: dt.date) -> str:
        """Where the file of a source's day is."""
        name = f"{self.dataset}_data.{SUFFIXES[self.form]}"
        return f"{self.form}/{source}/{partition(day)}/{name}"

    def stored(self, days: Sequence[dt.date]) -> dict[dt.date, dict[str, Stored]]:
        """The files that are there of each of the days, by source; one listing a month."""
        months = dict.fromkeys(partition(day).rpartition("/")[0] for day in days)
        prefixes = [f"{self.form}/{source}/{month}" for source in self.sources for month in months]
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            listed = dict(
                item for some in pool.map(self.folder.keys, prefixes) for item in some.items()
            )
        return {
            day: {s: listed[key] for s in self.sources if (key := self.key(s, day)) in listed}
            for day in days
        }

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days."""
        counted = self._counted(days, self.content)
        return filled({day: each.totals for day, each in counted.items()}, days)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows."""
        return {day: each.digest for day, each in self._counted(days, content).items()}

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA` and the content."""
        return self._rows(self.stored(days), content)

    @property
    def content(self) -> tuple[str, ...]:
        """The contract's columns, and that of the fields that it does not name."""
        return (*self.contract.arrow_schema.names, "extra")

    def _counted(self, days: Sequence[dt.date], content: Sequence[str]) -> dict[dt.date, Counted]:
        if not days:
            return {}
        stored = self.stored(days)
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            names = pool.map(lambda day: self._known_as(day, stored[day], content), days)
            known_as = dict(zip(days, names, strict=True))
        self.memory.load([*known_as.values()])
        found = {
            day: known[_MEASURED]
            for day, name in known_as.items()
            if (known := self.memory.get(name))
        }
        unknown = [day for day in days if day not in found]
        for at in range(0, len(unknown), DAYS_AT_ONCE):
            some = unknown[at : at + DAYS_AT_ONCE]
            found |= self._measure({day: stored[day] for day in some}, content)
        self.memory.keep({known_as[day]: {_MEASURED: found[day]} for day in unknown})
        return found

    def _measure(self, stored: StoredByDay, content: Sequence[str]) -> dict[dt.date, Counted]:
        rows = self._rows(stored, content)
        totals = totals_of(rows.select(SPINE_SCHEMA.names))
        digests = digests_of(rows, stored)
        return {day: Counted(totals.get(day, Totals()), digests[day]) for day in stored}

    def _known_as(self, day: dt.date, stored: Mapping[str, Stored], content: Sequence[str]) -> str:
        """What a day's rows are a function of: its files, and what is read of them."""
        files = []
        for source, file in stored.items():
            key = self.key(source, day)
            state = file.e_tag or hashlib.sha256(self.folder.get(key) or b"").hexdigest()
            files += [key, str(file.size), state]
        return digest(_MEASURED, ",".join(content), *files)

    def _rows(self, stored: StoredByDay, content: Sequence[str]) -> pa.Table:
        wanted = [(day, self.key(source, day)) for day, some in stored.items() for source in some]
        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            files = list(pool.map(lambda each: self._file(*each), wanted))
        minor, currency = amount_sql(self.contract, DIALECT)
        fields = "".join(f', {name} AS "{FIELD}{name}"' for name in content)
        sql = f"""SELECT _book_date, _record_id, _record_key, {minor} AS amount_minor,
            {currency} AS currency{fields} FROM rows"""
        rows = pa.concat_tables([self.schema.empty_table(), *files])
        return query(sql, rows=rows).cast(rows_schema(self.schema, content))

    def _file(self, day: dt.date, key: str) -> pa.Table:
        """The rows of a file. They are of its folder's day: what it says itself is not believed."""
        data = self.folder.get(key)
        if data is None:  # gone since it was listed
            return self.schema.empty_table()
        rows = from_bytes(data, self.form, self.schema, key)
        dated = pa.repeat(pa.scalar(day, pa.date32()), len(rows))
        at = rows.schema.get_field_index("_book_date")
        return rows.set_column(at, self.schema.field(at), dated)
