"""Digests of rows: SHA-256 over what must be equal, column by column.

The digest of a day's rows is the SHA-256 of a text: how many rows there are, and a line a column
with its name, its type and the SHA-256 of its values, in order of record id. Rows with the same
record id are in order of their values, from the first column to the last. Of a column there is
first a byte a row (1, or 0 for a null), then the values: numbers in little-endian order, dates as
days and moments as microseconds since 1970, decimals as 16 bytes of their last place, booleans as a
byte; of texts first the lengths in bytes as 4-byte numbers, then the UTF-8. A null is a zero or an
empty text there.

Stores give their rows as Arrow columns, whose memory is laid out so: nothing is turned into text,
and the digest over fewer columns is known as well.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clearhouse.core.columnar import query

FORM = "2"
"""Version of the definition above. Digests of another one say nothing about rows of today."""
NO_ROWS = hashlib.sha256().hexdigest()
"""The digest of nothing."""
DAY = "_book_date"

_ID = "_record_id"
_NARROW_BITS = 32
_NOTHING = {"string": "", "uint8": 0, "int32": 0, "int64": 0}
"""What stands for a null, by type; of decimals it is zero."""
_DAYS_AT_ONCE = 64
"""Of so many, rows are held in memory."""

Rows = Callable[[Sequence[dt.date], Sequence[str]], pa.Table]
"""Rows of days: their day, the spine's columns and the content that is asked for."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A day's rows: how many, and by column its type and the SHA-256 of its values.

    Attributes:
        ids_differ: no record id stands twice, so that the order of rows is that of the ids alone.
    """

    rows: int
    hashes: Mapping[str, str]
    ids_differ: bool = True

    def tell(self, names: Iterable[str]) -> bool:
        """Whether the digest over some of the columns follows from them."""
        wanted = {*names}
        return wanted == self.hashes.keys() or (self.ids_differ and wanted <= self.hashes.keys())

    def digest(self, names: Iterable[str]) -> str:
        """The digest over some columns."""
        if not self.rows:
            return NO_ROWS
        lines = [f"{self.rows} rows\n", *(f"{name} {self.hashes[name]}\n" for name in names)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class DigestMemory:
    """What was hashed of days whose rows have not changed since."""

    _known: dict[dt.date, tuple[Hashable, Columns]] = field(default_factory=dict, repr=False)

    def digests(
        self,
        rows: Rows,
        states: Mapping[dt.date, Hashable | None],
        content: Sequence[str],
        names: Sequence[str],
        widest: Sequence[str] = (),
    ) -> dict[dt.date, str]:
        """The digest of each day's rows.

        Args:
            rows: asks the store.
            states: the days, and what changes with the rows of each; None where nothing tells.
            content: the content that is asked for.
            names: the columns of rows with that content.
            widest: the content that is read, where more will be asked for next.
        """
        found = {
            day: known
            for day, state in states.items()
            if (known := self._columns(day, state)) is not None and known.tell(names)
        }
        for read in dict.fromkeys((tuple(widest or content), tuple(content))):
            lacking = [day for day in states if day not in found]
            hashed = dict(hashed_days(rows, lacking, read))
            self._known.update(
                {day: (states[day], c) for day, c in hashed.items() if not self._knows_more(day, c)}
            )
            found |= {day: columns for day, columns in hashed.items() if columns.tell(names)}
        return {day: found[day].digest(names) for day in states}

    def _knows_more(self, day: dt.date, columns: Columns) -> bool:
        """Whether more columns are known of a day: their rows may be asked for again."""
        _, known = self._known.get(day, (None, columns))
        return len(known.hashes) > len(columns.hashes)

    def _columns(self, day: dt.date, state: Hashable | None) -> Columns | None:
        before, columns = self._known.get(day, (None, None))
        return columns if state is not None and state == before else None


def digests_asked(
    rows: Rows, days: Sequence[dt.date], content: Sequence[str]
) -> dict[dt.date, str]:
    """The digest of each day's rows, over all columns that a store gives."""
    hashed = hashed_days(rows, days, content)
    return {day: columns.digest(columns.hashes) for day, columns in hashed}


def digests_of(rows: pa.Table, days: Iterable[dt.date]) -> dict[dt.date, str]:
    """The digest of each day's rows, over all of their columns."""
    return {day: columns.digest(columns.hashes) for day, columns in columns_of(rows, days)}


