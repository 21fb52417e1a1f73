"""Frames for gates over rows: whole days at a time, so that a year is never in memory."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from clearhouse.core.columnar import Dialect
from clearhouse.engines.engine import Engine

_ROWS_IN_MEMORY = 400_000
"""Rows of one part, of which two are there at a time: some 160 MB each with what is made of them.
A part costs 0.2 s beside its rows."""


def listed_days(dialect: Dialect, days: Sequence[dt.date]) -> str:
    """SQL, to be used behind FROM, for days with their place among these: book_date, position."""
    rows = ", ".join(f"({dialect.date(day)}, {position})" for position, day in enumerate(days))
    return f"(SELECT * FROM (VALUES {rows}) AS listed(book_date, position))"


def in_parts(
    engine: Engine, records: Mapping[dt.date, int], sql: Callable[[Sequence[dt.date]], str]
) -> Iterator[pa.Table]:
    """The answers of a query of some days each. While one part is judged, the next is read.

    Args:
        engine: what answers.
        records: how many rows each of the days has.
        sql: the query for some days.
    """

    def read(part: Sequence[dt.date]) -> pa.Table:
        return engine.query(sql(part))

    with ThreadPoolExecutor(1) as pool:
        ahead: Future[pa.Table] | None = None
        for part in _parted(records):
            following = pool.submit(read, part)
            if ahead is not None:
                yield ahead.result()
            ahead = following
        if ahead is not None:
            yield ahead.result()


def _parted(records: Mapping[dt.date, int]) -> Iterator[list[dt.date]]:
    """The days, in parts that fit in memory."""
    part: list[dt.date] = []
    rows = 0
    for day, count in records.items():
        if part and rows + count > _ROWS_IN_MEMORY:
            yield part
            part, rows = [], 0
        part.append(day)
        rows += count
    if part:
        yield part
