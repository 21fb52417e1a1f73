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

from clearhouse.books.journal import recording
from clearhouse.books.schema import acting_user, now, pointer_table, publication_table

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


class Publications:
    """The publications of all domains, kept beside the books in the same store."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

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
        made = {
            "domain": domain,
            "cause": cause,
            "reason": reason,
            "made_by": acting_user(),
            "run_id": run_id,
            "made_at": now(),
        }
        with recording(self._engine, "publication") as record:
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
        last = sa.select(sa.func.max(table.c.seq)).where(table.c.domain == domain)
        with self._engine.connect() as connection:
            return int(connection.scalar(last) or 0)

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
        table = pointer_table
        where = table.c.dataset == dataset
        if days is not None:
            if not days:
                return {}
            where &= table.c.book_date.between(min(days), max(days))
        if up_to is not None:
            where &= table.c.publication <= up_to
        statement = (
            sa.select(table.c.book_date, table.c.entry_id)
            .where(where)
            .order_by(table.c.publication)
        )
        with self._engine.connect() as connection:
            found = {row.book_date: row.entry_id for row in connection.execute(statement)}
        wanted = None if days is None else set(days)
        return {
            day: entry_id
            for day, entry_id in sorted(found.items())
            if entry_id is not None and (wanted is None or day in wanted)
        }

    def shown(self, dataset: str) -> dict[dt.date, tuple[str | None, Cause]]:
        """Of each day, the pointer that was set last, and why."""
        statement = (
            sa.select(pointer_table, publication_table.c.cause)
            .join(publication_table, publication_table.c.seq == pointer_table.c.publication)
            .where(pointer_table.c.dataset == dataset)
            .order_by(pointer_table.c.publication)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(statement).all()
        return {row.book_date: (row.entry_id, Cause(row.cause)) for row in rows}

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
        with self._engine.connect() as connection:
            return [
                Publication(
                    r.seq, Cause(r.cause), r.reason, r.made_by, r.run_id, r.made_at, r.changes
                )
                for r in connection.execute(statement)
            ]
