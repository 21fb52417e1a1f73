"""Bronze tables: Apache Iceberg through pyiceberg, partitioned by book date, replaced by day.

Every commit carries `{book date: entry id}` of the days it wrote in its snapshot's properties, so
that a run after a crash knows what was committed. Readers get the planned files of one snapshot.
"""

import datetime as dt
import json
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import stamina

from clearhouse.books.digests import DAY, DigestMemory
from clearhouse.books.measure import (
    FIELD,
    digested,
    filled,
    rows_schema,
    totals_by_day,
    totals_sql,
)
from clearhouse.books.model import Totals
from clearhouse.core.columnar import DIALECT, query, read_parquet_sql, readable
from clearhouse.core.contract import Contract
from clearhouse.core.contract.amounts import amount_sql
from clearhouse.core.environment import take_no_foreign_settings
from clearhouse.core.errors import StoreError, first_line
from clearhouse.core.paths import file_state
from clearhouse.lake.expiry import ENTRIES, entries_of, expire

if TYPE_CHECKING:  # pyiceberg takes a while to import, and many commands never open a table
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.expressions import BooleanExpression
    from pyiceberg.table import Table

_PARTITION = "_book_date"
_FILE = "file://"
_COMMIT_ATTEMPTS = 5
_FEW_DAYS = 8
"""So many are planned by themselves: what is planned for them does not grow with the table."""
_EPOCH = dt.date(1970, 1, 1)
_LONGEST_REASON = 200


def preload() -> None:
    """Import pyiceberg and its SQL catalog: about half a second, best spent while others wait."""
    take_no_foreign_settings()
    import_module("pyiceberg.catalog.sql")


