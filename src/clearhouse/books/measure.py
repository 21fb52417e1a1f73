"""Totals as queries over a store: records, the additive hash and the amounts by currency.

The hash of a set is the sum over its records of the first 15 hex digits of md5(S) as an integer,
S = `_record_id|amount_minor|currency`. It adds up like money, and every engine can compute it.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping

import pyarrow as pa

from clearhouse.books.model import HASH, MINOR, RECORDS, Totals
from clearhouse.core.columnar import query
from clearhouse.core.money import iso_exponents

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

HASH_DIGITS = 15
_USUAL_PLACES = 2
_NARROW_DIGITS = 18

DUCKDB_HASH = (
    "sum(('0x' || substr(md5(_record_id || '|' || amount_minor || '|' || currency), "
    f"1, {HASH_DIGITS}))::BIGINT)"
)


def record_hash(record_id: str, amount_minor: int, currency: str) -> int:
    """One record's part of the hash: the definition that each engine's SQL keeps to."""
    text = f"{record_id}|{amount_minor}|{currency}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:HASH_DIGITS], 16)


def totals_sql(relation: str, *by: str) -> str:
    """DuckDB SQL that sums up a relation of spine rows by book date and currency, and `by` more."""
    grain = ", ".join([*by, "_book_date", "currency"])
    return f"""
        SELECT {grain}, count(*) AS records, {DUCKDB_HASH}::VARCHAR AS hash,
            sum(amount_minor)::VARCHAR AS minor
        FROM ({relation}) GROUP BY ALL ORDER BY ALL"""


def minor_sql(amount: str = "amount", currency: str = "currency", *, digits: int = 17) -> str:
    """SQL for the minor units of a decimal column of at most 4 places.

    Exact for every ISO 4217 currency.

    Args:
        amount: the column, as SQL.
        currency: the column with its currency's code, as SQL.
        digits: how many digits the amount's type has. DuckDB multiplies within 18 and fails beyond
            them, so that a wide one is given room first, at twice the cost.
    """
    wide = f"CAST({amount} AS DECIMAL(30, 4))"
    special: dict[int, list[str]] = {}
    for code, places in iso_exponents().items():
        if places != _USUAL_PLACES:
            special.setdefault(places, []).append(f"'{code}'")
    cases = " ".join(
        f"WHEN {currency} IN ({', '.join(sorted(codes))}) "
        f"THEN CAST({wide} * {10**places} AS BIGINT)"
        for places, codes in sorted(special.items())
    )
    usual = amount if digits + _USUAL_PLACES <= _NARROW_DIGITS else wide
    return f"CASE {cases} ELSE CAST({usual} * {10**_USUAL_PLACES} AS BIGINT) END"


def totals_by_day(answer: pa.Table) -> dict[dt.date, Totals]:
    """The answer of `totals_sql` as totals of each day that has records."""
    found: dict[dt.date, dict[str, int]] = {}
    for row in answer.to_pylist():
        day = found.setdefault(row["_book_date"], {RECORDS: 0, HASH: 0})
        day[RECORDS] += row["records"]
        day[HASH] += int(row["hash"])
        day[MINOR + row["currency"]] = int(row["minor"])
    return {day: Totals(measures) for day, measures in found.items()}


def totals_of(rows: pa.Table) -> dict[dt.date, Totals]:
    """Totals of spine rows held in memory, by day."""
    return totals_by_day(query(totals_sql("SELECT * FROM spine_rows"), spine_rows=rows))


def filled(found: Mapping[dt.date, Totals], days: Iterable[dt.date]) -> dict[dt.date, Totals]:
    """Totals for every day asked for: nothing found is a total of nothing."""
    return {day: found.get(day, Totals()) for day in days}
