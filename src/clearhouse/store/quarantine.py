"""Quarantine: rejected rows, whole, each with its reason and where it stands in the raw data."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import pyarrow as pa
import sqlalchemy as sa

from clearhouse.books.measure import SPINE_SCHEMA
from clearhouse.core.columnar import readable
from clearhouse.core.contract.rules import Violation
from clearhouse.core.errors import StoreError, first_line


class SourceText(sa.types.TypeDecorator[str]):
    """Text that came from a source. It may hold NUL, which PostgreSQL does not take in a text."""

    impl = sa.Text
    cache_ok = True
    _ESCAPES: ClassVar = str.maketrans({"\x1a": "\x1a1", "\0": "\x1a0"})

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """Python to SQL."""
        if value is None or dialect.name == "sqlite":
            return value
        return value.translate(self._ESCAPES)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """SQL to Python."""
        if value is None or dialect.name == "sqlite":
            return value
        return value.replace("\x1a0", "\0").replace("\x1a1", "\x1a")


_IN_BYTE_ORDER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""As SQLite orders texts, whatever the collation of a server's database is."""

metadata = sa.MetaData()
quarantine_table = sa.Table(
    "quarantine",
    metadata,
    sa.Column("dataset", sa.String(80), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("record_id", sa.String(32), primary_key=True),
    sa.Column("record_key", SourceText, nullable=False),
    sa.Column("entry_id", sa.String(64), nullable=False),
    sa.Column("object_key", _IN_BYTE_ORDER, nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("violations", sa.Text, nullable=False),
    sa.Column("raw", sa.LargeBinary, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
)

_IN_ORDER = [quarantine_table.c[name] for name in ("book_date", "object_key", "line")]
_ARROW = {sa.Date: pa.date32(), sa.Integer: pa.int64(), sa.LargeBinary: pa.binary()}
_STORED = pa.schema(
    [
        (c.name, next((t for kind, t in _ARROW.items() if isinstance(c.type, kind)), pa.string()))
        for c in quarantine_table.columns
    ]
)


@dataclass(frozen=True, slots=True)
class QuarantinedRow:
    """A rejected row.

    Attributes:
        object_key, line: where the row stands in landing, lines counted from 1.
        amount_minor, currency: the books' reading of it; 0 of XXX where there is none.
        raw: the row's bytes as they came.
    """

    dataset: str
    book_date: dt.date
    record_id: str
    record_key: str
    object_key: str
    line: int
    violations: tuple[Violation, ...]
    raw: bytes
    amount_minor: int
    currency: str
    entry_id: str = ""


class Quarantine:
    """Rejected rows of all datasets in the operational store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def replace(
        self, dataset: str, rows_by_day: Mapping[dt.date, tuple[str, Sequence[QuarantinedRow]]]
    ) -> None:
        """Put each day's rows in place of those it had, with the entry id they belong to."""
        with self.engine.begin() as connection:
            for day, (entry_id, rows) in rows_by_day.items():
                connection.execute(
                    sa.delete(quarantine_table).where(
                        (quarantine_table.c.dataset == dataset)
                        & (quarantine_table.c.book_date == day)
                    )
                )
                if rows:
                    connection.execute(
                        sa.insert(quarantine_table), [_columns(r, entry_id) for r in rows]
                    )

    def of_days(
        self, dataset: str, days: Sequence[dt.date] | None = None, limit: int = 100
    ) -> list[QuarantinedRow]:
        """Rows in order of day and line."""
        statement = (
            sa.select(quarantine_table)
            .where(self._where(dataset, days))
            .order_by(*_IN_ORDER)
            .limit(limit)
        )
        with _sound(), self.engine.connect() as connection:
            return [_row(r) for r in connection.execute(statement)]

    def counts(
        self, dataset: str, days: Sequence[dt.date] | None = None
    ) -> list[tuple[dt.date, str, int]]:
        """Book date, reason and number of rows."""
        q = quarantine_table.c
        statement = (
            sa.select(q.book_date, q.code, sa.func.count())
            .where(self._where(dataset, days))
            .group_by(q.book_date, q.code)
        )
        with _sound(), self.engine.connect() as connection:
            return sorted((r[0], r[1], r[2]) for r in connection.execute(statement))

    def counts_by_code(self) -> dict[tuple[str, str], int]:
        """Number of rows by dataset and reason, over all days."""
        q = quarantine_table.c
        statement = sa.select(q.dataset, q.code, sa.func.count()).group_by(q.dataset, q.code)
        with self.engine.connect() as connection:
            return {(r[0], r[1]): r[2] for r in connection.execute(statement)}

    def find(self, dataset: str, text: str, parts_after_id: int = 0) -> list[QuarantinedRow]:
        """Rows by record id, by their key, or by the source's id in it, in order of day and line.

        Args:
            dataset: whose rows.
            text: what is looked for.
            parts_after_id: how many parts of the key come after the source's id.
        """
        q = quarantine_table.c
        named = (q.record_id == text) | ("|" + q.record_key).contains("|" + text, autoescape=True)
        statement = sa.select(quarantine_table).where((q.dataset == dataset) & named)
        statement = statement.order_by(*_IN_ORDER)
        with _sound(), self.engine.connect() as connection:
            rows = [_row(r) for r in connection.execute(statement)]
        return [
            row
            for row in rows
            if text in (row.record_id, row.record_key)
            or f"|{row.record_key}".rsplit("|", parts_after_id)[0].endswith("|" + text)
        ]

    def rows(self, dataset: str, days: Sequence[dt.date]) -> pa.Table:
        """The spine rows of days, as `SPINE_SCHEMA`."""
        q = quarantine_table.c
        statement = sa.select(
            q.book_date.label("_book_date"),
            q.record_id.label("_record_id"),
            q.record_key.label("_record_key"),
            q.amount_minor,
            q.currency,
        ).where(self._where(dataset, days))
        with _sound(), self.engine.connect() as connection:
            found = [dict(r._mapping) for r in connection.execute(statement)]
        with readable("quarantine"):
            return pa.Table.from_pylist(found, SPINE_SCHEMA)

    def every_column(self, dataset: str, days: Sequence[dt.date]) -> pa.Table:
        """The rows of days as they are stored."""
        statement = sa.select(quarantine_table).where(self._where(dataset, days))
        with _sound(), self.engine.connect() as connection:
            found = [dict(r._mapping) for r in connection.execute(statement)]
        with readable("quarantine"):
            return pa.Table.from_pylist(found, _STORED)

    def days(self, dataset: str) -> set[dt.date]:
        """The days that there are rows of; what is no date is none."""
        day = sa.cast(quarantine_table.c.book_date, sa.Text)
        statement = sa.select(day).where(quarantine_table.c.dataset == dataset).distinct()
        found = set()
        with self.engine.connect() as connection:
            for text in connection.scalars(statement):
                with suppress(ValueError):
                    found.add(dt.date.fromisoformat(text))
        return found

    @staticmethod
    def _where(dataset: str, days: Sequence[dt.date] | None) -> sa.ColumnElement[bool]:
        where: sa.ColumnElement[bool] = quarantine_table.c.dataset == dataset
        if days is not None:
            where &= quarantine_table.c.book_date.in_(sorted(days))
        return where


@contextmanager
def _sound() -> Iterator[None]:
    """Say in one sentence that a stored row is none that was written here: somebody edited it."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise StoreError(
            f"A row of the quarantine was edited and can't be read ({first_line(error)}): "
            "`clearhouse verify` says what it was.",
            "quarantine_unreadable",
        ) from error


def _columns(row: QuarantinedRow, entry_id: str) -> dict[str, Any]:
    return {
        "dataset": row.dataset,
        "book_date": row.book_date,
        "record_id": row.record_id,
        "record_key": row.record_key,
        "entry_id": entry_id,
        "object_key": row.object_key,
        "line": row.line,
        "code": row.violations[0].code,
        "violations": json.dumps(
            [[v.field, v.code, v.detail] for v in row.violations], ensure_ascii=False
        ),
        "raw": row.raw,
        "amount_minor": row.amount_minor,
        "currency": row.currency,
    }


def _row(found: Any) -> QuarantinedRow:
    """A stored row.

    Raises:
        ValueError, TypeError: it is none.
    """
    violations = tuple(Violation(*v) for v in json.loads(found.violations))
    if not violations:
        raise ValueError("it has no reason")
    return QuarantinedRow(
        dataset=found.dataset,
        book_date=found.book_date,
        record_id=found.record_id,
        record_key=found.record_key,
        object_key=found.object_key,
        line=int(found.line),
        violations=violations,
        raw=found.raw,
        amount_minor=int(found.amount_minor),
        currency=found.currency,
        entry_id=found.entry_id,
    )