class Lake:
    """The bronze tables of one catalog.

    Args:
        catalog_url: SQLAlchemy URL of the SQL catalog.
        warehouse: folder that the tables' files are under.
    """

    def __init__(self, catalog_url: str, warehouse: Path) -> None:
        self._url = catalog_url
        self._warehouse = warehouse
        self._planned: dict[str, tuple[int, Mapping[dt.date, Sequence[str]]]] = {}

    @cached_property
    def _catalog(self) -> "SqlCatalog":
        take_no_foreign_settings()
        from pyiceberg.catalog.sql import SqlCatalog

        Path(self._url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        self._warehouse.mkdir(parents=True, exist_ok=True)
        # Not as_uri(): pyiceberg takes what follows file:// as it stands, escapes and all.
        location = f"{_FILE}{self._warehouse.resolve()}"
        return SqlCatalog("clearhouse", uri=self._url, warehouse=location)

    def replace_days(self, name: str, rows: pa.Table, entries: Mapping[dt.date, str]) -> None:
        """Put rows in place of all rows of the days in `entries`, in one commit.

        Args:
            name: `<domain>.<dataset>`; the table is made when it is not there, and gets a new
                column when the rows have one.
            rows: rows of these days only; a day without rows becomes empty.
            entries: the books' entry id of each day, which goes into the commit.
        """
        from pyiceberg.exceptions import CommitFailedException, ValidationException

        days = sorted(entries)
        if not set(rows[_PARTITION].unique().to_pylist()) <= set(days):
            raise StoreError(f"Rows for {name} are dated outside the days to be replaced.")
        properties = {ENTRIES: json.dumps({str(d): entries[d] for d in days})}
        for attempt in stamina.retry_context(
            on=(CommitFailedException, ValidationException), attempts=_COMMIT_ATTEMPTS
        ):
            with attempt, warnings.catch_warnings():
                # A day that was empty is no reason to warn.
                warnings.filterwarnings("ignore", message="Delete operation did not match")
                table = self._table(name, rows.schema)
                # To look for rows of new days, pyiceberg would go through the whole table's plan.
                there = sorted(entries_of(table).keys() & entries.keys())
                if there:
                    table.overwrite(rows, _on(there), snapshot_properties=properties)
                else:
                    table.append(rows, snapshot_properties=properties)
        with _whole(name):
            expire(table)

    def entries(self, name: str) -> dict[dt.date, str]:
        """The entry id that was last written for each day, as the commits themselves say."""
        table = self._existing(name)
        return entries_of(table) if table else {}

    def files(self, name: str, days: Sequence[dt.date] | None = None) -> list[str]:
        """Paths of the Parquet files of the current snapshot, of some days or of all."""
        return sorted(path for some in self.files_by_day(name, days).values() for path in some)

    def files_by_day(
        self, name: str, days: Sequence[dt.date] | None = None
    ) -> Mapping[dt.date, Sequence[str]]:
        """The same, by day; a day without rows may be left out."""
        table = self._existing(name)
        snapshot = table.current_snapshot() if table else None
        if table is None or snapshot is None:
            return {}
        planned = self._planned.get(name)
        if planned is None or planned[0] != snapshot.snapshot_id:
            if days is not None and len(days) <= _FEW_DAYS:
                with _whole(name):
                    return _files_by_day(table, _on(days))
            # The whole table, once a snapshot: a plan for hundreds of days takes ten times as long.
            with _whole(name):
                planned = self._planned[name] = (snapshot.snapshot_id, _files_by_day(table))
        return planned[1] if days is None else {day: planned[1].get(day, ()) for day in days}

    def forget(self, name: str) -> None:
        """Take a table out of the catalog, so that it is made anew. Its files are left alone."""
        from pyiceberg.exceptions import NoSuchTableError

        # Not by loading it: what it names may have been moved or lost.
        with suppress(NoSuchTableError):
            self._catalog.drop_table(name)

    def columns(self, name: str) -> pa.Schema | None:
        """The Arrow schema of a table, or None where there is no such table."""
        table = self._existing(name)
        return table.schema().as_arrow() if table else None

    def _existing(self, name: str) -> "Table | None":
        from pyiceberg.exceptions import NoSuchTableError

        with _whole(name), suppress(NoSuchTableError):
            return self._catalog.load_table(name)
        return None

    def _table(self, name: str, schema: pa.Schema) -> "Table":
        from pyiceberg.transforms import IdentityTransform

        table = self._existing(name)
        if table is None:
            self._catalog.create_namespace_if_not_exists(name.split(".", maxsplit=1)[0])
            properties = {
                "format-version": "2",
                "write.parquet.compression-codec": "zstd",
                "write.parquet.compression-level": "1",
                # Metadata files would pile up, and commits slow down with their number.
                "write.metadata.delete-after-commit.enabled": "true",
                "write.metadata.previous-versions-max": "5",
            }
            # In one commit: a table made by a run that was killed has its partitions, or is not.
            with (
                self._catalog.create_table_transaction(
                    name, schema=schema, properties=properties
                ) as new_table,
                new_table.update_spec() as spec,
            ):
                spec.add_field(_PARTITION, IdentityTransform(), _PARTITION)
            table = self._catalog.load_table(name)
        elif set(schema.names) - {f.name for f in table.schema().fields}:
            with table.update_schema() as update:
                update.union_by_name(schema)
        return table


def _signs_of_damage() -> tuple[type[Exception], ...]:
    from pyiceberg.exceptions import ValidationError
    from sqlalchemy.exc import DatabaseError

    of_files = (OSError, ValueError, TypeError, LookupError, AssertionError, zlib.error)
    return (*of_files, RecursionError, ValidationError, DatabaseError)


@contextmanager
def _whole(table: str) -> Iterator[None]:
    """Say in one sentence that what describes a table's files is damaged.

    Raises:
        StoreError: metadata or a manifest is missing, or is not what was written.
    """
    try:
        yield
    except _signs_of_damage() as error:
        if type(error).__name__ == "OperationalError":  # another program has the catalog now
            raise
        reason = first_line(error)[:_LONGEST_REASON]
        raise StoreError(
            f"{table} can't be read: its metadata is damaged ({reason}).", "store_unreadable"
        ) from error


def _on(days: Sequence[dt.date]) -> "BooleanExpression":
    from pyiceberg.expressions import In

    # The type hints of pyiceberg's expressions are those of pydantic's generated constructor.
    return In(_PARTITION, days)  # type: ignore[misc,call-arg,arg-type]


def _files_by_day(
    table: "Table", condition: "BooleanExpression | None" = None
) -> dict[dt.date, list[str]]:
    """The current snapshot's files by the day that they are partitioned by."""
    found: dict[dt.date, list[str]] = {}
    scan = table.scan() if condition is None else table.scan(row_filter=condition)
    for task in scan.plan_files():
        day = _EPOCH + dt.timedelta(days=task.file.partition[0])
        found.setdefault(day, []).append(task.file.file_path.removeprefix(_FILE))
    return found


@dataclass(frozen=True)
class BronzeSpine:
    """The rows of one bronze table as the books see them.

    Iceberg's data files are written once. What was measured of a file counts for as long as this
    object lives and the file has the same size and time of change; each hop and audit of one run
    would otherwise read the same files again.
    """

    lake: Lake
    table: str
    contract: Contract
    fields: pa.Schema
    _digests: DigestMemory = field(default_factory=DigestMemory)
    _measured: dict[tuple[str, int, int], dict[dt.date, Totals]] = field(default_factory=dict)

    def totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        """Totals of each of the days, from the files of the current snapshot."""
        with readable(self.table):
            return self._totals(days)

    def _totals(self, days: Sequence[dt.date]) -> Mapping[dt.date, Totals]:
        states = {file_state(path): path for path in self.lake.files(self.table, days)}
        unknown = {path: state for state, path in states.items() if state not in self._measured}
        if unknown:
            files = read_parquet_sql(list(unknown), with_filename=True)
            answer = query(
                totals_sql(f"SELECT {self._columns}, filename FROM ({files})", "filename")
            )
            for path, state in unknown.items():
                rows = answer.filter(pc.field("filename") == path)
                self._measured[state] = totals_by_day(rows)
        found: dict[dt.date, Totals] = {}
        for state in states:
            for day, totals in self._measured[state].items():
                found[day] = found.get(day, Totals()) + totals
        return filled({day: found[day] for day in days if day in found}, days)

    def digests(self, days: Sequence[dt.date], content: Sequence[str]) -> Mapping[dt.date, str]:
        """The digest of each day's rows."""
        files = self.lake.files_by_day(self.table, days)
        states = {day: tuple(map(file_state, sorted(files.get(day, ())))) for day in days}
        # The next hop asks for columns of the contract.
        widest = self.fields.names
        return self._digests.digests(self.rows, states, content, digested(content), widest)

    def rows(self, days: Sequence[dt.date], content: Sequence[str] = ()) -> pa.Table:
        """The rows, as `SPINE_SCHEMA` and the content, in order of day and record id."""
        schema = rows_schema(self.fields, content)
        sql = self._of(days, content)
        with readable(self.table):
            in_order = f"{sql} ORDER BY {DAY}, _record_id"
            return query(in_order).cast(schema) if sql else schema.empty_table()

    def _of(self, days: Sequence[dt.date], content: Sequence[str]) -> str:
        files = self.lake.files(self.table, days)
        fields = "".join(f', {name} AS "{FIELD}{name}"' for name in content)
        return f"SELECT {self._columns}{fields} FROM ({read_parquet_sql(files)})" if files else ""

    @property
    def _columns(self) -> str:
        minor, currency = amount_sql(self.contract, DIALECT)
        return (
            f"_book_date, _record_id, _record_key, {minor} AS amount_minor, {currency} AS currency"
        )
