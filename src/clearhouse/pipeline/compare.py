"""Two tables that should hold the same rows: by which record and column they differ."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from clearhouse.books.hop import MAX_NAMED
from clearhouse.core.columnar import query

SPINE_NAMES = ("_book_date", "_record_id")
"""The columns by which rows of a spine are told apart."""
_LONGEST = 120
"""Characters of a value that are shown: a raw line can be long."""


@dataclass(frozen=True)
class Differences:
    """What differs in one table on one day.

    Attributes:
        day: None for a table whose rows belong to no day.
        sentences: at most `MAX_NAMED`.
        count: how many there are.
    """

    day: dt.date | None
    sentences: tuple[str, ...]
    count: int


def differences(derived: pa.Table, stored: pa.Table, names: Sequence[str]) -> list[Differences]:
    """By which rows and columns a stored table is not what was derived again, by day.

    Args:
        derived: what it should hold.
        stored: what it holds.
        names: columns that tell rows apart. Where they don't, the rows alike by them are compared
            in any order.
    """
    found = _columns(derived, stored)
    shared = [name for name in derived.column_names if name in stored.column_names]
    keys = [name for name in names if name in shared]
    columns = ", ".join(map(_quoted, shared))
    tables = {"derived": derived, "stored": stored}
    both = {name: f"(SELECT {columns} FROM {name})" for name in tables}
    lacking = query(f"{both['derived']} EXCEPT ALL {both['stored']}", **tables)
    extra = query(f"{both['stored']} EXCEPT ALL {both['derived']}", **tables)
    if len(lacking) or len(extra):
        sql = _sql(shared, keys)
        answer = query(sql, lacking=lacking, extra=extra, derived=derived).to_pylist()
        by_day: dict[dt.date | None, list[str]] = {}
        totals = {row["day"]: row["total"] for row in answer}
        for row in answer:
            by_day.setdefault(row["day"], []).append(row["sentence"])
        found += [Differences(d, tuple(s), totals[d]) for d, s in by_day.items()]
    return found


def _columns(derived: pa.Table, stored: pa.Table) -> list[Differences]:
    gone = [name for name in derived.column_names if name not in stored.column_names]
    new = [name for name in stored.column_names if name not in derived.column_names]
    told = [f"the column {name} is missing" for name in gone]
    told += [f"the column {name} is not derived from anything" for name in new]
    kinds = [
        (f.name, f.type, stored.field(f.name).type) for f in derived.schema if f.name not in gone
    ]
    told += [  # of equal values, those of a float are no longer exact
        f"the column {name} is {is_} and should be {should}"
        for name, should, is_ in kinds
        if pa.types.is_decimal(should) and is_ != should
    ]
    return [Differences(None, tuple(told), len(told))] if told else []


def _sql(shared: Sequence[str], keys: Sequence[str]) -> str:
    """SQL for day, sentence and the day's total, from the rows that only one side has."""
    alike = " AND ".join(f"d.{_quoted(k)} IS NOT DISTINCT FROM s.{_quoted(k)}" for k in keys)
    is_key = " AND ".join(f"derived.{_quoted(k)} IS NOT DISTINCT FROM s.{_quoted(k)}" for k in keys)
    listed = ", ".join(map(_quoted, keys))
    nth = f"row_number() OVER (PARTITION BY {listed}) AS nth_of_key"
    changed = "\nUNION ALL ".join(
        f"""SELECT day, record, '{name} ' || {_shown(f"d.{_quoted(name)}")} || ' became '
            || {_shown(f"s.{_quoted(name)}")} AS what FROM pairs
        WHERE is_pair AND d.{_quoted(name)} IS DISTINCT FROM s.{_quoted(name)}"""
        for name in shared
        if name not in keys
    )
    return f"""
    WITH pairs AS (
        SELECT d, s, {_day(shared)} AS day, {_record(shared, keys)} AS record,
            d.nth_of_key IS NOT NULL AND s.nth_of_key IS NOT NULL AS is_pair,
            s.nth_of_key IS NULL AS is_missing,
            EXISTS (SELECT 1 FROM derived WHERE {is_key}) AS is_known
        FROM (SELECT *, {nth} FROM lacking) AS d
        FULL JOIN (SELECT *, {nth} FROM extra) AS s ON {alike} AND d.nth_of_key = s.nth_of_key
    ),
    named AS (
        SELECT day, record, CASE WHEN is_missing THEN 'the row is missing'
            WHEN is_known THEN 'the row is doubled' ELSE 'the row was invented' END AS what
        FROM pairs WHERE NOT is_pair
        UNION ALL {changed or "SELECT NULL, NULL, NULL WHERE false"}
    )
    SELECT day, record || ': ' || what AS sentence, count(*) OVER (PARTITION BY day) AS total
    FROM named
    QUALIFY row_number() OVER (PARTITION BY day ORDER BY record, what) <= {MAX_NAMED}
    ORDER BY day, record, what"""


def _day(shared: Sequence[str]) -> str:
    name = next((n for n in ("_book_date", "book_date") if n in shared), None)
    return _either(name) if name else "NULL::DATE"


def _record(shared: Sequence[str], keys: Sequence[str]) -> str:
    """How a row is called: its key and record id, or its names."""
    for key, record_id in (("_record_key", "_record_id"), ("record_key", "record_id")):
        if key in shared and record_id in shared:
            return f"{_shown(_either(key))} || ' (' || {_shown(_either(record_id))} || ')'"
    return " || ', ' || ".join(f"'{k} ' || {_shown(_either(k))}" for k in keys)


def _either(name: str) -> str:
    return f"coalesce(d.{_quoted(name)}, s.{_quoted(name)})"


def _shown(value: str) -> str:
    return f"coalesce(left(CAST({value} AS VARCHAR), {_LONGEST}), 'nothing')"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
