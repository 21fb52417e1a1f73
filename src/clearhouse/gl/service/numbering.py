"""Numbers of entries and lines: gapless per period, and increasing in the order of recording.

Pure functions over columns: they are given the counters and return what follows. Whoever stores the
result holds the counters' rows until the commit, so that nothing is numbered twice or left out.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from clearhouse.core.errors import StoreError

LINES_A_DAY = 10_000_000
_ENTRIES_A_PERIOD = 1_000_000
_FIRST_DAY = dt.date(2000, 1, 1)


def day_number(day: dt.date) -> int:
    """The number of a day, by which ids begin."""
    return (day - _FIRST_DAY).days


def day_of(gl_entry_id: int) -> dt.date:
    """The day on which a line was recorded."""
    return _FIRST_DAY + dt.timedelta(days=gl_entry_id // LINES_A_DAY)


def ids_of(first: dt.date, last: dt.date) -> tuple[int, int]:
    """The least id of a day and the least id after another; lines between were recorded then."""
    return day_number(first) * LINES_A_DAY, (day_number(last) + 1) * LINES_A_DAY


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the numbers of a period are.

    Attributes:
        ordinal: of the period since the ledger was opened, from 1.
        last_number: the number of its last entry.
    """

    ordinal: int
    last_number: int


@dataclass(frozen=True)
class Entries:
    """Which lines make up which entry; an entry's lines stand together.

    Attributes:
        of_line: the entry of each line, from 0, in their order.
        starts: the first line of each entry.
    """

    of_line: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, table: pa.Table) -> "Entries":
        """The entries of lines, by `journal_entry`.

        Raises:
            StoreError: an entry's lines are apart (lines_apart), or do not balance (unbalanced).
        """
        encoded = table["journal_entry"].combine_chunks().dictionary_encode()
        of_line = encoded.indices.to_numpy().astype(np.int64)
        steps = np.diff(of_line, prepend=-1)
        if ((steps != 0) & (steps != 1)).any():
            raise StoreError("The lines of an entry stand apart.", "lines_apart")
        entries = cls(of_line, np.flatnonzero(steps))
        entries._check_balance(table)
        return entries

    def __len__(self) -> int:
        return len(self.starts)

    def sums(self, column: pa.ChunkedArray) -> NDArray[np.int64]:
        """A column of whole numbers, summed by entry."""
        return np.add.reduceat(column.to_numpy(), self.starts) if len(self) else np.empty(0, int)

    def first(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        """A column as the first line of each entry has it."""
        return column.take(pa.array(self.starts))

    def spread(self, values: pa.Array) -> pa.Array:
        """A value of each entry, for each of its lines."""
        return values.take(pa.array(self.of_line))

    def _check_balance(self, table: pa.Table) -> None:
        wrong = self.sums(table["debit_minor"]) != self.sums(table["credit_minor"])
        if wrong.any():
            first = table["journal_entry"][int(self.starts[np.flatnonzero(wrong)[0]])]
            raise StoreError(f"Debits and credits of {first} differ.", "unbalanced")


@dataclass(frozen=True)
class Numbered:
    """Lines with their numbers.

    Attributes:
        table: `LINE_SCHEMA`.
        entries: whose they are.
        numbers, journal_entries: of each entry.
        last_numbers: by period, for the counters.
    """

    table: pa.Table
    entries: Entries
    numbers: NDArray[np.int64]
    journal_entries: list[str]
    last_numbers: Mapping[str, int]

    @property
    def last_line(self) -> int:
        """The id of the last line."""
        return int(self.table["gl_entry_id"][-1].as_py())


def numbered(
    table: pa.Table,
    entries: Entries,
    counters: Mapping[str, Counter],
    last_line: int,
    recorded_on: dt.date,
) -> Numbered:
    """Lines under the numbers that follow the counters.

    Args:
        table: `LINE_SCHEMA`, in order of recording; at least one line.
        entries: whose they are.
        counters: by period.
        last_line: the id of the last line of the ledger.
        recorded_on: their day; not before that of the last line.
    """
    count = len(table)
    first_id = max(last_line, day_number(recorded_on) * LINES_A_DAY) + 1
    periods = np.asarray(entries.first(table["fiscal_period"]).to_pylist())
    numbers = np.zeros(len(entries), dtype=np.int64)
    ordinals = np.zeros(len(entries), dtype=np.int64)
    last_numbers = {}
    for name in dict.fromkeys(periods.tolist()):
        mine = np.flatnonzero(periods == name)
        counter = counters[name]
        numbers[mine] = counter.last_number + 1 + np.arange(len(mine))
        ordinals[mine] = counter.ordinal
        last_numbers[name] = counter.last_number + len(mine)
    names = [f"JE-{number:08d}" for number in (ordinals * _ENTRIES_A_PERIOD + numbers).tolist()]
    prefixes = [
        f"{period.replace('-', '')}-{number:06d}-"
        for period, number in zip(periods.tolist(), numbers.tolist(), strict=True)
    ]
    line_numbers = pc.utf8_lpad(table["line_number"].cast(pa.string()), 3, "0").combine_chunks()
    columns = {
        "line_id": pc.binary_join_element_wise(
            entries.spread(pa.array(prefixes)), line_numbers, ""
        ),
        "gl_entry_id": pa.array(np.arange(first_id, first_id + count)),
        "journal_entry": entries.spread(pa.array(names)),
        "entry_number": entries.spread(pa.array(numbers.astype(np.int32))),
        "recorded_on": pa.array([recorded_on], pa.date32()).take(pa.array(np.zeros(count, int))),
    }
    return Numbered(with_columns(table, columns), entries, numbers, names, last_numbers)


def with_columns(table: pa.Table, columns: Mapping[str, pa.Array]) -> pa.Table:
    """A table with some of its columns replaced."""
    for name, values in columns.items():
        table = table.set_column(
            table.schema.get_field_index(name), table.schema.field(name), values
        )
    return table
