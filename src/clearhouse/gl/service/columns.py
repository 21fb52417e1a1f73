"""Lines between Arrow and the store: the same columns, with decimals as whole numbers."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.gl.service.tables import stored_name
from clearhouse.sandbox.gl.schema import LINE_SCHEMA

_WHOLE = pa.decimal128(38, 0)
_CENTS = pa.decimal128(18, 2)
STORED_SCHEMA = pa.schema(
    [
        pa.field(stored_name(f.name), pa.int64() if pa.types.is_decimal(f.type) else f.type)
        for f in LINE_SCHEMA
    ]
)
NAMES = tuple(STORED_SCHEMA.names)


def to_stored(table: pa.Table) -> pa.Table:
    """Lines (`LINE_SCHEMA`) as they are stored (`STORED_SCHEMA`)."""
    columns = [
        _unscaled(column) if pa.types.is_decimal(column.type) else column
        for column in table.select(LINE_SCHEMA.names).columns
    ]
    return pa.table(columns, schema=STORED_SCHEMA)


def from_rows(rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Lines (`LINE_SCHEMA`) of rows as the driver gives them, in the order of `NAMES`."""
    values = zip(*rows, strict=True) if rows else ((),) * len(NAMES)
    columns = []
    for cells, stored, wanted in zip(values, STORED_SCHEMA, LINE_SCHEMA, strict=True):
        is_text = pa.types.is_temporal(stored.type) and any(isinstance(x, str) for x in cells)
        array = pa.array(cells, pa.string() if is_text else stored.type)  # as SQLite's dates are
        array = array.cast(stored.type) if is_text else array
        columns.append(_scaled(array, wanted.type) if stored.type != wanted.type else array)
    return pa.table(columns, schema=LINE_SCHEMA)


def as_records(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as the driver gives them, each as `wire` writes it: for some, quicker than by column."""
    return [_as_record(row) for row in rows]


def _as_record(row: Sequence[Any]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for name, write, value in zip(_WIRE_NAMES, _WRITERS, row, strict=True):
        record[name] = value if write is None or value is None else write(value)
        if name == "credit":
            record["amount"] = _places(row[_DEBIT] - value, 2)
    return record


def _places(units: int, places: int) -> str:
    """Units of the last place as text with all places, exactly."""
    digits = str(abs(units)).rjust(places + 1, "0")
    return f"{'-' if units < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def _moment(value: str | dt.datetime) -> str:
    """A moment in ISO 8601; without a fraction where it is zero."""
    text = value if isinstance(value, str) else value.isoformat()
    return text.replace(" ", "T").removesuffix(".000000")


def _writer(field: pa.Field) -> Callable[[Any], Any] | None:
    """How a value of a field becomes one of JSON; None: as it is."""
    if field.name in ("debit_minor", "credit_minor"):
        return lambda cents: _places(cents, 2)
    if pa.types.is_decimal(field.type):
        return lambda units: _places(units, field.type.scale)
    if pa.types.is_timestamp(field.type):
        return _moment
    return str if pa.types.is_date(field.type) else None


_WRITERS = [_writer(field) for field in LINE_SCHEMA]
_WIRE_NAMES = [name.removesuffix("_minor") for name in LINE_SCHEMA.names]
_DEBIT = LINE_SCHEMA.get_field_index("debit_minor")


def for_sqlite(table: pa.Table) -> list[tuple[Any, ...]]:
    """Stored lines as rows; dates and moments are texts there."""
    columns = [
        column.cast(pa.string()) if pa.types.is_temporal(column.type) else column
        for column in table.columns
    ]
    return list(zip(*(column.to_pylist() for column in columns), strict=True))


def published(table: pa.Table) -> pa.Table:
    """Lines as CSV and Parquet have them: `debit`, `credit` and `amount` in dollars, exactly."""
    debit = _scaled(table["debit_minor"].combine_chunks(), _CENTS)
    credit = _scaled(table["credit_minor"].combine_chunks(), _CENTS)
    amount = pc.subtract(debit, credit).cast(_CENTS)
    at = table.schema.get_field_index("debit_minor")
    table = table.set_column(at, "debit", debit).set_column(at + 1, "credit", credit)
    return table.add_column(at + 2, "amount", amount)


def _unscaled(column: pa.ChunkedArray) -> pa.Array:
    """Decimals as whole numbers of their last place: the same bytes, read otherwise."""
    array = _one_chunk(column)
    return pa.Array.from_buffers(
        _WHOLE, len(array), array.buffers(), array.null_count, array.offset
    ).cast(pa.int64())


def _scaled(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """The inverse of `_unscaled`."""
    wide = _one_chunk(array).cast(_WHOLE)
    return pa.Array.from_buffers(kind, len(wide), wide.buffers(), wide.null_count, wide.offset)


def _one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
