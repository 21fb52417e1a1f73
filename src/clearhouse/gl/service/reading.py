"""Reading lines: pages in any order by keyset, and all of a selection in pieces of bounded size.

A page is found by where the last one ended and not by counting rows, so page 10,000 costs what the
first one does, and lines that are added meanwhile move nothing.
"""

import base64
import binascii
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from clearhouse.gl.periods import month_of
from clearhouse.gl.service import columns, tables
from clearhouse.gl.service.database import Database
from clearhouse.gl.service.errors import BadRequestError
from clearhouse.gl.service.numbering import ids_of

SORTS = ("gl_entry_id", "transaction_date", "posting_date", "account_code")
"""Columns in whose order pages are given; a minus before the name turns it round."""
_LINE = tables.line.c
_ID = columns.NAMES.index("gl_entry_id")
_COLUMNS = [_LINE[name] for name in columns.NAMES]
_EQUAL = (
    "account_code", "well_id", "lease_name", "property_id", "cost_center", "journal_source",
    "transaction_type", "entry_type", "fiscal_period", "journal_entry", "party_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """Which lines; None leaves a condition out. Dates are included on both sides."""

    account_code: str | None = None
    well_id: str | None = None
    lease_name: str | None = None
    property_id: str | None = None
    cost_center: str | None = None
    journal_source: str | None = None
    transaction_type: str | None = None
    entry_type: str | None = None
    fiscal_period: str | None = None
    journal_entry: str | None = None
    party_id: str | None = None
    recorded_from: dt.date | None = None
    recorded_to: dt.date | None = None
    posting_from: dt.date | None = None
    posting_to: dt.date | None = None
    transaction_from: dt.date | None = None
    transaction_to: dt.date | None = None
    only_results: bool = False

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """As conditions of SQL."""
        found = [_LINE[name] == getattr(self, name) for name in _EQUAL if getattr(self, name)]
        least, most = ids_of(
            self.recorded_from or dt.date.min, self.recorded_to or dt.date(9999, 1, 1)
        )
        if self.recorded_from:
            found.append(_LINE.gl_entry_id > least)
        if self.recorded_to:
            found.append(_LINE.gl_entry_id < most)
        for name in ("posting", "transaction"):
            column = _LINE[f"{name}_date"]
            if first := getattr(self, f"{name}_from"):
                found.append(column >= first)
            if last := getattr(self, f"{name}_to"):
                found.append(column <= last)
        if self.fiscal_period:  # its lines are posted in it: there is an index on the date
            _, first, last = month_of(dt.date.fromisoformat(f"{self.fiscal_period}-01"))
            found.append(_LINE.posting_date.between(first, last))
        if self.only_results:  # revenue and expense, as the original service has them
            found.append(_is_result(_LINE.account_code))
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, as the driver gives them, and where the next ones begin: None at the end."""

    rows: list[tuple[Any, ...]]
    next_cursor: str | None

    @property
    def table(self) -> pa.Table:
        """The lines by column."""
        return columns.from_rows(self.rows)


class Lines:
    """The lines of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, selection: Selection, sort: str, cursor: str | None, limit: int) -> Page:
        """One page.

        Args:
            selection: which lines.
            sort: one of `SORTS`, with a minus before it for the reverse.
            cursor: of the page before.
            limit: how many lines at most.

        Raises:
            BadRequestError: the cursor is not one of this list (bad_cursor).
        """
        name, descends = sort.removeprefix("-"), sort.startswith("-")
        keys = [_LINE.gl_entry_id] if name == "gl_entry_id" else [_LINE[name], _LINE.gl_entry_id]
        conditions = selection.conditions()
        if cursor is not None:
            position, end = sa.tuple_(*keys), sa.tuple_(*_read_cursor(cursor, sort, keys))
            conditions.append(position < end if descends else position > end)
        order = [key.desc() if descends else key for key in keys]
        statement = sa.select(*_COLUMNS).where(*conditions).order_by(*order).limit(limit + 1)
        rows = self._rows(statement)
        if len(rows) <= limit:
            return Page(rows, None)
        last = dict(zip(columns.NAMES, rows[limit - 1], strict=True))
        following = [sort, *(_as_json(last[key.name]) for key in keys)]
        return Page(rows[:limit], _encode(following))

    def in_pieces(
        self, selection: Selection, after: int, until: int, size: int = 10_000
    ) -> Iterator[pa.Table]:
        """Lines in order of their ids, after one and up to another, some at a time.

        Each piece is read by itself, so that a slow reader holds no transaction.
        """
        conditions = selection.conditions()
        while after < until:
            within = (_LINE.gl_entry_id > after) & (_LINE.gl_entry_id <= until)
            statement = sa.select(*_COLUMNS).where(*conditions, within)
            rows = self._rows(statement.order_by(_LINE.gl_entry_id).limit(size))
            if rows:
                yield columns.from_rows(rows)
                after = rows[-1][_ID]
            if len(rows) < size:
                return

    def count(self, selection: Selection, after: int, until: int) -> int:
        """How many lines `in_pieces` gives."""
        within = (_LINE.gl_entry_id > after) & (_LINE.gl_entry_id <= until)
        statement = sa.select(sa.func.count()).where(*selection.conditions(), within)
        with self._database.reading() as connection:
            return int(connection.scalar(statement) or 0)

    def last(self) -> int:
        """The id of the newest line; 0 before there is one."""
        with self._database.reading() as connection:
            return int(connection.scalar(sa.select(tables.ledger.c.last_line)) or 0)

    def whole_through(self) -> dt.date:
        """The last day that is whole: nothing is recorded on it any more."""
        with self._database.reading() as connection:
            found = connection.scalar(sa.select(tables.ledger.c.fed_day))
        return found or dt.date.min

    def count_results(self) -> int:
        """How many lines of revenue and expense there are, from the sums kept with the lines."""
        b = tables.balance.c
        of_results = _is_result(b.account_code)
        with self._database.reading() as connection:
            return int(connection.scalar(sa.select(sa.func.sum(b.lines)).where(of_results)) or 0)

    def by_id(self, gl_entry_id: int) -> pa.Table:
        """The line of an id, or none."""
        return columns.from_rows(
            self._rows(sa.select(*_COLUMNS).where(_LINE.gl_entry_id == gl_entry_id))
        )

    def of_journals(self, names: list[str]) -> pa.Table:
        """The lines of journal entries, in order of their ids."""
        statement = sa.select(*_COLUMNS).where(_LINE.journal_entry.in_(names))
        return columns.from_rows(self._rows(statement.order_by(_LINE.gl_entry_id)))

    def _rows(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        """Rows as the driver gives them: to make dates of texts one by one takes half the time."""
        with self._database.reading() as connection:
            cursor: Any = connection.execute(statement).cursor
            return list(cursor.fetchall())


def _is_result(code: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """An account of revenue or expense, or one of capital, which the original has among them."""
    return (code >= "4000") & (code < "9000")


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _encode(position: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def _read_cursor(text: str, sort: str, keys: list[sa.Column[Any]]) -> list[Any]:
    """Where a page ended.

    Raises:
        BadRequestError: it is no such text, or of another order.
    """
    try:
        position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        named, *values = position
        if named != sort or len(values) != len(keys):
            raise ValueError(named)
        return [_value(value, key) for value, key in zip(values, keys, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        sentence = "The cursor is not one that a page of this order gave."
        raise BadRequestError(sentence, "bad_cursor") from None


def _value(value: Any, key: sa.Column[Any]) -> Any:
    if isinstance(key.type, sa.Date):
        return sa.literal(dt.date.fromisoformat(value), sa.Date)
    if key.name == "gl_entry_id":
        if not isinstance(value, int) or not 0 <= value < 2**63:
            raise ValueError(value)
    elif not isinstance(value, str) or not value.isalnum():
        raise ValueError(value)
    return value
