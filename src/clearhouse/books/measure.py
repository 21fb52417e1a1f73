"""Totals as queries over a store: records, the additive hash and the amounts by currency.

The hash of a set is the sum over its records of the first 15 hex digits of md5(S) as an integer,
S = `_record_id|amount_minor|currency`. It adds up like money, and every engine can compute it. A
sum can be forged, so that beside it stands a digest of the rows (`books.digests`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from clearhouse.books.digests import DAY, NO_ROWS
from clearhouse.books.model import HASH, MINOR, RECORDS, Totals
from clearhouse.core.columnar import DIALECT, HASH_DIGITS, Dialect, query
from clearhouse.core.money import NO_CURRENCY

SPINE_SCHEMA = pa.schema(
    [
        ("_book_date", pa.date32()),
        ("_record_id", pa.string()),
        ("_record_key", pa.string()),
        ("amount_minor", pa.int64()),
        ("currency", pa.string()),
    ]
)
"""What every store can be asked for: its spine rows."""

FIELD = "field:"
"""Before the name of a column of the contract, where it stands beside the spine's."""


def rows_schema(fields: pa.Schema, content: Iterable[str]) -> pa.Schema:
    """What a store is asked for: spine rows with some columns of the contract beside them."""
    kinds = (fields.field(name).with_name(FIELD + name) for name in content)
    return pa.schema([*SPINE_SCHEMA, *kinds])


def digested(content: Iterable[str]) -> list[str]:
    """The columns that a digest of rows with some content is over."""
    spine = [name for name in SPINE_SCHEMA.names if name != DAY]
    return spine + [FIELD + name for name in content]


class Counted(NamedTuple):
    """Totals of rows, and their digest."""

    totals: Totals = Totals()
    digest: str = NO_ROWS


def record_hash(record_id: str, amount_minor: int, currency: str) -> int:
    """One record's part of the hash: the definition that each engine's SQL keeps to."""
    text = f"{record_id}|{amount_minor}|{currency}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:HASH_DIGITS], 16)


def totals_sql(relation: str, *by: str, dialect: Dialect = DIALECT) -> str:
    """SQL that sums up a relation of spine rows by book date and currency, and `by` more."""
    grain = ", ".join([*by, "_book_date", "currency"])
    return f"""
        SELECT {grain}, count(*) AS records, CAST({dialect.hash_sum()} AS VARCHAR) AS hash,
            CAST(sum(amount_minor) AS VARCHAR) AS minor
        FROM ({relation}) AS spine GROUP BY {grain} ORDER BY {grain}"""


def totals_by_day(answer: pa.Table) -> dict[dt.date, Totals]:
    """The answer of `totals_sql` as totals of each day that has records."""
    found: dict[dt.date, dict[str, int]] = {}
    for row in answer.to_pylist():
        day = found.setdefault(row["_book_date"], {RECORDS: 0, HASH: 0})
        day[RECORDS] += row["records"]
        # A store that was tampered with may hold NULLs: they add nothing, and so are found.
        day[HASH] += int(row["hash"] or 0)
        day[MINOR + (row["currency"] or NO_CURRENCY)] = int(row["minor"] or 0)
    return {day: Totals(measures) for day, measures in found.items()}


def totals_of(rows: pa.Table) -> dict[dt.date, Totals]:
    """Totals of spine rows held in memory, by day."""
    return totals_by_day(query(totals_sql("SELECT * FROM spine_rows"), spine_rows=rows))


def filled(found: Mapping[dt.date, Totals], days: Iterable[dt.date]) -> dict[dt.date, Totals]:
    """Totals for every day asked for: nothing found is a total of nothing."""
    return {day: found.get(day, Totals()) for day in days}
