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
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from clearhouse.books.measure import (
    FIELD,
    SPINE_SCHEMA,
    Counted,
    digests_of,
    filled,
    texts_sql,
    totals_of,
)
from clearhouse.books.model import Totals, digest
from clearhouse.core.columnar import DIALECT, query, readable
from clearhouse.core.contract import Contract
from clearhouse.landing.folder import ObjectFolder, Stored
from clearhouse.landing.objects import partition
from clearhouse.landing.spine import TotalsMemory

_READS_AT_ONCE = 8
_JSON_BLOCK_BYTES = 16 << 20
"""A line must fit in one."""
_MEASURED = "export"


class Form(StrEnum):
    """The folder that the files of one format lie in."""

    RAW = "raw"
    COLUMNAR = "columnar"


SUFFIXES = {Form.RAW: "json", Form.COLUMNAR: "parquet"}


def to_bytes(rows: pa.Table, form: Form) -> bytes:
    """A file of rows: the same bytes for the same rows."""
    if form is Form.COLUMNAR:
        sink = io.BytesIO()
        pq.write_table(rows, sink, compression="zstd")
        return sink.getvalue()
    if not len(rows):
        return b""
    lines = query(f"SELECT {_line_sql(rows.schema)} AS line FROM rows", rows=rows)["line"]
    texts = lines.combine_chunks()
    length = pc.sum(pc.binary_length(texts)).as_py()
    data: bytes = texts.buffers()[2].slice(0, length).to_pybytes()
    return data


def _line_sql(schema: pa.Schema) -> str:
    """SQL of a row as a line of JSON."""
    fields = ", ',' , ".join(
        f"""'"{f.name}":', coalesce({_value_sql(f.name, f.type)}, 'null')""" for f in schema
    )
    return f"concat('{{', {fields}, '}}', chr(10))"


def _value_sql(column: str, kind: pa.DataType) -> str:
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

    def texts(self, days: Sequence[dt.date], content: Sequence[str]) -> pa.Table:
        """The rows' texts."""
        rows = self.rows(days, content)
        return query(texts_sql("SELECT * FROM rows", self._kinds(content)), rows=rows)

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA` and the content."""
        stored = self.stored(days)
        tables = [self._rows(day, list(stored[day]), content) for day in days]
        return pa.concat_tables(tables) if tables else self._spine_schema(content).empty_table()

    @property
    def content(self) -> tuple[str, ...]:
        """The contract's columns, and that of the fields that it does not name."""
        return (*self.contract.arrow_schema.names, "extra")

    def _counted(self, days: Sequence[dt.date], content: Sequence[str]) -> dict[dt.date, Counted]:
        if not days:
            return {}
        stored = self.stored(days)

        def counted(day: dt.date) -> tuple[str, Counted]:
            known_as = self._known_as(day, stored[day], content)
            known = self.memory.get(known_as)
            return known_as, known[_MEASURED] if known else self._measure(day, stored[day], content)

        with ThreadPoolExecutor(_READS_AT_ONCE) as pool:
            found = list(pool.map(counted, days))
        self.memory.keep({known_as: {_MEASURED: each} for known_as, each in found})
        return {day: each for day, (_, each) in zip(days, found, strict=True)}

    def _measure(
        self, day: dt.date, stored: Mapping[str, Stored], content: Sequence[str]
    ) -> Counted:
        rows = self._rows(day, list(stored), content)
        texts = query(texts_sql("SELECT * FROM rows", self._kinds(content)), rows=rows)
        totals = totals_of(rows.select(SPINE_SCHEMA.names)).get(day, Totals())
        return Counted(totals, digests_of(texts, [day])[day])

    def _known_as(self, day: dt.date, stored: Mapping[str, Stored], content: Sequence[str]) -> str:
        """What a day's rows are a function of: its files, and what is read of them."""
        files = []
        for source, file in stored.items():
            key = self.key(source, day)
            state = file.e_tag or hashlib.sha256(self.folder.get(key) or b"").hexdigest()
            files += [key, str(file.size), state]
        return digest(_MEASURED, ",".join(content), *files)

    def _rows(self, day: dt.date, sources: Sequence[str], content: Sequence[str]) -> pa.Table:
        keys = [self.key(source, day) for source in sources]
        files = [
            from_bytes(data, self.form, self.schema, key)
            for key in keys
            if (data := self.folder.get(key)) is not None
        ]
        amount, currency = self.contract.amount, self.contract.currency.name
        minor = DIALECT.minor_units(amount.name, currency, digits=amount.arrow_type.precision)
        fields = "".join(f', {name} AS "{FIELD}{name}"' for name in content)
        # A file holds the records of its folder's day: what it says of another is not believed.
        sql = f"""SELECT {DIALECT.date(day)} AS _book_date, _record_id, _record_key,
            {minor} AS amount_minor, {currency} AS currency{fields} FROM rows"""
        rows = pa.concat_tables([self.schema.empty_table(), *files])
        return query(sql, rows=rows).cast(self._spine_schema(content))

    def _kinds(self, content: Sequence[str]) -> dict[str, pa.DataType]:
        return {name: self.schema.field(name).type for name in content}

    def _spine_schema(self, content: Sequence[str]) -> pa.Schema:
        kinds = self._kinds(content)
        return pa.schema([*SPINE_SCHEMA, *(pa.field(FIELD + n, k) for n, k in kinds.items())])
