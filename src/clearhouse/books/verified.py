"""Which days were verified: when, by which run, and with how many findings."""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from clearhouse.books.schema import metadata, now

verified_table = sa.Table(
    "books_verified",
    metadata,
    sa.Column("domain", sa.String(40), primary_key=True),
    sa.Column("book_date", sa.Date, primary_key=True),
    sa.Column("run_id", sa.String(40), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("findings", sa.Integer),
)


class Verified:
    """The verified days of all domains, kept beside the books in the same store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        metadata.create_all(engine)

    def add(self, domain: str, findings: Mapping[dt.date, int | None], run_id: str) -> None:
        """Record what a run has verified: the number of findings of each day.

        None: the day could not be derived. It is recorded, so that a sample gets to the others.
        """
        at = now()
        rows = [
            {"domain": domain, "book_date": day, "run_id": run_id, "at": at, "findings": count}
            for day, count in findings.items()
        ]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(verified_table), rows)

    def last(self, domain: str) -> dict[dt.date, dt.datetime]:
        """When each day was looked at last; a day that never was is left out."""
        table = verified_table.c
        statement = (
            sa.select(table.book_date, sa.func.max(table.at))
            .where(table.domain == domain)
            .group_by(table.book_date)
        )
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}