def hashed_days(
    rows: Rows, days: Sequence[dt.date], content: Sequence[str]
) -> Iterator[tuple[dt.date, Columns]]:
    """The columns of each day's rows, asked for some days at a time: a year of them is too much.

    Some days are hashed while the next ones are asked for.
    """
    parts = [days[at : at + _DAYS_AT_ONCE] for at in range(0, len(days), _DAYS_AT_ONCE)]
    with ThreadPoolExecutor(1) as pool:
        hashing = None
        for some in parts:
            asked = rows(some, content)
            if hashing is not None:
                yield from hashing.result()
            hashing = pool.submit(columns_of, asked, some)
        if hashing is not None:
            yield from hashing.result()


def columns_of(rows: pa.Table, days: Iterable[dt.date]) -> list[tuple[dt.date, Columns]]:
    """The columns of each day's rows."""
    ordered = rows if _is_ordered(rows) else _ordered(rows)
    numbers = ordered[DAY].cast(pa.int32()).to_numpy()
    values = ordered.drop_columns([DAY])
    found = []
    for day in days:
        number = (day - dt.date(1970, 1, 1)).days
        first, end = np.searchsorted(numbers, [number, number + 1])
        found.append((day, _columns(values.slice(first, end - first))))
    return found


def _is_ordered(rows: pa.Table) -> bool:
    """Whether rows are in order of day and record id, which stands once a day."""
    days, ids = rows[DAY], rows[_ID]
    count = len(rows) - 1
    if count < 1:
        return True
    is_next_day = pc.less(days.slice(0, count), days.slice(1))
    is_same_day = pc.equal(days.slice(0, count), days.slice(1))
    is_next_id = pc.less(ids.slice(0, count), ids.slice(1))
    in_order = pc.or_(is_next_day, pc.and_(is_same_day, is_next_id))
    return bool(pc.all(pc.fill_null(in_order, False)).as_py())


def _ordered(rows: pa.Table) -> pa.Table:
    return query(f"SELECT * FROM rows ORDER BY {DAY}, {_ID} NULLS LAST", rows=rows)


def _columns(rows: pa.Table) -> Columns:
    """The columns of the rows of one day, which are in order of record id."""
    columns = {
        name: (column.type, _comparable(_one_chunk(column)))
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    }
    ids_differ = _differ(columns[_ID][1])
    if not ids_differ:
        table = pa.table({name: values for name, (_, values) in columns.items()})
        order = pc.sort_indices(table, sort_keys=[(name, "ascending") for name in columns])
        columns = {name: (kind, values.take(order)) for name, (kind, values) in columns.items()}
    hashes = {name: f"{kind} {_hash(values)}" for name, (kind, values) in columns.items()}
    return Columns(len(rows), hashes, ids_differ)


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _differ(ids: pa.Array) -> bool:
    """Whether ids in order are all different, and at most one is null."""
    repeated = pc.equal(ids.slice(0, max(0, len(ids) - 1)), ids.slice(1))
    return ids.null_count < 2 and not pc.any(repeated, min_count=0).as_py()


def _comparable(values: pa.Array) -> pa.Array:
    """Values that are equal where they are the same: 0.0 and -0.0 are not, and all NaN are."""
    kind = values.type
    if pa.types.is_boolean(kind):
        return values.cast(pa.uint8())
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(values), pa.scalar(np.nan, kind), values).view(pa.int64())
    if pa.types.is_temporal(kind):
        return values.view(pa.int32() if kind.bit_width == _NARROW_BITS else pa.int64())
    return values


def _hash(values: pa.Array) -> str:
    """SHA-256 hex of the values of a column, as they are written down above."""
    hashed = hashlib.sha256()
    if values.null_count:
        hashed.update(_bytes(values.is_valid().cast(pa.uint8())))
        nothing = _NOTHING.get(str(values.type), Decimal(0))
        values = values.fill_null(pa.scalar(nothing, values.type))
    else:
        hashed.update(b"\x01" * len(values))
    if pa.types.is_string(values.type):
        _, offsets, data = values.buffers()
        ends = np.frombuffer(offsets, "<i4", len(values) + 1, values.offset * 4)
        hashed.update(np.diff(ends).tobytes())
        hashed.update(memoryview(data or b"")[ends[0] : ends[-1]])
    else:
        hashed.update(_bytes(values))
    return hashed.hexdigest()


def _bytes(values: pa.Array) -> memoryview:
    """The memory of values of one width."""
    width = values.type.bit_width // 8
    return memoryview(values.buffers()[1])[values.offset * width :][: len(values) * width]
