"""How the books stand, in a few numbers: for those who watch them.

Only what is in force is counted, and by the database: the cost follows the days that the books
hold, not what happened to them. Nothing here measures a store again; that is what an audit does.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from clearhouse.books.decisions import held_among
from clearhouse.books.model import Side, Status, Totals, difference
from clearhouse.books.schema import (
    audit_table,
    certificate_table,
    current_table,
    event_table,
    pointer_table,
    publication_table,
    reopening_table,
    total_table,
    verdict_table,
)

Place = tuple[str, str]
"""Domain and hop."""


@dataclass(frozen=True, slots=True)
class Since:
    """A number of days, and since when the first of them is so. Times are UTC, without a zone."""

    days: int
    since: dt.datetime


@dataclass(frozen=True, slots=True)
class Published:
    """What readers see of a dataset: how many days, and the newest book date among them."""

    days: int
    newest: dt.date


@dataclass(frozen=True, slots=True)
class LastAudit:
    """When a domain was audited last, and the number of findings."""

    at: dt.datetime
    findings: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How the books stand. All that is in force, by domain unless it says otherwise.

    Attributes:
        days, closed_days: number of book dates, and of those of them that are sealed.
        newest_day: the newest book date.
        entries: number by domain, hop and status; 0 is stated too.
        entered_at: by domain and hop, when the entry written last was.
        newest_totals: of the newest book date, by domain and hop, the totals by side.
        differences: by domain and hop, what is too much or missing in entries that are unbalanced,
            each without its sign, so that they don't cancel.
        held: book dates that a gate holds, since the first verdict that held one.
        open: book dates on which work began and did not end.
        published: by dataset (`<domain>.<name>`).
        published_at: when the last publication was made.
        audits: the last audits.
    """

    days: Mapping[str, int] = field(default_factory=dict)
    closed_days: Mapping[str, int] = field(default_factory=dict)
    newest_day: Mapping[str, dt.date] = field(default_factory=dict)
    entries: Mapping[tuple[str, str, Status], int] = field(default_factory=dict)
    entered_at: Mapping[Place, dt.datetime] = field(default_factory=dict)
    newest_totals: Mapping[Place, Mapping[Side, Totals]] = field(default_factory=dict)
    differences: Mapping[Place, Totals] = field(default_factory=dict)
    held: Mapping[str, Since] = field(default_factory=dict)
    open: Mapping[str, Since] = field(default_factory=dict)
    published: Mapping[str, Published] = field(default_factory=dict)
    published_at: Mapping[str, dt.datetime] = field(default_factory=dict)
    audits: Mapping[str, LastAudit] = field(default_factory=dict)


def read_figures(connection: sa.Connection) -> Figures:
    """The figures, as of one state of the books where the connection is in a transaction."""
    c = current_table.c
    by_domain = sa.select(
        c.domain, sa.func.count(c.book_date.distinct()), sa.func.max(c.book_date)
    ).group_by(c.domain)
    days = _rows(connection, by_domain)
    held = _held(connection)
    entries, entered_at = _entries(connection, held)
    return Figures(
        days={domain: count for domain, count, _ in days},
        closed_days=_closed_days(connection),
        newest_day={domain: newest for domain, _, newest in days},
        entries=entries,
        entered_at=entered_at,
        newest_totals=_newest_totals(connection),
        differences=_differences(connection),
        held=_since((row.domain, row.book_date, row.since) for row in held),
        open=_since(_rows(connection, _open)),
        published=_published(connection),
        published_at=dict(_rows(connection, _published_at)),
        audits=_audits(connection),
    )


def _rows(connection: sa.Connection, statement: sa.Select[Any]) -> list[Any]:
    return list(connection.execute(statement))


_in_force = current_table.join(event_table, event_table.c.seq == current_table.c.seq)

_open = (
    sa.select(current_table.c.domain, current_table.c.book_date, event_table.c.at)
    .select_from(_in_force)
    .where(event_table.c.status == Status.OPEN)
)

_published_at = sa.select(
    publication_table.c.domain, sa.func.max(publication_table.c.made_at)
).group_by(publication_table.c.domain)


def _entries(
    connection: sa.Connection, held: list[Any]
) -> tuple[dict[tuple[str, str, Status], int], dict[Place, dt.datetime]]:
    """Number of entries by domain, hop and status; and the latest time by domain and hop."""
    c, e = current_table.c, event_table.c
    counted = (
        sa.select(c.domain, c.hop, e.status, sa.func.count(), sa.func.max(e.at))
        .select_from(_in_force)
        .group_by(c.domain, c.hop, e.status)
    )
    found: Counter[tuple[str, str, Status]] = Counter()
    latest: dict[Place, dt.datetime] = {}
    for domain, hop, status, count, at in _rows(connection, counted):
        for each in Status:
            found[domain, hop, each] += 0
        found[domain, hop, Status(status)] += count
        latest[domain, hop] = max(at, latest.get((domain, hop), at))
    for row in held:
        if row.status == Status.BALANCED:  # as the ledger says it
            found[row.domain, row.hop, Status.BALANCED] -= 1
            found[row.domain, row.hop, Status.HELD] += 1
    return dict(found), latest


