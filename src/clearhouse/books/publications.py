"""The history of publications: which entry of each day readers see, since when and why.

A publication changes the pointers of some days; the pointers of a domain are what all of its
publications come to. It is recorded before any store is changed, so that a publication that was
cut short is finished by the next run.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from clearhouse.books.in_store import InStore
from clearhouse.books.journal import recording
from clearhouse.books.schema import pointer_table, publication_table
from clearhouse.core.sql_tables import between, within

Pointers = Mapping[dt.date, str | None]
"""Entry ids by book date; None: readers see nothing of the day."""


class Cause(StrEnum):
    """Why a publication was made."""

    RUN = "run"
    RELEASE = "release"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class Publication:
    """One change of what readers see.

    Attributes:
        number: counts up over all domains, with gaps.
        changes: days whose pointer it changed.
    """

    number: int
    cause: Cause
    reason: str
    made_by: str
    run_id: str
    made_at: dt.datetime
    changes: int


class Publications(InStore):
    """The publications of all domains, kept beside the books in the same store."""

    def add(
        self,
        domain: str,
        changes: Mapping[str, Pointers],
        run_id: str,
        cause: Cause = Cause.RUN,
        reason: str = "",
    ) -> int:
        """Record a publication; its number.

        Args:
            domain: whose.
            changes: by dataset, the pointers that change.
            run_id: the run that makes it.
            cause: why.
            reason: what a person gave for it.
        """
        made = {"domain": domain, "cause": cause, "reason": reason}
        with recording(self.engine, "publication", run_id) as record:
            (row,) = record.add(publication_table, [made])
            number = int(row["seq"])
            pointers = [
                {"publication": number, "dataset": dataset, "book_date": day, "entry_id": entry_id}
                for dataset, of_days in changes.items()
                for day, entry_id in of_days.items()
            ]
            record.add(pointer_table, pointers)
        return number

    def latest(self, domain: str) -> int:
        """The number of a domain's last publication; 0 where there is none."""
        table = publication_table
        (last,) = self.values(sa.select(sa.func.max(table.c.seq)).where(table.c.domain == domain))
        return last or 0

    def pointers(
        self,
        dataset: str,
        days: Sequence[dt.date] | None = None,
        up_to: int | None = None,
    ) -> dict[dt.date, str]:
        """The entry that readers see of each day that is published.

        Args:
            dataset: `<domain>.<name>`.
            days: which days; None for all.
            up_to: as they were after this publication; None: as they are.
        """
        table = pointer_table.c
        where = (table.dataset == dataset) & between(table.book_date, days)
        if up_to is not None:
            where &= table.publication <= up_to
        changed = sa.select(table.book_date, table.entry_id).where(where)
        found = dict(self.rows(changed.order_by(table.publication)))
        wanted = found if days is None else found.keys() & days
        return {day: found[day] for day in sorted(wanted) if found[day] is not None}

    def changed(
        self, dataset: str, since: dt.datetime | None, until: dt.datetime | None
    ) -> list[dt.date]:
        """The days whose pointer was changed after one moment, up to another."""
        days = sa.select(pointer_table.c.book_date).join(publication_table).distinct()
        made = within(publication_table.c.made_at, since, until)
        return self.values(days.where(pointer_table.c.dataset == dataset, made))

    def shown_since(self, dataset: str, days: Sequence[dt.date], since: dt.datetime) -> set[str]:
        """The entries of some days that readers saw at a moment, and all that they saw later."""
        table = pointer_table.c
        statement = (
            sa.select(
                table.book_date, table.entry_id, within(publication_table.c.made_at, since, None)
            )
            .join(publication_table)
            .where(table.dataset == dataset, between(table.book_date, days))
            .order_by(table.publication)
        )
        seen: dict[dt.date, list[str | None]] = {}
        for day, entry_id, is_later in self.rows(statement):
            seen[day] = [*(seen.get(day, []) if is_later else []), entry_id]
        return {entry for of_day in seen.values() for entry in of_day if entry is not None}

    def shown(self, dataset: str) -> dict[dt.date, tuple[str | None, Cause]]:
        """Of each day, the pointer that was set last, and why."""
        statement = (
            sa.select(pointer_table, publication_table.c.cause)
            .join(publication_table)
            .where(pointer_table.c.dataset == dataset)
            .order_by(pointer_table.c.publication)
        )
        return {row.book_date: (row.entry_id, Cause(row.cause)) for row in self.rows(statement)}

    def history(self, domain: str) -> list[Publication]:
        """A domain's publications, the oldest first."""
        changes = (
            sa.select(sa.func.count())
            .where(pointer_table.c.publication == publication_table.c.seq)
            .scalar_subquery()
        )
        statement = (
            sa.select(publication_table, changes.label("changes"))
            .where(publication_table.c.domain == domain)
            .order_by(publication_table.c.seq)
        )
        return [
            Publication(r.seq, Cause(r.cause), r.reason, r.made_by, r.run_id, r.made_at, r.changes)
            for r in self.rows(statement)
        ]
