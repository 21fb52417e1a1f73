"""Which days were verified: when, by which run, and with how many findings."""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from clearhouse.books.in_store import InStore
from clearhouse.books.journal import recording
from clearhouse.books.schema import verified_table


class Verified(InStore):
    """The verified days of all domains, kept beside the books in the same store."""

    def add(self, domain: str, findings: Mapping[dt.date, int | None], run_id: str) -> None:
        """Record what a run has verified: the number of findings of each day.

        None: the day could not be derived. It is recorded, so that a sample gets to the others.
        """
        rows = [
            {"domain": domain, "book_date": day, "findings": count}
            for day, count in findings.items()
        ]
        with recording(self.engine, "verified", run_id) as record:
            record.add(verified_table, rows)

    def last(self, domain: str) -> dict[dt.date, dt.datetime]:
        """When each day was looked at last; a day that never was is left out."""
        table = verified_table.c
        statement = (
            sa.select(table.book_date, sa.func.max(table.at))
            .where(table.domain == domain)
            .group_by(table.book_date)
        )
        return dict(self.rows(statement))
