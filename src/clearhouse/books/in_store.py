"""What the parts of the books have in common: each reads its tables in one SQL store."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa


class InStore:
    """A part of the books in one SQL store."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """What the store answers."""
        with self.engine.connect() as connection:
            return list(connection.execute(statement))

    def values(self, statement: sa.Select[Any]) -> list[Any]:
        """The first column of what it answers."""
        return [row[0] for row in self.rows(statement)]


def between(column: sa.Column[dt.date], days: Sequence[dt.date] | None) -> sa.ColumnElement[bool]:
    """That a column is from the first to the last of some days; None: any day."""
    if days is None:
        return sa.true()
    return column.between(min(days), max(days)) if days else sa.false()


def within(
    column: sa.Column[dt.datetime], since: dt.datetime | None, until: dt.datetime | None
) -> sa.ColumnElement[bool]:
    """That a column is after a moment, and up to another one; None: any."""
    after = sa.true() if since is None else column > since
    return after if until is None else after & (column <= until)
