"""Columnar work in memory: SQL over Arrow tables, by DuckDB, and the dialect that it speaks."""

import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from clearhouse.core.errors import StoreError, first_line
from clearhouse.core.money import exponents

_local = threading.local()

HASH_DIGITS = 15
USUAL_PLACES = 2
_NARROW_DIGITS = 18


class Dialect(Protocol):
    """What an engine's SQL writes otherwise than another's."""

    def hash_sum(self, amount_minor: str = "amount_minor") -> str:
        """The additive hash of a set of records: a sum over `_record_id`, amount and currency."""
        ...

    def row_hash(self, row: str) -> str:
        """A 64-bit hash of all values of a row, which can be summed up.

        It is quick, and tells that rows have changed. It is no proof: one can be made to fit.

        Args:
            row: the alias of the relation.
        """
        ...

    def minor_units(self, amount: str, currency: str, *, digits: int = 17) -> str:
        """The minor units, a 64-bit integer, of a decimal column of at most 4 places.

        Args:
            amount: the column, as SQL.
            currency: its currency's code, as SQL.
            digits: how many digits the amount's type has.
        """
        ...

    def date(self, day: dt.date) -> str:
        """A date."""
        ...

    def text(self, value: str) -> str:
        """A text."""
        ...


class DuckDBDialect:
    """SQL as DuckDB reads it, in memory and in files."""

    def hash_sum(self, amount_minor: str = "amount_minor") -> str:
        """See `Dialect`: the first 15 hex digits of an md5, as an integer, summed up."""
        text = f"_record_id || '|' || {amount_minor} || '|' || currency"
        return f"sum(('0x' || substr(md5({text}), 1, {HASH_DIGITS}))::BIGINT)"

    def row_hash(self, row: str) -> str:
        """See `Dialect`."""
        return f"hash({row})"

    def minor_units(self, amount: str, currency: str, *, digits: int = 17) -> str:
        """See `Dialect`. Exact for every ISO 4217 currency.

        DuckDB multiplies within 18 digits and fails beyond them, so that a wide amount is given
        room first, at twice the cost.
        """
        wide = f"CAST({amount} AS DECIMAL(30, 4))"
        cases = " ".join(
            f"WHEN {currency} IN ({codes}) THEN CAST({wide} * {10**places} AS BIGINT)"
            for places, codes in unusual_currencies()
        )
        usual = amount if digits + USUAL_PLACES <= _NARROW_DIGITS else wide
        return f"CASE {cases} ELSE CAST({usual} * {10**USUAL_PLACES} AS BIGINT) END"

    def date(self, day: dt.date) -> str:
        """See `Dialect`."""
        return f"DATE '{day}'"

    def text(self, value: str) -> str:
        """See `Dialect`."""
        return "'" + value.replace("'", "''") + "'"


def row_text(columns: Mapping[str, pa.DataType]) -> str:
    """DuckDB SQL of a row's text: a JSON array of its values in a line that a line feed ends.

    Rows that differ in a value differ in their texts. What JSON has no exact form for (decimals)
    stands in it as text.

    Args:
        columns: SQL of each value, and the type that it is taken as.
    """
    values = ", ".join(_exact(column, kind) for column, kind in columns.items())
    return f"CAST(json_array({values}) AS VARCHAR) || chr(10)"


def _exact(column: str, kind: pa.DataType) -> str:
    """A value as JSON can hold it exactly, whatever the session's time zone is."""
    if pa.types.is_decimal(kind):
        return f"CAST(CAST({column} AS DECIMAL({kind.precision}, {kind.scale})) AS VARCHAR)"
    if pa.types.is_timestamp(kind) and kind.tz:
        return f"epoch_us({column})"
    return column


@cache
def unusual_currencies() -> tuple[tuple[int, str], ...]:
    """Decimal places other than two, and the codes of the currencies that have them, as SQL."""
    codes: dict[int, list[str]] = {}
    for code, places in exponents().items():
        if places != USUAL_PLACES:
            codes.setdefault(places, []).append(f"'{code}'")
    return tuple((places, ", ".join(sorted(found))) for places, found in sorted(codes.items()))


DIALECT = DuckDBDialect()
"""The dialect of `query`."""


def dates(dialect: Dialect, days: Iterable[dt.date]) -> str:
    """Dates for an IN, separated by commas."""
    return ", ".join(map(dialect.date, days))


def read_parquet_sql(
    files: Sequence[str],
    *,
    alike: bool = False,
    with_filename: bool = False,
    partitions: Mapping[str, str] | None = None,
) -> str:
    """DuckDB SQL for the rows of Parquet files, whatever their folders are called.

    Args:
        files: their paths.
        alike: whether all have the same columns; otherwise each is opened for its columns' names,
            which for hundreds of files takes longer than most queries.
        with_filename: whether a column `filename` says which file a row is of.
        partitions: columns whose values the folders' names give as well (`column=value`), with
            their types. A query that asks for some values opens no other files.
    """
    listed = ", ".join(map(DIALECT.text, files))
    options = f"union_by_name = {str(not alike).lower()}"
    options += f", hive_partitioning = {str(bool(partitions)).lower()}"
    if partitions:
        types = ", ".join(f"'{name}': {kind}" for name, kind in partitions.items())
        options += f", hive_types = {{{types}}}"
    if with_filename:
        options += ", filename = true"
    return f"SELECT * FROM read_parquet([{listed}], {options})"


@contextmanager
def readable(store: str) -> Iterator[None]:
    """Say in one sentence which store can't be read.

    Raises:
        StoreError: a file is missing or damaged, or a column is not there.
    """
    try:
        yield
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        reason = first_line(error)
        raise StoreError(f"{store} can't be read: {reason}.", "store_unreadable") from error


def query(sql: str, parameters: list[Any] | None = None, **tables: pa.Table) -> pa.Table:
    """The answer of a DuckDB query over the Arrow tables given by name.

    Row order of a plain projection is the order of its table (DuckDB's default). Each thread has a
    connection of its own, so that threads don't wait for each other.
    """
    connection = getattr(_local, "connection", None)
    if connection is None:
        connection = _local.connection = duckdb.connect(":memory:")
        # In a notebook without widgets DuckDB shows none, and takes no setting of it.
        shows = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
        if shows == [(True,)]:
            connection.execute("SET enable_progress_bar = false")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # and not the machine's
    for name, table in tables.items():
        connection.register(name, table)
    try:
        return connection.sql(sql, params=parameters or []).to_arrow_table()
    finally:
        for name in tables:
            connection.unregister(name)