def _held(connection: sa.Connection) -> list[Any]:
    """The entries in force that a gate holds, each with its first verdict that failed."""
    c, e, v = current_table.c, event_table.c, verdict_table.c
    suspects = _rows(
        connection,
        sa.select(
            c.domain,
            c.hop,
            c.book_date,
            c.entry_id,
            e.status,
            sa.func.min(v.judged_at).label("since"),
        )
        .select_from(_in_force.join(verdict_table, v.entry_id == c.entry_id))
        .where(~v.passed)
        .group_by(c.domain, c.hop, c.book_date, c.entry_id, e.status),
    )
    held = held_among(connection, [row.entry_id for row in suspects])
    return [row for row in suspects if row.entry_id in held]


def _since(rows: Iterable[Any]) -> dict[str, Since]:
    """By domain, the number of days and the earliest time."""
    days: dict[str, set[dt.date]] = {}
    first: dict[str, dt.datetime] = {}
    for domain, book_date, at in rows:
        days.setdefault(domain, set()).add(book_date)
        first[domain] = min(at, first.get(domain, at))
    return {domain: Since(len(found), first[domain]) for domain, found in days.items()}


def _totals(
    connection: sa.Connection, joined: sa.FromClause, where: sa.ColumnElement[bool]
) -> dict[tuple[str, str, dt.date], dict[Side, Totals]]:
    """The totals of entries in force by domain, hop and book date."""
    c, t = current_table.c, total_table.c
    statement = (
        sa.select(c.domain, c.hop, c.book_date, t.side, t.measure, t.value)
        .select_from(joined.join(total_table, t.seq == c.seq))
        .where(where)
    )
    found: dict[tuple[str, str, dt.date], dict[Side, dict[str, int]]] = {}
    for domain, hop, book_date, side, measure, value in _rows(connection, statement):
        of_day = found.setdefault((domain, hop, book_date), {})
        of_day.setdefault(Side(side), {})[measure] = value
    return {
        key: {side: Totals(measures) for side, measures in sides.items()}
        for key, sides in found.items()
    }


def _differences(connection: sa.Connection) -> dict[Place, Totals]:
    unbalanced = _totals(connection, _in_force, event_table.c.status == Status.UNBALANCED)
    found: dict[Place, Totals] = {}
    for (domain, hop, _), sides in unbalanced.items():
        measures = difference(sides).measures
        without_sign = Totals({measure: abs(value) for measure, value in measures.items()})
        found[domain, hop] = found.get((domain, hop), Totals()) + without_sign
    return found


def _newest_totals(connection: sa.Connection) -> dict[Place, dict[Side, Totals]]:
    """Of each domain's newest book date."""
    c = current_table.c
    newest = (
        sa.select(c.domain, sa.func.max(c.book_date).label("book_date"))
        .group_by(c.domain)
        .subquery()
    )
    is_newest = (newest.c.domain == c.domain) & (newest.c.book_date == c.book_date)
    found = _totals(connection, current_table.join(newest, is_newest), sa.true())
    return {(domain, hop): sides for (domain, hop, _), sides in found.items()}


def _published(connection: sa.Connection) -> dict[str, Published]:
    """The pointer of each day that was set last counts; one to nothing is no published day."""
    p = pointer_table.c
    last = (
        sa.select(p.dataset, p.book_date, sa.func.max(p.publication).label("publication"))
        .group_by(p.dataset, p.book_date)
        .subquery()
    )
    is_last = sa.and_(*(p[column.name] == column for column in last.c))
    statement = (
        sa.select(p.dataset, sa.func.count(), sa.func.max(p.book_date))
        .select_from(pointer_table.join(last, is_last))
        .where(p.entry_id.is_not(None))
        .group_by(p.dataset)
    )
    rows = _rows(connection, statement)
    return {dataset: Published(count, newest) for dataset, count, newest in rows}


def _closed_days(connection: sa.Connection) -> dict[str, int]:
    c = certificate_table.c
    is_reopened = sa.exists().where(reopening_table.c.certificate == c.seq)
    statement = sa.select(c.domain, sa.func.count()).where(~is_reopened).group_by(c.domain)
    return dict(_rows(connection, statement))


def _audits(connection: sa.Connection) -> dict[str, LastAudit]:
    a = audit_table.c
    last = sa.select(sa.func.max(a.seq)).group_by(a.domain)
    statement = sa.select(a.domain, a.at, a.findings).where(a.seq.in_(last))
    rows = _rows(connection, statement)
    return {domain: LastAudit(at, findings) for domain, at, findings in rows}
