"""Arrow tables out of PostgreSQL and into it, by COPY.

COPY's CSV tells a null (nothing) from an empty text (`""`), writes doubles so that they read back
the same, and pyarrow reads and writes it column-wise.
"""

from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import psycopg
import pyarrow as pa
from pyarrow import csv

_ROWS_AT_ONCE = 50_000
_BLOCK_BYTES = 64 << 20
"""More than any row has; one that is longer can't be read."""

_SQL_TYPES = {
    "int16": "smallint", "int32": "integer", "int64": "bigint", "bool": "boolean",
    "double": "double precision", "timestamp[us]": "timestamp",
    "timestamp[us, tz=UTC]": "timestamptz", "date32[day]": "date",
    # Byte order, as every other engine has it: the same text comes first everywhere.
    "string": 'text COLLATE "C"', "large_string": 'text COLLATE "C"',
}  # fmt: skip
_ARROW_TYPES = {
    16: pa.bool_(), 20: pa.int64(), 21: pa.int16(), 23: pa.int32(), 700: pa.float32(),
    701: pa.float64(), 1082: pa.date32(), 1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}  # fmt: skip
_NUMERIC = 1700
_WIDEST_DIGITS = 38
_UNBOUNDED = -1


def sql_type(kind: pa.DataType) -> str:
    """The type of a column that holds values of an Arrow type."""
    if pa.types.is_decimal(kind):
        return f"numeric({kind.precision}, {kind.scale})"
    return _SQL_TYPES[str(kind)]


def fetched(connection: psycopg.Connection[Any], sql: str) -> pa.Table:
    """The answer of a query without parameters."""
    schema = _described(connection, sql)
    with connection.cursor().copy(f"COPY ({sql}) TO STDOUT (FORMAT csv)") as copy:
        data = b"".join((BOM_UTF8, *copy))  # which is left out: without it, one of the first text
    # Columns of a numeric without a scale: sums, of whole numbers mostly.
    unbounded = [at for at, field in enumerate(schema) if field.type == pa.null()]
    names = [str(at) for at in range(len(schema))]
    kinds = {
        name: pa.string() if at in unbounded else schema.field(at).type
        for at, name in enumerate(names)
    }
    if data == BOM_UTF8:
        table = pa.schema(list(kinds.items())).empty_table()
    else:
        table = csv.read_csv(
            pa.BufferReader(data),
            csv.ReadOptions(column_names=names, block_size=_BLOCK_BYTES),
            csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=kinds,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
    for at in unbounded:
        table = table.set_column(at, names[at], _numbers(table.column(at)))
    return table.rename_columns(schema.names).combine_chunks()


def _described(connection: psycopg.Connection[Any], sql: str) -> pa.Schema:
    """Names and types of a query's columns; the type null stands for a numeric without a scale."""
    pgconn = connection.pgconn
    for result in (pgconn.prepare(b"", sql.encode()), pgconn.describe_prepared(b"")):
        if result.status not in (psycopg.pq.ExecStatus.COMMAND_OK,):
            raise psycopg.errors.error_from_result(result)
    return pa.schema(
        (
            (result.fname(at) or b"").decode(),
            _arrow_type(result.ftype(at), result.fmod(at)),
        )
        for at in range(result.nfields)
    )


def _arrow_type(oid: int, modifier: int) -> pa.DataType:
    if oid != _NUMERIC:
        return _ARROW_TYPES.get(oid, pa.string())
    if modifier == _UNBOUNDED:
        return pa.null()
    packed = modifier - 4
    return pa.decimal128(packed >> 16, packed & 0x7FF)


def _numbers(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts of numerics as decimals of the widest type, with the decimal places that they have."""
    places = max((len(t.partition(".")[2]) for t in texts.to_pylist() if t), default=0)
    return texts.cast(pa.decimal128(_WIDEST_DIGITS, places))


def insert(
    cursor: psycopg.Cursor[Any],
    relation: str,
    batches: Iterable[pa.RecordBatch | pa.Table],
    columns: Sequence[str] = (),
) -> None:
    """Add rows to a table; their columns are the table's, in its order, or those that are named."""
    listed = f" ({', '.join(map(quoted, columns))})" if columns else ""
    options = csv.WriteOptions(include_header=False)
    with cursor.copy(f"COPY {relation}{listed} FROM STDIN (FORMAT csv)") as copy:
        for table in batches:
            some = table.to_batches(_ROWS_AT_ONCE) if isinstance(table, pa.Table) else [table]
            for batch in some:
                written = BytesIO()
                csv.write_csv(batch, written, options)
                copy.write(written.getvalue())


def quoted(name: str) -> str:
    """A name as SQL."""
    return '"' + name.replace('"', '""') + '"'
