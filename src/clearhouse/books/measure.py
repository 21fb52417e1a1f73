"""Totals as queries over a store: records, the additive hash and the amounts by currency.

The hash of a set is the sum over its records of the first 15 hex digits of md5(S) as an integer,
S = `_record_id|amount_minor|currency`. It adds up like money, and every engine can compute it. A
sum can be forged, so that beside it stands the SHA-256 of the rows' texts.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

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

TEXT_SCHEMA = pa.schema([("_book_date", pa.date32()), ("text", pa.string())])
FIELD = "field:"
"""Before the name of a column of the contract, where it stands beside the spine's."""

_DAYS_AT_ONCE = 64
"""Of so many, texts are held in memory. They are worked out for all at once."""

NO_ROWS = hashlib.sha256().hexdigest()
"""The digest of nothing."""


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


def texts_sql(
    relation: str, content: Mapping[str, pa.DataType], *, dialect: Dialect = DIALECT
) -> str:
    """SQL of each row's text: the spine's values as JSON.

    With columns of the contract it would be long: it is the record id then, and the SHA-256 of the
    JSON of all values.
    """
    fields = {f'"{FIELD}{name}"': kind for name, kind in content.items()}
    spine = {field.name: field.type for field in SPINE_SCHEMA if field.name != "_book_date"}
    text = dialect.row_text({**spine, **fields})
    if content:
        text = f"coalesce(_record_id, '') || ' ' || {dialect.sha256(text)} || chr(10)"
    return f"SELECT _book_date, {text} AS text FROM ({relation}) AS spine"


def texts_of(rows: pa.Table) -> pa.Table:
    """The texts of spine rows held in memory."""
    return query(texts_sql("SELECT * FROM spine_rows", {}), spine_rows=rows)


def digests_asked(
    texts: Callable[[Sequence[dt.date], Sequence[str]], pa.Table],
    days: Sequence[dt.date],
    content: Sequence[str],
) -> dict[dt.date, str]:
    """Digests of texts that are asked for some days at a time: a year of them is too much."""
    found: dict[dt.date, str] = {}
    for at in range(0, len(days), _DAYS_AT_ONCE):
        some = days[at : at + _DAYS_AT_ONCE]
        found |= digests_of(texts(some, content), some)
    return found


def digests_of(texts: pa.Table, days: Iterable[dt.date]) -> dict[dt.date, str]:
    """SHA-256 hex of each day's texts, put in order: what `sort | sha256sum` gives.

    A text begins with the record id, so this is the order of record ids, and of whole texts where
    an id stands twice.
    """
    found = {}
    for day in days:
        some = texts["text"].filter(pc.equal(texts["_book_date"], day)).combine_chunks()
        ordered = some.take(pc.sort_indices(some))
        data = ordered.buffers()[2] if len(ordered) else None
        found[day] = hashlib.sha256(data or b"").hexdigest()
    return found


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
